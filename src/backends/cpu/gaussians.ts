/**
 * WavecubeGaussians and its gradient (ops/gaussianscontract.ts) in float64, rounded once at the end: the reference for
 * every other backend.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import {
  CUT_SQUARED,
  type GaussianJob,
  MOST_LOG_SCALE,
  registerGaussians,
  SHAPE_PARAMETERS,
} from '../../ops/gaussianscontract.js';
import { type CpuBackend, valuesOf } from './tfjs.js';

/** Pixels along which exp is continued by products; their roundings stay below 1e-12 of a value. */
const RUN = 64;

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** One component after another, in units of pixels. */
class Component {
  /** e^p, q, e^r in units of the frame. */
  ep = 0;
  q = 0;
  er = 0;
  /** First and last row within the cut. */
  top = 0;
  bottom = -1;
  /** Of the current row: dy, v, and first and last column within the cut. */
  dy = 0;
  v = 0;
  left = 0;
  right = -1;
  private cx = 0;
  private cy = 0;
  /** Where u = 0 on the current row. */
  private centre = 0;

  constructor(
    private readonly height: number,
    private readonly width: number,
  ) {}

  moveTo(at: ArrayLike<number>, first: number): void {
    this.cx = at[first];
    this.cy = at[first + 1];
    this.ep = Math.exp(clamp(at[first + 2], -MOST_LOG_SCALE, MOST_LOG_SCALE));
    this.q = at[first + 3];
    this.er = Math.exp(clamp(at[first + 4], -MOST_LOG_SCALE, MOST_LOG_SCALE));
    const reach = Math.sqrt(CUT_SQUARED) / this.er;
    this.top = Math.max(Math.ceil((this.cy - reach) * this.height - 0.5), 0);
    this.bottom = Math.min(Math.floor((this.cy + reach) * this.height - 0.5), this.height - 1);
  }

  row(i: number): void {
    this.dy = (i + 0.5) / this.height - this.cy;
    this.v = this.er * this.dy;
    const reach = Math.sqrt(Math.max(CUT_SQUARED - this.v * this.v, 0)) / this.ep;
    this.centre = this.cx - (this.q * this.dy) / this.ep;
    this.left = Math.max(Math.ceil((this.centre - reach) * this.width - 0.5), 0);
    this.right = Math.min(Math.floor((this.centre + reach) * this.width - 0.5), this.width - 1);
  }

  /** u of a column of the current row: from its zero, as e^p dx and q dy may be large and cancel. */
  u(j: number): number {
    return this.ep * ((j + 0.5) / this.width - this.centre);
  }
}

const allFinite = (x: ArrayLike<number>, first: number, parameters: number): boolean => {
  for (let k = 0; k < parameters; k++) if (!Number.isFinite(x[first + k])) return false;
  return true;
};

function hasAmplitude(x: ArrayLike<number>, first: number, parameters: number): boolean {
  for (let k = SHAPE_PARAMETERS; k < parameters; k++) if (x[first + k] !== 0) return true;
  return false;
}

/** Calls back with g at every column of the component's row that is within the cut. */
function eachColumn(c: Component, step: number, body: (j: number, g: number, u: number) => void): void {
  const { left, right, v } = c;
  // g_{j+1} = g_j · ratio_j and ratio_{j+1} = ratio_j · bend, as log g is a parabola.
  const bend = Math.exp(-step * step);
  for (let from = left; from <= right; from += RUN) {
    const u0 = c.u(from);
    let g = Math.exp(-0.5 * (u0 * u0 + v * v));
    let ratio = Math.exp(-step * (u0 + 0.5 * step));
    const end = Math.min(from + RUN - 1, right);
    for (let j = from; j <= end; j++) {
      body(j, g, u0 + (j - from) * step);
      g *= ratio;
      ratio *= bend;
    }
  }
}

function image(job: GaussianJob, components: Float32Array, n: number, sums: Float64Array): void {
  const { count, channels, height, width } = job;
  const parameters = SHAPE_PARAMETERS + channels;
  const c = new Component(height, width);
  sums.fill(0);
  for (let m = 0; m < count; m++) {
    const first = (n * count + m) * parameters;
    if (!hasAmplitude(components, first, parameters)) continue;
    if (!allFinite(components, first, parameters)) {
      sums.fill(Number.NaN);
      return;
    }
    c.moveTo(components, first);
    for (let i = c.top; i <= c.bottom; i++) {
      c.row(i);
      eachColumn(c, c.ep / width, (j, g) => {
        const at = (i * width + j) * channels;
        for (let k = 0; k < channels; k++) sums[at + k] += g * components[first + SHAPE_PARAMETERS + k];
      });
    }
  }
}

function value(job: GaussianJob, components: Float32Array): Float32Array {
  const size = job.height * job.width * job.channels;
  const out = new Float32Array(job.images * size);
  const sums = new Float64Array(size);
  for (let n = 0; n < job.images; n++) {
    image(job, components, n, sums);
    out.set(sums, n * size);
  }
  return out;
}

function componentGrad(
  job: GaussianJob,
  c: Component,
  x: Float32Array,
  first: number,
  dy: Float32Array,
  pixels: number,
  sums: Float64Array,
): void {
  const { channels, width } = job;
  const { ep, q, er } = c;
  sums.fill(0);
  for (let i = c.top; i <= c.bottom; i++) {
    c.row(i);
    let w0 = 0;
    let w1 = 0;
    let w2 = 0;
    eachColumn(c, ep / width, (j, g, u) => {
      const at = pixels + (i * width + j) * channels;
      let dot = 0;
      for (let k = 0; k < channels; k++) {
        dot += x[first + SHAPE_PARAMETERS + k] * dy[at + k];
        sums[SHAPE_PARAMETERS + k] += g * dy[at + k];
      }
      const w = g * dot;
      w0 += w;
      w1 += w * u;
      w2 += w * u * u;
    });
    sums[0] += ep * w1;
    sums[1] += q * w1 + er * c.v * w0;
    sums[2] -= w2 - q * c.dy * w1;
    sums[3] -= c.dy * w1;
    sums[4] -= c.v * c.v * w0;
  }
  for (const k of [2, 4]) if (Math.abs(x[first + k]) > MOST_LOG_SCALE) sums[k] = 0;
}

function grad(job: GaussianJob, components: Float32Array, dy: Float32Array): Float32Array {
  const { images, count, channels, height, width } = job;
  const parameters = SHAPE_PARAMETERS + channels;
  const out = new Float32Array(images * count * parameters);
  const c = new Component(height, width);
  const sums = new Float64Array(parameters);
  for (let t = 0; t < images * count; t++) {
    const first = t * parameters;
    if (!allFinite(components, first, parameters)) continue;
    c.moveTo(components, first);
    const n = Math.floor(t / count);
    componentGrad(job, c, components, first, dy, n * height * width * channels, sums);
    out.set(sums, first);
  }
  return out;
}

export function registerCpuGaussians(): void {
  const floats = (backend: unknown, x: TensorInfo) => valuesOf(backend as CpuBackend, x) as Float32Array;
  registerGaussians('cpu', {
    value(backend, job, components) {
      const out = value(job, floats(backend, components));
      const shape = [job.images, job.height, job.width, job.channels];
      return (backend as CpuBackend).makeTensorInfo(shape, 'float32', out);
    },
    grad(backend, job, components, dy) {
      const out = grad(job, floats(backend, components), floats(backend, dy));
      return (backend as CpuBackend).makeTensorInfo(components.shape, 'float32', out);
    },
  });
}
