/**
 * The kernels of ops/monotonecontract.ts composed from stock tfjs ops, for a backend that has none of its own (webgl, …). Slow,
 * and it holds the 64 taps of all samples at once; float32 storage only.
 */
import * as tf from '@tensorflow/tfjs';
import { type MonotoneCall, type MonotoneInputs, OPEN, registerMonotone } from './monotonecontract.js';

/** As in the other kernels: secants count up to BIG, and what is smaller than TINY divides nothing. */
const BIG = 1e38;
const TINY = 1.17549435e-38;

/** One side of a cell: weights u and v, 1/h, 1/(3(1 + h)²), and where it is open; all [N, 1]. */
type Side = Record<'u' | 'w' | 'perLength' | 'bend' | 'open', tf.Tensor>;

/** interpolation/monotone.ts: coefficients of g and their derivatives by f, all [N, 1]. */
interface Cell {
  c: tf.Tensor[];
  d: tf.Tensor[];
  below: Side;
  above: Side;
  outside: tf.Tensor;
}

/** The four values of a line, each [N, F]. */
type Values = tf.Tensor[];

function sideOf(h: tf.Tensor, open: tf.Tensor): Side {
  const sum = tf.mul(3, tf.add(h, 1));
  return {
    u: tf.div(tf.add(2, h), sum),
    w: tf.div(tf.add(1, tf.mul(2, h)), sum),
    perLength: tf.reciprocal(h),
    bend: tf.reciprocal(tf.mul(sum, tf.add(h, 1))),
    open,
  };
}

function cellOf(f: tf.Tensor, below: Side, above: Side): Cell {
  const outside = tf.logicalOr(tf.less(f, 0), tf.greater(f, 1));
  const e = tf.sub(1, f);
  const fe = tf.mul(f, e);
  const within = (beyond: tf.Tensor | number, x: tf.Tensor) =>
    tf.where(outside, typeof beyond === 'number' ? tf.fill(f.shape, beyond) : beyond, x);
  return {
    c: [
      within(f, tf.mul(tf.square(f), tf.sub(3, tf.mul(2, f)))),
      within(0, tf.mul(fe, e)),
      within(0, tf.mul(fe, f)),
    ],
    d: [
      within(1, tf.mul(6, fe)),
      within(0, tf.mul(e, tf.sub(1, tf.mul(3, f)))),
      within(0, tf.mul(f, tf.sub(2, tf.mul(3, f)))),
    ],
    below,
    above,
    outside,
  };
}

const sizeOf = (d: tf.Tensor) => tf.minimum(tf.abs(d), BIG);
const over = (a: tf.Tensor, b: tf.Tensor) => tf.div(a, tf.maximum(b, TINY));

/** The size of the neighbour's secant where it has the direction of d, else 0. */
function along({ perLength }: Side, difference: tf.Tensor, d: tf.Tensor): tf.Tensor {
  const o = tf.mul(difference, perLength);
  const same = tf.greater(tf.mul(tf.sign(o), tf.sign(d)), 0);
  return tf.where(same, sizeOf(o), tf.zerosLike(o));
}

/** m/d. */
function ratio(side: Side, difference: tf.Tensor, d: tf.Tensor): tf.Tensor {
  const a = along(side, difference, d);
  const k = over(a, tf.add(tf.mul(side.u, sizeOf(d)), tf.mul(side.w, a)));
  return tf.where(side.open, tf.onesLike(k), k);
}

function lineValue({ c, below, above, outside }: Cell, [p0, p1, p2, p3]: Values): tf.Tensor {
  const d = tf.sub(p2, p1);
  const k1 = ratio(below, tf.sub(p1, p0), d);
  const k2 = ratio(above, tf.sub(p3, p2), d);
  const g = tf.sub(tf.add(c[0], tf.mul(k1, c[1])), tf.mul(k2, c[2]));
  const v = tf.add(tf.mul(p1, tf.sub(1, g)), tf.mul(p2, g));
  return tf.where(outside, v, tf.minimum(tf.maximum(v, tf.minimum(p1, p2)), tf.maximum(p1, p2)));
}

