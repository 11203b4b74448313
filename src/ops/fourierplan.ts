/**
 * How a line of n complex values is transformed: Stockham's passes of radix 4, 2, 3, 5 and primes up to 31; a length
 * with a larger prime goes as a convolution of a length without one.
 *
 *   pass of radix r, n′ = r·m, s = n/n′:   y[q + s(rp + j)] = w^{pj} Σ_l x[q + s(p + lm)] e^{−2πi jl/r},
 *                                          w = e^{−2πi/n′}, p < m, q < s, j < r; then n′ becomes m
 *   chirp c_k = e^{−πi k²/n}:              X_k = c_k Σ_l (x_l c_l) c̄_{k−l}
 *
 * Sources: C. Van Loan, "Computational Frameworks for the Fast Fourier Transform" (1992), chapters 1.7 and 2; L. Bluestein,
 * "A linear filtering approach to the computation of discrete Fourier transform" (1970).
 */
import { Kept } from './kept.js';

export interface LinePlan {
  /** n: values of a line. */
  readonly size: number;
  /** Values of the passes: n, or the length of the convolution. */
  readonly points: number;
  /** Their product is `points`. */
  readonly radices: readonly number[];
  /** e^{−2πi k/points}, k < points, as pairs. */
  readonly roots: Float64Array;
  /** c_k, k < n, as pairs; null where n is made of the radices. */
  readonly chirp: Float64Array | null;
  /** The transform of c̄ over `points`, over `points`, as pairs; null where chirp is. */
  readonly response: Float64Array | null;
}

/** Primes above go as a convolution: a pass of radix r costs r multiplications a value. */
const LARGEST_RADIX = 31;

/** The radices whose product is n; null where one would be larger than `largest`. */
export function radicesOf(n: number, largest = LARGEST_RADIX): number[] | null {
  const out: number[] = [];
  for (const r of [4, 2, 3, 5]) {
    while (n % r === 0) {
      out.push(r);
      n /= r;
    }
  }
  for (let r = 7; n > 1; r += 2) {
    if (r * r > n) r = n;
    if (r > largest) return null;
    while (n % r === 0) {
      out.push(r);
      n /= r;
    }
  }
  return out;
}

/** e^{−2πi · numerator / n} for whole numerators, each reduced to an eighth of the circle, where sin and cos are most exact. */
function root(numerator: number, n: number): [number, number] {
  const k = ((numerator % n) + n) % n;
  // Quarter turns off, then reflected about an eighth.
  const quarter = Math.floor((4 * k) / n);
  const rest = 4 * k - quarter * n;
  const angle = (Math.PI / 2) * (Math.min(rest, n - rest) / n);
  const near = Math.cos(angle);
  const off = Math.sin(angle);
  const [c, s] = 2 * rest <= n ? [near, off] : [off, near];
  return (
    [
      [c, -s],
      [-s, -c],
      [-c, s],
      [s, c],
    ] as [number, number][]
  )[quarter];
}

/** e^{−2πi k/n} for k < count, as pairs. */
export function rootsOf(n: number, count = n): Float64Array {
  const out = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) out.set(root(k, n), 2 * k);
  return out;
}

/** The smallest length ≥ `least` of radices 2, 3 and 5. */
function smoothLength(least: number): number {
  for (let n = least; ; n++) if (radicesOf(n, 5)) return n;
}

function make(n: number): LinePlan {
  const radices = radicesOf(n);
  if (radices) return { size: n, points: n, radices, roots: rootsOf(n), chirp: null, response: null };
  const points = smoothLength(2 * n - 1);
  const plan = linePlan(points);
  const chirp = new Float64Array(2 * n);
  for (let k = 0; k < n; k++) chirp.set(root((k * k) % (2 * n), 2 * n), 2 * k);
  const re = new Float64Array(points);
  const im = new Float64Array(points);
  for (let k = 0; k < n; k++) {
    re[k] = re[(points - k) % points] = chirp[2 * k] / points;
    im[k] = im[(points - k) % points] = -chirp[2 * k + 1] / points;
  }
  const line = new LineTransform(plan, 1);
  line.re.set(re);
  line.im.set(im);
  line.run();
  const response = new Float64Array(2 * points);
  for (let k = 0; k < points; k++) {
    response[2 * k] = line.re[k];
    response[2 * k + 1] = line.im[k];
  }
  return { size: n, points, radices: plan.radices, roots: plan.roots, chirp, response };
}

/** With the floats that wasm makes of a plan. */
const plans = new Kept<LinePlan>(
  ({ roots, chirp, response }) =>
    1.5 * (roots.byteLength + (chirp?.byteLength ?? 0) + (response?.byteLength ?? 0)),
);

/** The plan of n ≥ 1, from the ones last used. */
export const linePlan = (n: number): LinePlan => plans.get(n, () => make(n));

/** Transforms `lanes` lines at once, in float64. Value k of lane j stands at k · lanes + j. */
export class LineTransform {
  /** [points, lanes]: what is to be transformed, its first `size` values; after run() the result. Other arrays after each run. */
  re: Float64Array;
  im: Float64Array;
  #re2: Float64Array;
  #im2: Float64Array;

