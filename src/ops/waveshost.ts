/** The two kernels of waves.ts on the host in float64: the cpu backend's, and the codecs'. */
import { LineTransform, linePlan } from './fourierplan.js';
import type { AxisTerms, WavesAttrs } from './waves.js';

type Floats = Float32Array | Float64Array;

/** Lines that are transformed at once. */
const LANES = 8;

/** A complex array [rows, columns] in two. */
interface Plane {
  re: Float64Array;
  im: Float64Array;
}

const planeOf = (length: number): Plane => ({ re: new Float64Array(length), im: new Float64Array(length) });

/**
 * One wavetable [H, W, C] at `to` of the spectrum [A, B, 2C] at `from`: rows of waves first, then columns of samples.
 */
function sumOne(
  y: Floats,
  from: number,
  out: Floats,
  to: number,
  { rows, columns }: WavesAttrs,
  channels: number,
): void {
  const width = columns.entries * channels;
  const middle = planeOf(rows.size * width);
  const line = new LineTransform(linePlan(rows.size), LANES);
  for (let first = 0; first < width; first += LANES) {
    const lanes = Math.min(LANES, width - first);
    line.clear();
    let some = false;
    for (let t = 0; t < rows.entry.length; t++) {
      const at = rows.frequency[t] * LANES;
      const [f, g] = [rows.re[t], rows.im[t]];
      for (let k = 0; k < lanes; k++) {
        const b = Math.floor((first + k) / channels);
        const source = from + (rows.entry[t] * columns.entries + b) * 2 * channels + ((first + k) % channels);
        const [u, v] = [y[source], y[source + channels]];
        some ||= u !== 0 || v !== 0;
        // Real and imaginary parts exchanged: the sum runs over e^{+…}.
        line.im[at + k] += u * f - v * g;
        line.re[at + k] += u * g + v * f;
      }
    }
    if (!some) continue;
    line.run();
    for (let i = 0; i < rows.size; i++) {
      for (let k = 0; k < lanes; k++) {
        middle.re[i * width + first + k] = line.im[i * LANES + k];
        middle.im[i * width + first + k] = line.re[i * LANES + k];
      }
    }
  }
  sumColumns(middle, out, to, rows.size, columns, channels);
}

/** Two real lines go as one complex: they are its real and its imaginary part. */
function sumColumns(
  middle: Plane,
  out: Floats,
  to: number,
  height: number,
  columns: AxisTerms,
  channels: number,
): void {
  const { size, entries } = columns;
  const lines = height * channels;
  const line = new LineTransform(linePlan(size), LANES);
  for (let first = 0; first < lines; first += 2 * LANES) {
    line.clear();
    const count = Math.min(2 * LANES, lines - first);
    for (let l = 0; l < count; l++) {
      const row = Math.floor((first + l) / channels);
      const source = row * entries * channels + ((first + l) % channels);
      const k = l % LANES;
      // A real line's waves come with their conjugates, half of each. The second line is times i. All exchanged again.
      const second = l >= LANES;
      for (let t = 0; t < columns.entry.length; t++) {
        const [u, v] = [
          middle.re[source + columns.entry[t] * channels],
          middle.im[source + columns.entry[t] * channels],
        ];
        const re = (u * columns.re[t] - v * columns.im[t]) / 2;
        const im = (u * columns.im[t] + v * columns.re[t]) / 2;
        const f = columns.frequency[t];
        const at = f * LANES + k;
        const mirror = (f === 0 ? 0 : size - f) * LANES + k;
        line.im[at] += second ? -im : re;
        line.re[at] += second ? re : im;
        line.im[mirror] += second ? im : re;
        line.re[mirror] += second ? re : -im;
      }
    }
    line.run();
    for (let l = 0; l < count; l++) {
      const row = Math.floor((first + l) / channels);
      const target = to + row * size * channels + ((first + l) % channels);
      const source = l >= LANES ? line.re : line.im;
      for (let j = 0, k = l % LANES; j < size; j++, k += LANES) out[target + j * channels] = source[k];
    }
  }
}