/** By the neighbour's difference; by d through this side's slope; by h; and m/d · rate. c is c1 or −c2, rate its derivative. */
function sideGrad(side: Side, difference: tf.Tensor, d: tf.Tensor, c: tf.Tensor, rate: tf.Tensor) {
  const size = sizeOf(d);
  const a = along(side, difference, d);
  const sum = tf.add(tf.mul(side.u, size), tf.mul(side.w, a));
  const live = tf.cast(tf.greater(tf.minimum(a, size), 0), 'float32');
  const k = tf.mul(live, over(a, sum));
  const j = tf.mul(live, over(size, sum));
  const outer = tf.mul(tf.mul(tf.mul(c, side.u), side.perLength), tf.square(j));
  const bend = tf.mul(tf.mul(tf.mul(c, side.bend), size), tf.mul(k, tf.sub(j, k)));
  const length = tf.mul(tf.sign(d), tf.sub(bend, tf.mul(outer, a)));
  const none = tf.zerosLike(d);
  return {
    difference: tf.where(side.open, none, outer),
    d: tf.where(side.open, tf.add(none, c), tf.mul(tf.mul(c, side.w), tf.square(k))),
    length: tf.where(side.open, none, length),
    slope: tf.where(side.open, tf.add(none, rate), tf.mul(rate, k)),
  };
}

/** s times the derivatives by the four values, and by (f, below, above). */
function lineGrad({ c, d, below, above }: Cell, [p0, p1, p2, p3]: Values, s: tf.Tensor) {
  const own = tf.sub(p2, p1);
  const o = sideGrad(below, tf.sub(p1, p0), own, c[1], d[1]);
  const e = sideGrad(above, tf.sub(p3, p2), own, tf.neg(c[2]), tf.neg(d[2]));
  const byD = tf.add(tf.add(c[0], o.d), e.d);
  return {
    p: [
      tf.mul(s, tf.neg(o.difference)),
      tf.mul(s, tf.add(tf.sub(1, byD), o.difference)),
      tf.mul(s, tf.sub(byD, e.difference)),
      tf.mul(s, e.difference),
    ],
    place: [
      tf.mul(tf.mul(s, own), tf.add(tf.add(d[0], o.slope), e.slope)),
      tf.mul(s, o.length),
      tf.mul(s, e.length),
    ],
  };
}

/** The cells of three axes, and of each of the 64 taps its row (0 where absent) and whether it is there. */
function resolve({ grid, taps, place }: MonotoneInputs, { boundary, rows }: MonotoneCall['attrs']) {
  const n = place.shape[0];
  const [, ny, nz] = grid.shape as number[];
  const finite = tf.all(tf.isFinite(place), [1, 2]);
  const column = (x: tf.Tensor, j: number, k: number) =>
    tf.reshape(tf.slice(x as tf.Tensor3D, [0, j, k], [n, 1, 1]), [n]);
  const isAbsent = (j: number, k: number) => tf.less(column(taps, j, k), 0);
  const cells = boundary.map((code, j) => {
    const number = (k: number, instead: number) =>
      tf.expandDims(tf.where(finite, column(place, j, k), tf.fill([n], instead)), 1);
    const open = (k: number) => tf.expandDims(code === OPEN ? isAbsent(j, k) : tf.zeros([n], 'bool'), 1);
    return cellOf(number(0, 0), sideOf(number(1, 1), open(0)), sideOf(number(2, 1), open(3)));
  });
  const nodes = boundary.map((code, j) =>
    [0, 1, 2, 3].map((k) => {
      const node = column(taps, j, k);
      // An extrapolated axis of one node is level.
      return code === OPEN && k === 2 ? tf.where(isAbsent(j, 2), column(taps, j, 1), node) : node;
    }),
  );
  const flat = tf.reshape(grid, [-1]);
  const found = Array.from({ length: 64 }, (_, k) => {
    const [x, y, z] = [nodes[0][k >> 4], nodes[1][(k >> 2) & 3], nodes[2][k & 3]];
    const inGrid = tf.logicalAnd(finite, tf.greaterEqual(tf.minimum(tf.minimum(x, y), z), 0));
    const cell = tf.add(tf.mul(tf.add(tf.mul(x, ny), y), nz), z);
    const row = tf.gather(flat, tf.cast(tf.where(inGrid, cell, tf.zerosLike(cell)), 'int32'));
    const inPage = tf.logicalAnd(tf.greaterEqual(row, 0), tf.less(row, rows));
    const present = tf.logicalAnd(inGrid, inPage);
    return { present, row: tf.cast(tf.where(present, row, tf.zerosLike(row)), 'int32') as tf.Tensor1D };
  });
  return { finite, cells, found };
}

