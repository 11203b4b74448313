/** Trilinear sampling in float64, by its definition: what contenders are checked against, and the bytes to move. */

/** Uniform numbers in [0, 1) of a 32-bit state (Mulberry32). */
export function seededRandom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Questions to the field of `nodes` [cells, payload] at `coords` [samples, 3], all inside the grid. */
export function trilinear(dims, payload, nodes, coords) {
  const samples = coords.length / 3;
  /** Of the sample looked at last: the first element of each corner's node, and weights; [0] plain, [1 …] slopes. */
  const at = new Int32Array(8);
  const weights = Array.from({ length: 4 }, () => new Float64Array(8));

  function look(i) {
    const base = [0, 0, 0];
    const part = [0, 0, 0];
    for (let j = 0; j < 3; j++) {
      base[j] = Math.min(Math.floor(coords[3 * i + j]), dims[j] - 2);
      part[j] = coords[3 * i + j] - base[j];
    }
    for (let k = 0; k < 8; k++) {
      const [x, y, z] = [k >> 2, (k >> 1) & 1, k & 1];
      const [u, v, w] = [x ? part[0] : 1 - part[0], y ? part[1] : 1 - part[1], z ? part[2] : 1 - part[2]];
      at[k] = (((base[0] + x) * dims[1] + base[1] + y) * dims[2] + base[2] + z) * payload;
      weights[0][k] = u * v * w;
      weights[1][k] = (2 * x - 1) * v * w;
      weights[2][k] = u * (2 * y - 1) * w;
      weights[3][k] = u * v * (2 * z - 1);
    }
  }

  function blend(f, weight) {
    let sum = 0;
    for (let k = 0; k < 8; k++) sum += weight[k] * nodes[at[k] + f];
    return sum;
  }

  function touched() {
    const seen = new Uint8Array(nodes.length / payload);
    for (let i = 0; i < samples; i++) {
      look(i);
      for (const start of at) seen[start / payload] = 1;
    }
    return seen.reduce((a, b) => a + b, 0);
  }

  return {
    /** Distinct nodes read once, results written once. */
    bytes: 4 * payload * (touched() + samples),
    value(i, f) {
      look(i);
      return blend(f, weights[0]);
    },
    /** mean(out²). */
    loss() {
      let sum = 0;
      for (let i = 0; i < samples; i++) {
        look(i);
        for (let f = 0; f < payload; f++) sum += blend(f, weights[0]) ** 2;
      }
      return sum / (samples * payload);
    },
    /** d mean(out²) / d coordinates of sample i. */
    lossSlope(i) {
      look(i);
      const sums = [0, 0, 0];
      for (let f = 0; f < payload; f++) {
        const out = blend(f, weights[0]);
        for (let axis = 0; axis < 3; axis++) sums[axis] += out * blend(f, weights[1 + axis]);
      }
      return sums.map((s) => (2 * s) / (samples * payload));
    },
  };
}
