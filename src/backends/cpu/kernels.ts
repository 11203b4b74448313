/**
 * The sampling kernels of ops/contract.ts in plain typed-array loops with float64 arithmetic, rounded to float32
 * once at the end: the reference for every other backend.
 */

import { unpackRow } from '../../ops/half.js';
import type { Taps } from './taps.js';

export interface Job {
  taps: Taps;
  /** Samples. */
  n: number;
  /** Elements of a node. */
  payload: number;
  /** [N, 3], or null for the value kernels. */
  tangent: Float32Array | null;
}

/** A page's rows: floats, or halves unpacked eight rows at a time. */
export type Nodes = { half: false; data: Float32Array } | { half: true; data: Int32Array };

function setWeights(job: Job, i: number): void {
  const h = job.tangent;
  if (h) job.taps.tangentWeights(h[3 * i], h[3 * i + 1], h[3 * i + 2]);
  else job.taps.valueWeights();
}

/** The present taps of the current sample as element offsets into a float array. */
class Rows {
  readonly offset = new Int32Array(8);
  readonly tap = new Int32Array(8);
  count = 0;
  readonly data: Float32Array;

  constructor(
    private readonly nodes: Nodes,
    private readonly payload: number,
  ) {
    this.data = nodes.half ? new Float32Array(8 * payload) : nodes.data;
  }

  read(taps: Taps): void {
    const { nodes, payload, offset, tap, data } = this;
    let m = 0;
    for (let k = 0; k < 8; k++) {
      const row = taps.row[k];
      if (row < 0) continue;
      tap[m] = k;
      offset[m] = nodes.half ? m * payload : row * payload;
      if (nodes.half) unpackRow(nodes.data, row, payload, data, m * payload);
      m++;
    }
    this.count = m;
  }
}

/** out [N, F]: Sample, or SampleTangent where the job has a tangent. */
export function sample(job: Job, nodes: Nodes, out: Float32Array): void {
  const { taps, n, payload } = job;
  const rows = new Rows(nodes, payload);
  const { data, offset, tap } = rows;
  const w = new Float64Array(8);
  for (let i = 0; i < n; i++) {
    const o = i * payload;
    if (!taps.moveTo(i)) {
      if (!job.tangent) out.fill(Number.NaN, o, o + payload);
      continue;
    }
    setWeights(job, i);
    rows.read(taps);
    const count = rows.count;
    for (let m = 0; m < count; m++) w[m] = taps.weight[tap[m]];
    if (count === 8) {
      const [p0, p1, p2, p3, p4, p5, p6, p7] = [
        offset[0],
        offset[1],
        offset[2],
        offset[3],
        offset[4],
        offset[5],
        offset[6],
        offset[7],
      ];
      const [w0, w1, w2, w3, w4, w5, w6, w7] = [w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]];
      for (let f = 0; f < payload; f++) {
        out[o + f] =
          w0 * data[p0 + f] +
          w1 * data[p1 + f] +
          w2 * data[p2 + f] +
          w3 * data[p3 + f] +
          w4 * data[p4 + f] +
          w5 * data[p5 + f] +
          w6 * data[p6 + f] +
          w7 * data[p7 + f];
      }
    } else {
      for (let f = 0; f < payload; f++) {
        let sum = 0;
        for (let m = 0; m < count; m++) sum += w[m] * data[offset[m] + f];
        out[o + f] = sum;
      }
    }
  }
}

/** From this payload on a row gathers its samples: its sums then stay in the cache, where scattering would sweep them. */
const WIDE = 64;

/**
 * out [rows, F]: Splat, or SplatTangent where the job has a tangent. Either way a row adds its samples in their order,
 * so the sum is the same each time.
 */
export function splat(job: Job, values: Float32Array, out: Float32Array): void {
  if (job.payload < WIDE) scatter(job, values, out);
  else gather(job, values, out);
}

function scatter(job: Job, values: Float32Array, out: Float32Array): void {
  const { taps, n, payload } = job;
  const { row, weight } = taps;
  const sums = new Float64Array(out.length);
  for (let i = 0; i < n; i++) {
    if (!taps.moveTo(i)) continue;
    setWeights(job, i);
    const v = i * payload;
    for (let k = 0; k < 8; k++) {
      const p = row[k] * payload;
      if (p < 0) continue;
      const w = weight[k];
      for (let f = 0; f < payload; f++) sums[p + f] += w * values[v + f];
    }
  }
  out.set(sums);
}

function gather(job: Job, values: Float32Array, out: Float32Array): void {
  const { taps, n, payload } = job;
  const rows = out.length / payload;
  // A counting sort of the taps by row; absent ones and those of skipped samples are marked by `rows` and left out.
  const rowOf = new Int32Array(8 * n).fill(rows);
  const weightOf = new Float64Array(8 * n);
  const start = new Int32Array(rows + 2);
  for (let i = 0; i < n; i++) {
    if (!taps.moveTo(i)) continue;
    setWeights(job, i);
    for (let k = 0; k < 8; k++) {
      if (taps.row[k] < 0) continue;
      rowOf[8 * i + k] = taps.row[k];
      weightOf[8 * i + k] = taps.weight[k];
      start[taps.row[k] + 1]++;
    }
  }
  for (let r = 0; r < rows; r++) start[r + 1] += start[r];
  const next = start.slice();
  const order = new Int32Array(start[rows]);
  for (let t = 0; t < 8 * n; t++) if (rowOf[t] < rows) order[next[rowOf[t]]++] = t;

  const sums = new Float64Array(payload);
  for (let r = 0; r < rows; r++) {
    if (start[r] === start[r + 1]) continue;
    sums.fill(0);
    for (let at = start[r]; at < start[r + 1]; at++) {
      const t = order[at];
      const w = weightOf[t];
      const v = (t >> 3) * payload;
      for (let f = 0; f < payload; f++) sums[f] += w * values[v + f];
    }
    out.set(sums, r * payload);
  }
}

/** out [N, 3]: CoordGrad, or CoordGradTangent where the job has a tangent. */
export function coordGrad(job: Job, nodes: Nodes, values: Float32Array, out: Float32Array): void {
  const { taps, n, payload, tangent } = job;
  const rows = new Rows(nodes, payload);
  const { data, offset, tap } = rows;
  const dot = new Float64Array(8);
  const g = new Float64Array(3);
  for (let i = 0; i < n; i++) {
    if (!taps.moveTo(i)) continue;
    rows.read(taps);
    dot.fill(0);
    const v = i * payload;
    for (let m = 0; m < rows.count; m++) {
      const p = offset[m];
      let sum = 0;
      for (let f = 0; f < payload; f++) sum += data[p + f] * values[v + f];
      dot[tap[m]] = sum;
    }
    if (tangent) taps.coordGradTangent(dot, tangent[3 * i], tangent[3 * i + 1], tangent[3 * i + 2], g);
    else taps.coordGrad(dot, g);
    out[3 * i] = g[0];
    out[3 * i + 1] = g[1];
    out[3 * i + 2] = g[2];
  }
}