type Resolved = ReturnType<typeof resolve>;

const fours = <T>(x: T[]): T[][] => Array.from({ length: x.length / 4 }, (_, k) => x.slice(4 * k, 4 * k + 4));

/** The lines of each level: sixteen along z, four along y, one along x. */
function linesOf(nodes: tf.Tensor, { cells: [, cy, cz], found }: Resolved) {
  const z = fours(
    found.map(({ present, row }) => {
      const rows = tf.gather(nodes, row);
      return tf.where(tf.expandDims(present, 1), rows, tf.zerosLike(rows));
    }),
  );
  const y = fours(z.map((line) => lineValue(cz, line)));
  const x = y.map((line) => lineValue(cy, line));
  return { x, y, z };
}

function value({ inputs, attrs }: MonotoneCall): tf.Tensor {
  const { nodes, place } = inputs as unknown as MonotoneInputs;
  const shape = [place.shape[0], attrs.payload];
  if (shape[0] * shape[1] === 0) return tf.zeros(shape);
  const resolved = attrs.rows > 0 ? resolve(inputs as unknown as MonotoneInputs, attrs) : undefined;
  const finite = tf.expandDims(resolved?.finite ?? tf.all(tf.isFinite(place), [1, 2]), 1);
  const out = resolved ? lineValue(resolved.cells[0], linesOf(nodes, resolved).x) : tf.zeros(shape);
  return tf.where(finite, out, tf.fill(shape, Number.NaN));
}

/** Derivatives of ⟨value, values⟩, level by level. */
function backward({ nodes, values }: MonotoneInputs, resolved: Resolved) {
  const { cells, finite } = resolved;
  const { x, y, z } = linesOf(nodes, resolved);
  const s = tf.where(tf.expandDims(finite, 1), values, tf.zerosLike(values));
  const byX = lineGrad(cells[0], x, s);
  const byY = y.map((line, a) => lineGrad(cells[1], line, byX.p[a]));
  const intoZ = byY.flatMap(({ p }) => p);
  const byZ = z.map((line, k) => lineGrad(cells[2], line, intoZ[k]));
  return [[byX], byY, byZ];
}

function splat({ inputs, attrs }: MonotoneCall): tf.Tensor {
  const tensors = inputs as unknown as MonotoneInputs;
  const shape = [attrs.rows, attrs.payload];
  let out: tf.Tensor = tf.zeros(shape);
  if (tensors.values.size === 0 || out.size === 0) return out;
  const resolved = resolve(tensors, attrs);
  const byTap = backward(tensors, resolved)[2].flatMap(({ p }) => p);
  resolved.found.forEach(({ present, row }, k) => {
    const by = tf.where(tf.expandDims(present, 1), byTap[k], tf.zerosLike(byTap[k])) as tf.Tensor2D;
    out = tf.add(out, tf.unsortedSegmentSum(by, row, attrs.rows));
  });
  return out;
}

function placeGrad({ inputs, attrs }: MonotoneCall): tf.Tensor {
  const tensors = inputs as unknown as MonotoneInputs;
  const n = tensors.place.shape[0];
  if (tensors.values.size === 0 || attrs.rows === 0) return tf.zeros([n, 3, 4]);
  const resolved = resolve(tensors, attrs);
  const axes = backward(tensors, resolved).map((lines) => {
    const parts = [0, 1, 2].map((k) =>
      lines.map(({ place }) => tf.sum(place[k], 1)).reduce((sum, x) => tf.add(sum, x)),
    );
    return tf.stack([...parts, tf.zeros([n])], 1);
  });
  const out = tf.stack(axes, 1);
  return tf.where(tf.reshape(resolved.finite, [n, 1, 1]), out, tf.zerosLike(out));
}

/** The three kernels, as functions on tensors. */
export const monotoneComposition = { value, splat, placeGrad };

/** Registers the compositions as the kernels of a backend. */
export function registerMonotoneComposition(backendName: string): void {
  const on =
    (compose: (call: MonotoneCall) => tf.Tensor) =>
    (call: MonotoneCall): tf.TensorInfo =>
      tf.tidy(() => compose(call));
  registerMonotone(backendName, { value: on(value), splat: on(splat), placeGrad: on(placeGrad) });
}
