/**
 * WavecubeMonotone and its gradients (ops/monotonecontract.ts) with float64 arithmetic, rounded to float32 once at the end: the
 * reference for every other backend.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import { MonotoneCell } from '../../interpolation/monotone.js';
import { unpackRow } from '../../ops/half.js';
import { type MonotoneCall, OPEN, registerMonotone } from '../../ops/monotonecontract.js';
import { type CpuBackend, valuesOf } from './tfjs.js';

/** The 64 taps of one sample after another, and the interpolation of one element of them after another. */
class Block {
  readonly x = new MonotoneCell();
  readonly y = new MonotoneCell();
  readonly z = new MonotoneCell();
  readonly n: number;
  readonly payload: number;
  /** Row of tap (a, b, c) at 16a + 4b + c; −1 stands for zeros. */
  readonly row = new Int32Array(64);
  /** Derivatives of the last element by its taps. */
  readonly byTap = new Float64Array(64);
  private readonly tap = new Int32Array(12);
  private readonly taps: Int32Array;
  private readonly place: Float32Array;
  private readonly grid: Int32Array;
  private readonly data: Float32Array | Int32Array;
  /** Rows of halves unpacked, tap k at k · F. */
  private readonly unpacked: Float32Array;
  private readonly p = new Float64Array(64);
  private readonly alongZ = new Float64Array(16);
  private readonly alongY = new Float64Array(4);
  private readonly byX = new Float64Array(4);
  private readonly byY = new Float64Array(4);
  private readonly byZ = new Float64Array(4);

  constructor(private readonly call: MonotoneCall) {
    const { inputs, attrs } = call;
    const backend = call.backend as CpuBackend;
    this.n = inputs.place.shape[0];
    this.payload = attrs.payload;
    this.taps = valuesOf(backend, inputs.taps) as Int32Array;
    this.place = valuesOf(backend, inputs.place) as Float32Array;
    this.grid = valuesOf(backend, inputs.grid) as Int32Array;
    this.data = valuesOf(backend, inputs.nodes);
    this.unpacked = new Float32Array(attrs.half ? 64 * attrs.payload : 0);
  }

  /** Moves to sample i; false, and nothing else, where its place is not finite. */
  moveTo(i: number): boolean {
    const { place, taps, tap, grid, row, payload, call } = this;
    const { boundary, rows, half } = call.attrs;
    const at = 12 * i;
    for (let k = at; k < at + 12; k++) if (!Number.isFinite(place[k])) return false;
    for (let k = 0; k < 12; k++) tap[k] = taps[at + k];
    const cells = [this.x, this.y, this.z];
    for (let j = 0; j < 3; j++) {
      const open = boundary[j] === OPEN;
      const p = at + 4 * j;
      cells[j].set(place[p], place[p + 1], place[p + 2], open && tap[4 * j] < 0, open && tap[4 * j + 3] < 0);
      if (open && tap[4 * j + 2] < 0) tap[4 * j + 2] = tap[4 * j + 1];
    }
    const [, ny, nz] = call.inputs.grid.shape;
    for (let k = 0; k < 64; k++) {
      const x = tap[k >> 4];
      const y = tap[4 + ((k >> 2) & 3)];
      const z = tap[8 + (k & 3)];
      const r = rows === 0 || (x | y | z) < 0 ? -1 : grid[(x * ny + y) * nz + z];
      row[k] = r < rows ? r : -1;
      if (half && row[k] >= 0) unpackRow(this.data as Int32Array, r, payload, this.unpacked, k * payload);
    }
    return true;
  }

  /** The interpolant of element f of the sample. */
  value(f: number): number {
    const { p, alongZ, alongY, row, payload, x, y, z } = this;
    const half = this.call.attrs.half;
    const data = half ? this.unpacked : this.data;
    for (let k = 0; k < 64; k++) p[k] = row[k] < 0 ? 0 : data[(half ? k : row[k]) * payload + f];
    for (let k = 0; k < 16; k++) alongZ[k] = z.value(p[4 * k], p[4 * k + 1], p[4 * k + 2], p[4 * k + 3]);
    for (let k = 0; k < 4; k++) {
      alongY[k] = y.value(alongZ[4 * k], alongZ[4 * k + 1], alongZ[4 * k + 2], alongZ[4 * k + 3]);
    }
    return x.value(alongY[0], alongY[1], alongY[2], alongY[3]);
  }

  /** After `value`: derivatives times s, by the taps into `byTap`, by the place added to the cells' sums. */
  backward(s: number): void {
    const { p, alongZ, alongY, byX, byY, byZ, byTap, x, y, z } = this;
    x.backward(alongY[0], alongY[1], alongY[2], alongY[3], s, byX);
    for (let a = 0; a < 4; a++) {
      const q = 4 * a;
      y.backward(alongZ[q], alongZ[q + 1], alongZ[q + 2], alongZ[q + 3], byX[a], byY);
      for (let b = 0; b < 4; b++) {
        const k = 4 * (q + b);
        z.backward(p[k], p[k + 1], p[k + 2], p[k + 3], byY[b], byZ);
        byTap.set(byZ, k);
      }
    }
  }
}

const result = (call: MonotoneCall, shape: number[], out: Float32Array): TensorInfo =>
  (call.backend as CpuBackend).makeTensorInfo(shape, 'float32', out);

const valuesIn = (call: MonotoneCall): Float32Array =>
  valuesOf(call.backend as CpuBackend, call.inputs.values) as Float32Array;

function value(call: MonotoneCall): TensorInfo {
  const block = new Block(call);
  const { n, payload } = block;
  const out = new Float32Array(n * payload);
  for (let i = 0; i < n; i++) {
    const o = i * payload;
    if (!block.moveTo(i)) out.fill(Number.NaN, o, o + payload);
    else for (let f = 0; f < payload; f++) out[o + f] = block.value(f);
  }
  return result(call, [n, payload], out);
}

function splat(call: MonotoneCall): TensorInfo {
  const block = new Block(call);
  const { n, payload, row, byTap } = block;
  const values = valuesIn(call);
  const sums = new Float64Array(call.attrs.rows * payload);
  for (let i = 0; i < n; i++) {
    if (!block.moveTo(i)) continue;
    for (let f = 0; f < payload; f++) {
      block.value(f);
      block.backward(values[i * payload + f]);
      for (let k = 0; k < 64; k++) if (row[k] >= 0) sums[row[k] * payload + f] += byTap[k];
    }
  }
  return result(call, [call.attrs.rows, payload], Float32Array.from(sums));
}

function placeGrad(call: MonotoneCall): TensorInfo {
  const block = new Block(call);
  const { n, payload } = block;
  const values = valuesIn(call);
  const out = new Float32Array(12 * n);
  for (let i = 0; i < n; i++) {
    if (!block.moveTo(i)) continue;
    const cells = [block.x, block.y, block.z];
    for (const cell of cells) cell.byFraction = cell.byBelow = cell.byAbove = 0;
    for (let f = 0; f < payload; f++) {
      block.value(f);
      block.backward(values[i * payload + f]);
    }
    for (let j = 0; j < 3; j++) {
      out.set([cells[j].byFraction, cells[j].byBelow, cells[j].byAbove], 12 * i + 4 * j);
    }
  }
  return result(call, [n, 3, 4], out);
}

export function registerCpuMonotone(): void {
  registerMonotone('cpu', { value, splat, placeGrad });
}
