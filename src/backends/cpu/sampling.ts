/**
 * WavecubeSample, WavecubeCoordGrad and their tangents (ops/contract.ts) in plain typed-array loops with float64 arithmetic,
 * rounded to float32 once at the end: the reference for every other backend.
 */
import { type Job, type Nodes, Rows, setWeights } from './job.js';

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
      const p0 = offset[0];
      const p1 = offset[1];
      const p2 = offset[2];
      const p3 = offset[3];
      const p4 = offset[4];
      const p5 = offset[5];
      const p6 = offset[6];
      const p7 = offset[7];
      const w0 = w[0];
      const w1 = w[1];
      const w2 = w[2];
      const w3 = w[3];
      const w4 = w[4];
      const w5 = w[5];
      const w6 = w[6];
      const w7 = w[7];
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

/** out [N, 3]: CoordGrad, or CoordGradTangent where the job has a tangent. */
export function coordGrad(job: Job, nodes: Nodes, values: Float32Array, out: Float32Array): void {
  const { taps, n, payload, tangent } = job;
  const rows = new Rows(nodes, payload);
  const dot = new Float64Array(8);
  const g = new Float64Array(3);
  for (let i = 0; i < n; i++) {
    if (!taps.moveTo(i)) continue;
    rows.read(taps);
    products(rows, values, i * payload, payload, dot);
    if (tangent) taps.coordGradTangent(dot, tangent[3 * i], tangent[3 * i + 1], tangent[3 * i + 2], g);
    else taps.coordGrad(dot, g);
    out[3 * i] = g[0];
    out[3 * i + 1] = g[1];
    out[3 * i + 2] = g[2];
  }
}

/** dot[k] = ⟨node of tap k, values⟩, 0 where there is none. */
function products(rows: Rows, values: Float32Array, v: number, payload: number, dot: Float64Array): void {
  const { data, offset, tap, count } = rows;
  if (count < 8) {
    dot.fill(0);
    for (let m = 0; m < count; m++) {
      let sum = 0;
      for (let f = 0; f < payload; f++) sum += data[offset[m] + f] * values[v + f];
      dot[tap[m]] = sum;
    }
    return;
  }
  // Two taps a pass: each value is read four times instead of eight, and the loop has two chains to add to.
  for (let k = 0; k < 8; k += 2) {
    const p = offset[k];
    const q = offset[k + 1];
    let low = 0;
    let high = 0;
    for (let f = 0; f < payload; f++) {
      const value = values[v + f];
      low += data[p + f] * value;
      high += data[q + f] * value;
    }
    dot[k] = low;
    dot[k + 1] = high;
  }
}
