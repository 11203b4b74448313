/** What the sampling kernels have in common: a call's samples with their weights, and the rows of a page. */
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

export function setWeights(job: Job, i: number): void {
  const h = job.tangent;
  if (h) job.taps.tangentWeights(h[3 * i], h[3 * i + 1], h[3 * i + 2]);
  else job.taps.valueWeights();
}

/** The present taps of the current sample as element offsets into a float array. */
export class Rows {
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
