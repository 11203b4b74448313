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
