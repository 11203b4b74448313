/** Gaussian mixtures as the outside knows them: centres, covariances, amplitudes, phases. */
import { ArgumentError, check, shown } from '../../errors.js';
import type { CompressedWavetable } from '../compressed.js';
import { MAX_ELEMENTS } from '../container.js';
import type { HostTensor, NodeShape } from '../parameters.js';
import { SHAPE_SIZE } from './mixture.js';

/** Numbers as nested arrays, or one flat typed array in row-major order. */
type Numbers = Float32Array | Float64Array | readonly number[] | readonly Numbers[];

/**
 * A mixture of N Gaussians in the unit square, x along the width, y along the height; G has the peak 1.
 *   compact form   amplitudes [N]: channel c reads Σ_n A_n · cos(φ_n − cπ/2) · G_n
 *   general form   amplitudes [N, C], phases zero: channel c reads Σ_n A_nc · G_n
 */
export interface GaussianMixtureParams {
  numGaussians: number;
  /** [N], or [N, C] rows. */
  amplitudes: number[] | number[][];
  /** [N, 2]: x, y; parts of the frame. */
  centers: number[][];
  /** [N, 2, 2], symmetric and positive definite; squares of parts of the frame. */
  covariances: number[][][];
  /** [N], in radians. */
  phases: number[];
  /** [H, W] */
  resolution: [height: number, width: number];
  channels: number;
}

const COMPACT_SIZE = SHAPE_SIZE + 2;

/** Of a CompressedWavetable of the Gaussian codec, in float64. @throws ArgumentError for another codec's. */
export function mixtureParamsOf(
  compressed: Pick<CompressedWavetable, 'codec' | 'shape' | 'parameters'>,
): GaussianMixtureParams {
  check(
    compressed?.codec === 'gaussian',
    () =>
      new ArgumentError(
        `gaussian: toParams: must be given what 'gaussian' encoded, got '${shown(compressed?.codec)}'`,
      ),
  );
  const [height, width, channels] = compressed.shape;
  const [[name, { values, shape }]] = Object.entries(compressed.parameters.params);
  const [count, size] = shape;
  const rows = Array.from({ length: count }, (_, k) => [...values.subarray(k * size, (k + 1) * size)]);
  const compact = name === 'compact';
  return {
    numGaussians: count,
    amplitudes: compact ? rows.map((row) => row[5]) : rows.map((row) => row.slice(SHAPE_SIZE)),
    centers: rows.map(([cx, cy]) => [cx, cy]),
    covariances: rows.map(([, , p, q, r]) => {
      // The inverse of LᵀL with L = [[e^p, q], [0, e^r]] is M Mᵀ with M = L⁻¹ = [[e^−p, s], [0, e^−r]].
      const x = Math.exp(-p);
      const y = Math.exp(-r);
      const s = -q * x * y;
      return [
        [x * x + s * s, s * y],
        [s * y, y * y],
      ];
    }),
    phases: compact ? rows.map((row) => row[6]) : rows.map(() => 0),
    resolution: [height, width],
    channels,
  };
}

/** The codec's own array of some params, and the wavetable's shape. @throws ArgumentError that names what is wrong. */
export function componentsOf(
  where: string,
  params: GaussianMixtureParams,
): { shape: NodeShape; name: 'compact' | 'general'; array: HostTensor } {
  const fail = (what: string, got: unknown) => new ArgumentError(`${where}: ${what}, got ${shown(got)}`);
  check(typeof params === 'object' && params !== null, () => fail('params must be an object', params));
  const { numGaussians: count, resolution, channels } = params;
  check(Number.isInteger(count) && count >= 0, () => fail('numGaussians must be an integer ≥ 0', count));
  check(
    Array.isArray(resolution) &&
      resolution.length === 2 &&
      resolution.every((n) => Number.isInteger(n) && n >= 1),
    () => fail('resolution must be [H, W], positive integers', resolution),
  );
  check(Number.isInteger(channels) && channels >= 1, () =>
    fail('channels must be a positive integer', channels),
  );
  const shape: NodeShape = [resolution[0], resolution[1], channels];
  check(resolution[0] * resolution[1] * channels <= MAX_ELEMENTS, () =>
    fail(`the wavetable must have at most ${MAX_ELEMENTS} elements`, shape),
  );
  const numbers = (name: keyof GaussianMixtureParams, each: number): Float64Array => {
    const value = params[name] as Numbers;
    const flat: unknown[] = ArrayBuffer.isView(value)
      ? [...(value as Float64Array)]
      : Array.isArray(value)
        ? value.flat(3)
        : [];
    check(
      flat.length === count * each &&
        flat.every((v) => typeof v === 'number' && Number.isFinite(Math.fround(v))),
      () => fail(`${name} must be ${count * each} numbers, finite in float32`, value),
    );
    return Float64Array.from(flat as number[]);
  };
  const centers = numbers('centers', 2);
  const covariances = numbers('covariances', 4);
  const phases = numbers('phases', 1);
  const { amplitudes } = params;
  const general = Array.isArray(amplitudes)
    ? Array.isArray(amplitudes[0])
    : (amplitudes as Float64Array)?.length !== count;
  const heights = numbers('amplitudes', general ? channels : 1);
  check(!general || phases.every((v) => v === 0), () =>
    fail('phases must be zero where amplitudes are [N, C]', params.phases),
  );
  const size = general ? SHAPE_SIZE + channels : COMPACT_SIZE;
  const values = new Float32Array(count * size);
  for (let k = 0; k < count; k++) {
    const [xx, xy, yx, yy] = covariances.subarray(4 * k, 4 * k + 4);
    const least = xx - (xy * xy) / yy;
    check(Math.abs(xy - yx) <= 1e-6 * Math.sqrt(Math.abs(xx * yy)) && yy > 0 && least > 0, () =>
      fail(`covariances[${k}] must be symmetric and positive definite`, [
        [xx, xy],
        [yx, yy],
      ]),
    );
    // x given y has the variance `least` and the mean cx + (xy / yy) dy.
    const a = 1 / Math.sqrt(least);
    values.set(
      [centers[2 * k], centers[2 * k + 1], Math.log(a), (-a * xy) / yy, -0.5 * Math.log(yy)],
      k * size,
    );
    values.set(
      general ? heights.subarray(k * channels, (k + 1) * channels) : [heights[k], phases[k]],
      k * size + SHAPE_SIZE,
    );
  }
  check(values.every(Number.isFinite), () => fail('covariances must be within float32', params.covariances));
  return { shape, name: general ? 'general' : 'compact', array: { shape: [count, size], values } };
}
