/** WavecubeSplat and its tangent (ops/contract.ts), summed in float64. */
import { type Job, setWeights } from './job.js';

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
