/**
 * How a batch of coordinates reads the nodes of a cube, resolved once for all banks: at coordinates in index space with the fused
 * linear kernels, or with a stencil of four taps an axis. What the host must know of it, the cells that it touches, comes from the
 * same definitions (interpolation/).
 */
import * as tf from '@tensorflow/tfjs';
import { axisStencil, tapNode } from '../../interpolation/stencil.js';
import { axisTaps, type Basis, basisCode } from '../../interpolation/taps.js';
import { type AxisReading, type HostCoords, stencilAlong, unitsOf } from '../../ops/axistaps.js';
import { constantOf } from '../../ops/constant.js';
import type { SamplingAttrs } from '../../ops/contract.js';
import { sampleRows, splatRows } from '../../ops/sample.js';
import { onTape } from '../../ops/tape.js';
import { fuses, type Stencil, type StencilSpec, splatTapRows, tapRows, tapRowsAt } from '../../ops/taps.js';
import type { TapsAttrs } from '../../ops/tapscontract.js';
import type { MethodChoice } from '../methods.js';
import { boundaryCodes, type Settings } from '../options.js';
import { nearestCoords, smoothCoords } from './eased.js';

/** Coordinates on the device, and on the host where they came from there or can be read at once. */
export interface BatchCoords {
  /** [N, 3] float32, index space. */
  tensor: tf.Tensor2D;
  host: Float32Array | undefined;
  /** Of a cube whose axes have coordinates of their own: how each was read, and the coordinates in the user's units. */
  axes?: readonly (AxisReading | null)[];
  user?: BatchCoords;
}

export interface Reading {
  /** The caller's coordinates, which policies are about. */
  given: BatchCoords;
  /** Where the fused kernels sample: moved by nearest and smoothstep, else `given`. */
  coords: BatchCoords;
  /** Nodes along each axis. */
  dims: readonly [number, number, number];
  /** boundaryCode of each axis. */
  boundary: [number, number, number];
  /** null: linear at `coords`, by the fused kernels. Made when it is first asked for. */
  readonly stencil: Stencil | null;
  /** What the stencil at `coords` is made with; where a kernel may make it by itself. */
  spec: StencilSpec | null;
  /** basisCode of each axis, and a: what the stencil was made of; for the host. */
  basis: [number, number, number];
  a: number;
  /** Whether weights change with the coordinates. */
  moving: boolean;
}

/** What a reading must know of a cube. */
type Lattice = Pick<Settings, 'dims' | 'boundary'>;

/**
 * The reading of coordinates [N, 3] in index space by a method; of hermite that of the nodes, of bspline that of the coefficients,
 * of monotone the places in the cells. Gradients: coords.
 */
export function readingOf(given: BatchCoords, { method, a }: MethodChoice, settings: Lattice): Reading {
  if (method === 'cardinal' || method === 'catmull-rom')
    return tapReading(given, uniform('cardinal'), a, settings);
  if (method === 'bspline' || method === 'hermite') return tapReading(given, uniform(method), a, settings);
  if (method === 'monotone') return tapReading(given, uniform('place'), a, settings);
  const { dims } = settings;
  const boundary = boundaryCodes(settings);
  let coords = given;
  if (method === 'nearest') coords = nearestCoords(given);
  if (method === 'smoothstep') coords = smoothCoords(given, leftHanded(settings));
  const moving = method !== 'nearest';
  return {
    given,
    coords,
    dims,
    boundary,
    stencil: null,
    spec: null,
    basis: [LINEAR, LINEAR, LINEAR],
    a,
    moving,
  };
}

type AxisBases = readonly [Basis, Basis, Basis];
const uniform = (basis: Basis): AxisBases => [basis, basis, basis];

/** The reading of an axis's tangents by hermite: the derivative's basis along that axis, the values' along the others. */
export function tangentReading(values: Reading, axis: number, settings: Settings): Reading {
  const bases = [...uniform('hermite')] as [Basis, Basis, Basis];
  bases[axis] = 'hermite-tangent';
  return tapReading(values.given, bases, values.a, settings);
}

function tapReading(given: BatchCoords, bases: AxisBases, a: number, settings: Lattice): Reading {
  const { dims } = settings;
  const boundary = boundaryCodes(settings);
  const basis = bases.map(basisCode) as [number, number, number];
  const spec = { dims: [...dims], boundary, basis, a } as StencilSpec;
  let made: Stencil | null = null;
  return {
    given,
    coords: given,
    dims,
    boundary,
    get stencil() {
      made ??= stencilAlong(given.tensor, given.axes, spec, hostCoords(given));
      return made;
    },
    spec: isUniform(given, spec) ? spec : null,
    basis,
    a,
    moving: true,
  };
}

/** Whether the stencil is that of the index space: no axis has positions, or units that weights depend on. */
function isUniform({ axes = [] }: BatchCoords, spec: StencilSpec): boolean {
  return axes.every((axis) => !axis || 'spacing' in axis) && unitsOf(axes, spec).every((unit) => unit === 1);
}

/** The coordinates on the host, where no gradient is asked for. */
function hostCoords({ host, user }: BatchCoords): HostCoords | null {
  return host && user?.host && !onTape() ? { user: user.host, index: host } : null;
}

