/**
 * Fourier transforms at any length and any period. Recorded cycles are not whole numbers of samples long, so the
 * spectrum of one is evaluated at the multiples of its own frequency by the chirp z-transform (Bluestein 1970;
 * Rabiner, Schafer & Rader 1969), exactly, without resampling the sound first.
 */
import FFT from 'fft.js';

const plans = new Map<number, FFT>();

function plan(size: number): FFT {
  let fft = plans.get(size);
  if (!fft) plans.set(size, (fft = new FFT(size)));
  return fft;
}

/** The least power of two ≥ n, at least 2. */
export function powerOfTwo(n: number): number {
  let size = 2;
  while (size < n) size *= 2;
  return size;
}

/**
 * Power of a real signal's spectrum.
 * @param samples real, windowed already; its length must be a power of two.
 * @returns |X|² of bins 0 … N/2, Float64Array [N/2 + 1].
 */
export function powerSpectrum(samples: Float64Array): Float64Array {
  const fft = plan(samples.length);
  const out = new Float64Array(2 * samples.length);
  fft.realTransform(out, samples);
  const power = new Float64Array(samples.length / 2 + 1);
  for (let k = 0; k < power.length; k++) power[k] = out[2 * k] ** 2 + out[2 * k + 1] ** 2;
  return power;
}

/** A spectrum on the harmonics 0 … count − 1 of a period: x(φ) = Σ_k re_k cos 2πkφ + im_k sin 2πkφ, φ in cycles. */
export interface Harmonics {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/**
 * Σ_t x[t] · exp(−2πi·k·t/period) for k = 0 … count − 1, at any real period.
 * @param samples real, [N].
 * @param period in samples, > 0; need not be whole.
 */
export function chirpZ(samples: ArrayLike<number>, period: number, count: number): Harmonics {
  const n = samples.length;
  const fft = plan(powerOfTwo(n + count - 1));
  const { size } = fft;
  // k·t = (k² + t² − (k − t)²) / 2. The squares are reduced by the chirp's own period before they meet π.
  const chirp = (j: number): number => (Math.PI * ((j * j) % (2 * period))) / period;
  const a = new Float64Array(2 * size);
  const b = new Float64Array(2 * size);
  for (let t = 0; t < n; t++) {
    const phase = chirp(t);
    a[2 * t] = samples[t] * Math.cos(phase);
    a[2 * t + 1] = -samples[t] * Math.sin(phase);
  }
  for (let j = 1 - n; j < count; j++) {
    const phase = chirp(j);
    const at = 2 * (j < 0 ? j + size : j);
    b[at] = Math.cos(phase);
    b[at + 1] = Math.sin(phase);
  }
  const A = new Float64Array(2 * size);
  const B = new Float64Array(2 * size);
  fft.transform(A, a);
  fft.transform(B, b);
  for (let i = 0; i < 2 * size; i += 2) {
    const re = A[i] * B[i] - A[i + 1] * B[i + 1];
    A[i + 1] = A[i] * B[i + 1] + A[i + 1] * B[i];
    A[i] = re;
  }
  fft.inverseTransform(a, A);
  const re = new Float64Array(count);
  const im = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    const phase = chirp(k);
    const [cos, sin] = [Math.cos(phase), Math.sin(phase)];
    re[k] = a[2 * k] * cos + a[2 * k + 1] * sin;
    im[k] = a[2 * k + 1] * cos - a[2 * k] * sin;
  }
  return { re, im };
}

function realSpectrum(samples: ArrayLike<number>): Harmonics {
  const out = new Float64Array(2 * samples.length);
  plan(samples.length).realTransform(out, samples);
  const re = Float64Array.from({ length: samples.length / 2 }, (_, k) => out[2 * k]);
  return { re, im: re.map((_, k) => out[2 * k + 1]) };
}

/**
 * The harmonics of one whole cycle, whose samples lie at phases (i + ½)/N.
 * @param cycle [N], any N ≥ 1.
 * @returns harmonics 0 … ⌈N/2⌉ − 1: all below the cycle's Nyquist.
 */
export function harmonicsOfCycle(cycle: ArrayLike<number>): Harmonics {
  const n = cycle.length;
  const { re, im } = n >= 2 && powerOfTwo(n) === n ? realSpectrum(cycle) : chirpZ(cycle, n, Math.ceil(n / 2));
  for (let k = 0; k < re.length; k++) {
    // exp(−πik/N) moves from sample edges to half-pixel centres; the sign of im makes it the sine's factor.
    const [cos, sin] = [Math.cos((Math.PI * k) / n), Math.sin((Math.PI * k) / n)];
    const scale = k === 0 ? 1 / n : 2 / n;
    const real = (re[k] * cos + im[k] * sin) * scale;
    im[k] = -(im[k] * cos - re[k] * sin) * scale;
    re[k] = real;
  }
  return { re, im };
}

/**
 * One cycle from its harmonics, sampled at phases (i + ½)/size. Harmonics at or above size/2 are left out, never
 * folded.
 * @param size a power of two, ≥ 2.
 * @returns Float32Array [size].
 */
export function cycleFromHarmonics({ re, im }: Harmonics, size: number): Float32Array {
  const fft = plan(size);
  const spectrum = new Float64Array(2 * size);
  for (let k = 0; k < Math.min(re.length, size / 2); k++) {
    const [cos, sin] = [Math.cos((Math.PI * k) / size), Math.sin((Math.PI * k) / size)];
    const half = k === 0 ? 1 : 0.5;
    // (re − i·im)/2 · exp(iπk/size), and its conjugate in the upper half.
    spectrum[2 * k] = half * size * (re[k] * cos + im[k] * sin);
    spectrum[2 * k + 1] = half * size * (re[k] * sin - im[k] * cos);
    if (k > 0) {
      spectrum[2 * (size - k)] = spectrum[2 * k];
      spectrum[2 * (size - k) + 1] = -spectrum[2 * k + 1];
    }
  }
  const out = new Float64Array(2 * size);
  fft.inverseTransform(out, spectrum);
  return Float32Array.from({ length: size }, (_, i) => out[2 * i]);
}

/**
 * A cycle at another length, band-limited: every harmonic both lengths can carry is kept, the rest is gone.
 * @param cycle [N], any N ≥ 1, periodic, samples at phases (i + ½)/N.
 * @param size a power of two.
 * @returns Float32Array [size].
 */
export function resampleCycle(cycle: ArrayLike<number>, size: number): Float32Array {
  return cycleFromHarmonics(harmonicsOfCycle(cycle), size);
}