  constructor(
    readonly plan: LinePlan,
    readonly lanes: number,
  ) {
    const length = plan.points * lanes;
    this.re = new Float64Array(length);
    this.im = new Float64Array(length);
    this.#re2 = new Float64Array(length);
    this.#im2 = new Float64Array(length);
  }

  clear(): void {
    this.re.fill(0);
    this.im.fill(0);
  }

  /** X_k = Σ_j x_j e^{−2πi jk/n}. */
  run(): void {
    const { chirp, response, size, points } = this.plan;
    if (!chirp || !response) {
      this.#passes();
      return;
    }
    this.#times(chirp, size);
    this.re.fill(0, size * this.lanes);
    this.im.fill(0, size * this.lanes);
    this.#passes();
    this.#times(response, points);
    this.#turn();
    this.#passes();
    this.#turn();
    this.#times(chirp, size);
  }

  /** Exchanged before and after, real and imaginary parts make of a transform its inverse. */
  #turn(): void {
    [this.re, this.im] = [this.im, this.re];
  }

  #times(factors: Float64Array, count: number): void {
    const { re, im, lanes } = this;
    for (let k = 0, at = 0; k < count; k++) {
      const c = factors[2 * k];
      const s = factors[2 * k + 1];
      for (const end = at + lanes; at < end; at++) {
        const a = re[at];
        re[at] = a * c - im[at] * s;
        im[at] = a * s + im[at] * c;
      }
    }
  }

  #passes(): void {
    let m = this.plan.points;
    let s = 1;
    for (const r of this.plan.radices) {
      m /= r;
      if (r === 4) this.#pass4(m, s);
      else if (r === 2) this.#pass2(m, s);
      else this.#pass(r, m, s);
      s *= r;
      [this.re, this.#re2] = [this.#re2, this.re];
      [this.im, this.#im2] = [this.#im2, this.im];
    }
  }

  #pass2(m: number, s: number): void {
    const { re, im, lanes } = this;
    const { roots } = this.plan;
    const [outRe, outIm] = [this.#re2, this.#im2];
    const run = s * lanes;
    const far = m * run;
    for (let p = 0; p < m; p++) {
      const c = roots[2 * s * p];
      const d = roots[2 * s * p + 1];
      for (let a = p * run, end = a + run, o = 2 * p * run; a < end; a++, o++) {
        const x = re[a] - re[a + far];
        const y = im[a] - im[a + far];
        outRe[o] = re[a] + re[a + far];
        outIm[o] = im[a] + im[a + far];
        outRe[o + run] = x * c - y * d;
        outIm[o + run] = x * d + y * c;
      }
    }
  }

  #pass4(m: number, s: number): void {
    const { re, im, lanes } = this;
    const { roots } = this.plan;
    const [outRe, outIm] = [this.#re2, this.#im2];
    const run = s * lanes;
    const far = m * run;
    for (let p = 0; p < m; p++) {
      const at = 2 * s * p;
      const [c1, d1] = [roots[at], roots[at + 1]];
      const [c2, d2] = [roots[2 * at], roots[2 * at + 1]];
      const [c3, d3] = [roots[3 * at], roots[3 * at + 1]];
      for (let a = p * run, end = a + run, o = 4 * p * run; a < end; a++, o++) {
        const e = re[a] + re[a + 2 * far];
        const f = im[a] + im[a + 2 * far];
        const g = re[a] - re[a + 2 * far];
        const h = im[a] - im[a + 2 * far];
        const u = re[a + far] + re[a + 3 * far];
        const v = im[a + far] + im[a + 3 * far];
        const w = re[a + far] - re[a + 3 * far];
        const z = im[a + far] - im[a + 3 * far];
        outRe[o] = e + u;
        outIm[o] = f + v;
        // (g + hi) − i (w + zi), and with the other sign below.
        const [x1, y1] = [g + z, h - w];
        outRe[o + run] = x1 * c1 - y1 * d1;
        outIm[o + run] = x1 * d1 + y1 * c1;
        const [x2, y2] = [e - u, f - v];
        outRe[o + 2 * run] = x2 * c2 - y2 * d2;
        outIm[o + 2 * run] = x2 * d2 + y2 * c2;
        const [x3, y3] = [g - z, h + w];
        outRe[o + 3 * run] = x3 * c3 - y3 * d3;
        outIm[o + 3 * run] = x3 * d3 + y3 * c3;
      }
    }
  }

  #pass(r: number, m: number, s: number): void {
    const { re, im, lanes } = this;
    const { roots, points } = this.plan;
    const [outRe, outIm] = [this.#re2, this.#im2];
    const run = s * lanes;
    const far = m * run;
    for (let p = 0; p < m; p++) {
      for (let j = 0; j < r; j++) {
        const o = (r * p + j) * run;
        // w^{pj} e^{−2πi jl/r} is the root s·j·(p + lm) of all points.
        for (let l = 0; l < r; l++) {
          const k = 2 * ((s * j * (p + l * m)) % points);
          const c = roots[k];
          const d = roots[k + 1];
          const a = p * run + l * far;
          for (let q = 0; q < run; q++) {
            const x = re[a + q] * c - im[a + q] * d;
            const y = re[a + q] * d + im[a + q] * c;
            outRe[o + q] = l === 0 ? x : outRe[o + q] + x;
            outIm[o + q] = l === 0 ? y : outIm[o + q] + y;
          }
        }
      }
    }
  }
}
