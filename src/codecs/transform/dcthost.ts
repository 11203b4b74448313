/**
 * The orthonormal DCT-II of both axes on the host, in float64: what an encoder needs. One of n points is a Fourier transform
 * of as many, of the even places forwards and the odd ones backwards:
 *
 *   v_i = x_2i, v_{n−1−i} = x_{2i+1};   X_k = s_k Re(e^{−πik/2n} V_k),   s_0 = √(1/n), s_k = √(2/n)
 *
 * Source: J. Makhoul, "A fast cosine transform in one and two dimensions" (1980).
 */
import { LineTransform, linePlan, rootsOf } from '../../ops/fourierplan.js';
import type { NodeShape } from '../parameters.js';

/** Complex lines that are transformed at once; each is two real ones of one channel. */
const LANES = 8;
const LINES = 2 * LANES;

/** Where the lines along one axis of an array [·, axis, ·] begin, two of a channel after each other; −1 for none. */
function pairsOf(firsts: readonly (readonly number[])[]): Int32Array {
  const starts: number[] = [];
  // Neighbours in memory go together: pairs of all channels, then the next pairs.
  firsts.forEach((channel, c) => {
    channel.forEach((start, i) => {
      starts[2 * ((i >> 1) * firsts.length + c) + (i & 1)] = start;
    });
  });
  return Int32Array.from({ length: LINES * Math.ceil(starts.length / LINES) }, (_, i) => starts[i] ?? -1);
}

/** Lines along rows of [height, width, channels], and along columns. */
const alongRows = (height: number, width: number, channels: number): Int32Array =>
  pairsOf(
    Array.from({ length: channels }, (_, c) =>
      Array.from({ length: height }, (_, y) => y * width * channels + c),
    ),
  );
const alongColumns = (width: number, channels: number): Int32Array =>
  pairsOf(
    Array.from({ length: channels }, (_, c) => Array.from({ length: width }, (_, x) => x * channels + c)),
  );

/** Place in v of x_i. */
const place = (i: number, n: number): number => (i & 1 ? n - 1 - (i >> 1) : i >> 1);

type Numbers = Float32Array | Float64Array;

/** Lines of `n` values `stride` apart. */
interface Lines {
  starts: Int32Array;
  n: number;
  stride: number;
}

/** x → X along lines. `out` may be x. */
function forward(x: Numbers, out: Float64Array, { starts, n, stride }: Lines): void {
  const line = new LineTransform(linePlan(n), LANES);
  const turns = rootsOf(4 * n, n);
  const s0 = Math.sqrt(1 / n) / 2;
  const s = Math.sqrt(2 / n) / 2;
  for (let first = 0; first < starts.length; first += LINES) {
    line.clear();
    // Lines lie beside each other in memory, so place by place goes faster than line by line.
    for (let i = 0; i < n; i++) {
      const to = place(i, n) * LANES;
      const from = i * stride;
      for (let lane = 0; lane < LANES; lane++) {
        const a = starts[first + 2 * lane];
        const b = starts[first + 2 * lane + 1];
        if (a >= 0) line.re[to + lane] = x[a + from];
        if (b >= 0) line.im[to + lane] = x[b + from];
      }
    }
    line.run();
    const { re, im } = line;
    for (let k = 0; k < n; k++) {
      const scale = k === 0 ? s0 : s;
      const c = turns[2 * k] * scale;
      const d = turns[2 * k + 1] * scale;
      const to = k * stride;
      const far = (k === 0 ? 0 : n - 2 * k) * LANES;
      for (let lane = 0, at = k * LANES; lane < LANES; lane++, at++) {
        const a = starts[first + 2 * lane];
        const b = starts[first + 2 * lane + 1];
        const mirror = at + far;
        // What two real lines made one complex line of: its part that is even under conjugation, and the odd one.
        if (a >= 0) out[a + to] = c * (re[at] + re[mirror]) - d * (im[at] - im[mirror]);
        if (b >= 0) out[b + to] = c * (im[at] + im[mirror]) + d * (re[at] - re[mirror]);
      }
    }
  }
}

/** X → x along lines: `n` values each, of which the first `count` coefficients are read at `sources`, `sourceStride` apart. */
function inverse(
  coefficients: Numbers,
  sources: Int32Array,
  sourceStride: number,
  count: number,
  out: Float64Array,
  { starts, n, stride }: Lines,
): void {
  const line = new LineTransform(linePlan(n), LANES);
  const turns = rootsOf(4 * n, n);
  const s0 = Math.sqrt(1 / n);
  const s = Math.sqrt(1 / (2 * n));
  for (let first = 0; first < starts.length; first += LINES) {
    line.clear();
    // V_k takes X_k as it is and V_{n−k} takes −i X_k, each turned by half a place: e^{πi(n−k)/2n} · −i = e^{−πik/2n}.
    // Real and imaginary parts are exchanged, here and below: that makes the transform its inverse.
    const { re, im } = line;
    for (let k = 0; k < count; k++) {
      const scale = k === 0 ? s0 : s;
      const c = turns[2 * k] * scale;
      const d = -turns[2 * k + 1] * scale;
      const from = k * sourceStride;
      const far = (n - 2 * k) * LANES;
      for (let lane = 0, at = k * LANES; lane < LANES; lane++, at++) {
        const a = sources[first + 2 * lane];
        const b = sources[first + 2 * lane + 1];
        const u = a >= 0 ? coefficients[a + from] : 0;
        const v = b >= 0 ? coefficients[b + from] : 0;
        im[at] += c * u - d * v;
        re[at] += d * u + c * v;
        if (k === 0) continue;
        im[at + far] += c * u + d * v;
        re[at + far] += c * v - d * u;
      }
    }
    line.run();
    const { re: second, im: one } = line;
    for (let i = 0; i < n; i++) {
      const to = i * stride;
      const from = place(i, n) * LANES;
      for (let lane = 0; lane < LANES; lane++) {
        const a = starts[first + 2 * lane];
        const b = starts[first + 2 * lane + 1];
        if (a >= 0) out[a + to] = one[from + lane];
        if (b >= 0) out[b + to] = second[from + lane];
      }
    }
  }
}

/** All coefficients [H, W, C] of values [H, W, C]. */
export function cosineForward(values: Float32Array, [height, width, channels]: NodeShape): Float64Array {
  const out = new Float64Array(values.length);
  forward(values, out, { starts: alongRows(height, width, channels), n: width, stride: channels });
  const stride = width * channels;
  forward(out, out, { starts: alongColumns(width, channels), n: height, stride });
  return out;
}

/** Values [H, W, C] of the box [kh, kw, C] of first coefficients, the others 0. */
export function cosineInverse(
  coefficients: Float32Array,
  [kh, kw]: NodeShape,
  [height, width, channels]: NodeShape,
): Float64Array {
  const stride = width * channels;
  const middle = new Float64Array(kh * stride);
  const starts = alongRows(kh, width, channels);
  inverse(coefficients, alongRows(kh, kw, channels), channels, kw, middle, {
    starts,
    n: width,
    stride: channels,
  });
  const out = new Float64Array(height * stride);
  const columns = alongColumns(width, channels);
  inverse(middle, columns, stride, kh, out, { starts: columns, n: height, stride });
  return out;
}