function analyseOne(
  x: Floats,
  from: number,
  out: Floats,
  to: number,
  { rows, columns }: WavesAttrs,
  channels: number,
): void {
  const width = columns.entries * channels;
  const middle = planeOf(rows.size * width);
  const { size } = columns;
  const lines = rows.size * channels;
  const across = new LineTransform(linePlan(size), LANES);
  for (let first = 0; first < lines; first += 2 * LANES) {
    across.clear();
    const count = Math.min(2 * LANES, lines - first);
    for (let l = 0; l < count; l++) {
      const row = Math.floor((first + l) / channels);
      const source = from + row * size * channels + ((first + l) % channels);
      const target = l >= LANES ? across.im : across.re;
      for (let j = 0, k = l % LANES; j < size; j++, k += LANES) target[k] = x[source + j * channels];
    }
    across.run();
    for (let l = 0; l < count; l++) {
      const row = Math.floor((first + l) / channels);
      const target = row * width + ((first + l) % channels);
      const k = l % LANES;
      for (let t = 0; t < columns.entry.length; t++) {
        const f = columns.frequency[t];
        const at = f * LANES + k;
        const mirror = (f === 0 ? 0 : size - f) * LANES + k;
        const even = [(across.re[at] + across.re[mirror]) / 2, (across.im[at] + across.im[mirror]) / 2];
        const odd = [(across.re[at] - across.re[mirror]) / 2, (across.im[at] - across.im[mirror]) / 2];
        const [u, v] = l >= LANES ? [even[1], -odd[0]] : [even[0], odd[1]];
        const o = target + columns.entry[t] * channels;
        middle.re[o] += u * columns.re[t] + v * columns.im[t];
        middle.im[o] += v * columns.re[t] - u * columns.im[t];
      }
    }
  }
  const down = new LineTransform(linePlan(rows.size), LANES);
  for (let first = 0; first < width; first += LANES) {
    const lanes = Math.min(LANES, width - first);
    down.clear();
    for (let i = 0; i < rows.size; i++) {
      for (let k = 0; k < lanes; k++) {
        down.re[i * LANES + k] = middle.re[i * width + first + k];
        down.im[i * LANES + k] = middle.im[i * width + first + k];
      }
    }
    down.run();
    for (let t = 0; t < rows.entry.length; t++) {
      const at = rows.frequency[t] * LANES;
      const [f, g] = [rows.re[t], rows.im[t]];
      for (let k = 0; k < lanes; k++) {
        const b = Math.floor((first + k) / channels);
        const target = to + (rows.entry[t] * columns.entries + b) * 2 * channels + ((first + k) % channels);
        const [u, v] = [down.re[at + k], down.im[at + k]];
        out[target] += u * f + v * g;
        out[target + channels] += v * f - u * g;
      }
    }
  }
}

/** WavecubeWaves: y [N, A, B, 2C] → out [N, H, W, C]. */
export function sumWaves(y: Floats, out: Floats, count: number, attrs: WavesAttrs, channels: number): void {
  const { rows, columns } = attrs;
  const spectrum = 2 * rows.entries * columns.entries * channels;
  const samples = rows.size * columns.size * channels;
  for (let n = 0; n < count; n++) sumOne(y, n * spectrum, out, n * samples, attrs, channels);
}

/** WavecubeWavesAdjoint: x [N, H, W, C] → out [N, A, B, 2C], which must hold zeros. */
export function analyseWaves(
  x: Floats,
  out: Floats,
  count: number,
  attrs: WavesAttrs,
  channels: number,
): void {
  const { rows, columns } = attrs;
  const spectrum = 2 * rows.entries * columns.entries * channels;
  const samples = rows.size * columns.size * channels;
  for (let n = 0; n < count; n++) analyseOne(x, n * samples, out, n * spectrum, attrs, channels);
}