/** The last node of each axis where the derivative is the left-hand one, −1 where the axis goes on. */
const leftHanded = ({ dims, boundary }: Lattice) =>
  dims.map((n, j) => (n === 1 || boundary[j] === 'wrap' ? -1 : n - 1)) as [number, number, number];

/** What a page says of itself: attributes of the sampling kernels but the boundary. */
export type PageAttrs = Omit<SamplingAttrs, 'boundary'> & TapsAttrs;

/** [N, F]: what a page gives to each sample. Gradients: nodes, and coords or weights. */
export function readRows(
  reading: Reading,
  nodes: tf.Tensor,
  grid: tf.Tensor3D,
  attrs: PageAttrs,
): tf.Tensor2D {
  const { coords, boundary, spec } = reading;
  if (spec && fuses(attrs)) return tapRowsAt(nodes, grid, coords.tensor, spec, attrs);
  const { stencil } = reading;
  if (stencil) return tapRows(nodes, grid, stencil, attrs);
  return sampleRows(nodes, grid, coords.tensor, { ...attrs, boundary } as SamplingAttrs);
}

/** [rows, F]: the adjoint of readRows. Gradients: values, and coords or weights. */
export function splatRead(
  { coords, boundary, stencil }: Reading,
  values: tf.Tensor2D,
  grid: tf.Tensor3D,
  attrs: PageAttrs,
): tf.Tensor2D {
  if (stencil) return splatTapRows(values, grid, stencil, attrs);
  return splatRows(values, grid, coords.tensor, { ...attrs, boundary } as SamplingAttrs);
}

/** The same reading with the weights' magnitudes: |w| of every tap. Gradients: coords. */
export function withMagnitudes(reading: Reading, stencil: Stencil): Reading {
  const sign = constantOf(stencil.weights, (w) => tf.sub(1, tf.mul(2, tf.cast(tf.less(w, 0), 'float32'))));
  const weights = tf.mul(stencil.weights, sign) as tf.Tensor3D;
  return { ...reading, spec: null, stencil: { taps: stencil.taps, weights } };
}

const rowsOf = ({ tensor, host }: BatchCoords, first: number, count: number): BatchCoords => ({
  tensor: tf.slice(tensor, [first, 0], [count, 3]),
  host: host?.subarray(3 * first, 3 * (first + count)),
});

/** Samples first … first + count − 1 of a reading. */
export function partOf(reading: Reading, first: number, count: number): Reading {
  const { given, coords, stencil } = reading;
  if (first === 0 && count === coords.tensor.shape[0]) return reading;
  return {
    ...reading,
    given: rowsOf(given, first, count),
    coords: rowsOf(coords, first, count),
    stencil: stencil && {
      taps: tf.slice(stencil.taps, [first, 0, 0], [count, 3, 4]),
      weights: tf.slice(stencil.weights, [first, 0, 0], [count, 3, 4]),
    },
  };
}

/**
 * Calls `found` with each cell of weight ≠ 0 of sample i of a reading whose coordinates are on the host, and with `slopes` those of
 * a weight that may change; of coordinates that are not finite none. A cell may come more than once.
 */
export function eachTouched(
  reading: Reading,
  i: number,
  slopes: boolean,
  found: (cell: number) => void,
): void {
  const { dims } = reading;
  const axes = [0, 1, 2].map((j) => touchedNodes(reading, i, j, slopes));
  if (axes.some((nodes) => nodes === null)) return;
  const [xs, ys, zs] = axes as number[][];
  for (const x of xs) for (const y of ys) for (const z of zs) found((x * dims[1] + y) * dims[2] + z);
}

const LINEAR = basisCode('linear');
const PLACE = basisCode('place');
const linear = { base: 0, fraction: 0, slope: 0 };
const nodes = new Int32Array(4);
const weights = new Float64Array(4);

/** Nodes of an axis that count for sample i; null where its coordinate is not finite. */
function touchedNodes(reading: Reading, i: number, j: number, slopes: boolean): number[] | null {
  const n = reading.dims[j];
  const code = reading.boundary[j];
  const r = reading.coords.host![3 * i + j];
  if (!Number.isFinite(r)) return null;
  if (reading.basis[j] === LINEAR) {
    axisStencil(r, n, code, linear);
    const both = slopes && reading.moving && linear.slope !== 0;
    const low = both || linear.fraction !== 1 ? tapNode(linear.base, n, code) : -1;
    const high = both || linear.fraction !== 0 ? tapNode(linear.base + 1, n, code) : -1;
    return [low, high].filter((node) => node >= 0);
  }
  const place = reading.basis[j] === PLACE;
  axisTaps(r, n, code, reading.basis[j], reading.a, 0, nodes, weights);
  // On a node the others do not count, whatever a place says of its cell.
  const only = weights[0] === 0 ? nodes[1] : weights[0] === 1 ? nodes[2] : null;
  if (place && !slopes && only !== null) return only < 0 ? [] : [only];
  if (place) return [...nodes].filter((node) => node >= 0);
  return [0, 1, 2, 3].filter((k) => nodes[k] >= 0 && (slopes || weights[k] !== 0)).map((k) => nodes[k]);
}
