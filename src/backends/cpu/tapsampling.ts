/**
 * WavecubeTaps, its adjoint, its gradient by the weights, and their tangents (ops/tapscontract.ts) in plain typed-array loops
 * with float64 arithmetic, rounded to float32 once at the end: the reference for every other backend.
 */
import { unpackRow } from '../../ops/half.js';
import type { TapsAttrs } from '../../ops/tapscontract.js';
import type { Nodes } from './job.js';

export interface TapJob {
  taps: Int32Array;
  weights: Float32Array;
  /** A direction in the space of weights, or null for the value kernels. */
  tangent: Float32Array | null;
  grid: Int32Array;
  dims: number[];
  attrs: TapsAttrs;
  /** Samples. */
  n: number;
}

/** The 64 taps of one sample after another: those whose nodes are there and in the page. */
class Cells {
  count = 0;
  /** Row in the page of a tap, and its slots (x, y, z) in two bits each. */
  readonly row = new Int32Array(64);
  readonly slots = new Int32Array(64);
  /** w, or D_h w where the job has a tangent. */
  readonly weight = new Float64Array(64);

  constructor(private readonly job: TapJob) {}

  /** Moves to sample i; false, and nothing else, where a weight of it is NaN. */
  moveTo(i: number): boolean {
    const { taps, weights, tangent, grid, dims, attrs } = this.job;
    const at = 12 * i;
    let sum = 0;
    for (let k = at; k < at + 12; k++) sum += weights[k];
    if (Number.isNaN(sum)) return false;
    let m = 0;
    for (let a = 0; a < 4 && attrs.rows > 0; a++) {
      const x = taps[at + a];
      if (x < 0) continue;
      for (let b = 0; b < 4; b++) {
        const y = taps[at + 4 + b];
        if (y < 0) continue;
        for (let c = 0; c < 4; c++) {
          const z = taps[at + 8 + c];
          if (z < 0) continue;
          const row = grid[(x * dims[1] + y) * dims[2] + z] - attrs.firstRow;
          if (row < 0 || row >= attrs.rows) continue;
          const u = weights[at + a];
          const v = weights[at + 4 + b];
          const w = weights[at + 8 + c];
          this.row[m] = row;
          this.slots[m] = (a << 4) | (b << 2) | c;
          this.weight[m] = tangent
            ? tangent[at + a] * v * w + u * tangent[at + 4 + b] * w + u * v * tangent[at + 8 + c]
            : u * v * w;
          m++;
        }
      }
    }
    this.count = m;
    return true;
  }
}

/** The page's rows as floats, halves unpacked one at a time. */
class Rows {
  readonly data: Float32Array;

  constructor(
    private readonly nodes: Nodes,
    private readonly payload: number,
  ) {
    this.data = nodes.half ? new Float32Array(payload) : nodes.data;
  }

  /** The offset of a row in `data`. */
  at(row: number): number {
    const { nodes, payload } = this;
    if (!nodes.half) return row * payload;
    unpackRow(nodes.data, row, payload, this.data, 0);
    return 0;
  }
}

/** out [N, F]. */
export function sampleTaps(job: TapJob, nodes: Nodes, out: Float32Array): void {
  const { payload } = job.attrs;
  const cells = new Cells(job);
  const rows = new Rows(nodes, payload);
  const { data } = rows;
  const sums = new Float64Array(payload);
  for (let i = 0; i < job.n; i++) {
    const o = i * payload;
    if (!cells.moveTo(i)) {
      if (!job.tangent) out.fill(Number.NaN, o, o + payload);
      continue;
    }
    sums.fill(0);
    for (let m = 0; m < cells.count; m++) {
      const w = cells.weight[m];
      // On a node the others weigh nothing, whatever they hold.
      if (w === 0) continue;
      const p = rows.at(cells.row[m]);
      for (let f = 0; f < payload; f++) sums[f] += w * data[p + f];
    }
    out.set(sums, o);
  }
}

/** From this payload on a row gathers its samples: its sums then stay in the cache. */
const WIDE = 64;

/** out [rows, F]: either way a row adds its samples in their order, so the sum is the same each time. */
export function splatTaps(job: TapJob, values: Float32Array, out: Float32Array): void {
  const { payload, rows } = job.attrs;
  const cells = new Cells(job);
  if (payload < WIDE) {
    const sums = new Float64Array(out.length);
    for (let i = 0; i < job.n; i++) {
      if (!cells.moveTo(i)) continue;
      const v = i * payload;
      for (let m = 0; m < cells.count; m++) {
        const p = cells.row[m] * payload;
        const w = cells.weight[m];
        for (let f = 0; f < payload; f++) sums[p + f] += w * values[v + f];
      }
    }
    out.set(sums);
    return;
  }
  // A counting sort of the taps by row.
  const start = new Int32Array(rows + 1);
  const valid = new Uint8Array(job.n);
  for (let i = 0; i < job.n; i++) {
    if (!cells.moveTo(i)) continue;
    valid[i] = 1;
    for (let m = 0; m < cells.count; m++) start[cells.row[m] + 1]++;
  }
  for (let r = 0; r < rows; r++) start[r + 1] += start[r];
  const sample = new Int32Array(start[rows]);
  const weight = new Float64Array(start[rows]);
  const next = start.slice();
  for (let i = 0; i < job.n; i++) {
    if (!valid[i]) continue;
    cells.moveTo(i);
    for (let m = 0; m < cells.count; m++) {
      const at = next[cells.row[m]]++;
      sample[at] = i;
      weight[at] = cells.weight[m];
    }
  }
  const sums = new Float64Array(payload);
  for (let r = 0; r < rows; r++) {
    if (start[r] === start[r + 1]) continue;
    sums.fill(0);
    for (let at = start[r]; at < start[r + 1]; at++) {
      const w = weight[at];
      const v = sample[at] * payload;
      for (let f = 0; f < payload; f++) sums[f] += w * values[v + f];
    }
    out.set(sums, r * payload);
  }
}

/** out [N, 3, 4]. */
export function weightGrad(job: TapJob, nodes: Nodes, values: Float32Array, out: Float32Array): void {
  const { payload } = job.attrs;
  const { weights, tangent } = job;
  const cells = new Cells(job);
  const rows = new Rows(nodes, payload);
  const { data } = rows;
  const sums = new Float64Array(12);
  for (let i = 0; i < job.n; i++) {
    if (!cells.moveTo(i)) continue;
    const at = 12 * i;
    sums.fill(0);
    for (let m = 0; m < cells.count; m++) {
      const p = rows.at(cells.row[m]);
      let dot = 0;
      for (let f = 0; f < payload; f++) dot += data[p + f] * values[i * payload + f];
      const a = cells.slots[m] >> 4;
      const b = 4 + ((cells.slots[m] >> 2) & 3);
      const c = 8 + (cells.slots[m] & 3);
      const u = weights[at + a];
      const v = weights[at + b];
      const w = weights[at + c];
      if (tangent) {
        const hu = tangent[at + a];
        const hv = tangent[at + b];
        const hw = tangent[at + c];
        sums[a] += dot * (hv * w + v * hw);
        sums[b] += dot * (hu * w + u * hw);
        sums[c] += dot * (hu * v + u * hv);
      } else {
        sums[a] += dot * v * w;
        sums[b] += dot * u * w;
        sums[c] += dot * u * v;
      }
    }
    out.set(sums, at);
  }
}
