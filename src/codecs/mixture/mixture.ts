/**
 * A Gaussian mixture on the host, in float64: component k adds a_kc · exp(−½(u² + v²)) to channel c, where
 * u = e^p dx + q dy, v = e^r dy, (dx, dy) = (x, y) − (cx, cy), in the unit square. (p, q, r) is the log-Cholesky factor of
 * the precision matrix: any three numbers give a Gaussian.
 */

/** Numbers of a component's shape: cx, cy, p, q, r. */
export const SHAPE_SIZE = 5;

export interface Mixture {
  channels: number;
  /** [K, 5] */
  shapes: Float64Array;
  /** [K, C] */
  amplitudes: Float64Array;
}

export const countOf = ({ shapes }: Mixture): number => shapes.length / SHAPE_SIZE;

export const emptyMixture = (channels: number): Mixture => ({
  channels,
  shapes: new Float64Array(0),
  amplitudes: new Float64Array(0),
});

export const copyOf = ({ channels, shapes, amplitudes }: Mixture): Mixture => ({
  channels,
  shapes: shapes.slice(),
  amplitudes: amplitudes.slice(),
});

/** The components of `indices`, in that order. */
export function picked(mixture: Mixture, indices: readonly number[]): Mixture {
  const { channels } = mixture;
  const shapes = new Float64Array(indices.length * SHAPE_SIZE);
  const amplitudes = new Float64Array(indices.length * channels);
  indices.forEach((k, i) => {
    shapes.set(mixture.shapes.subarray(k * SHAPE_SIZE, (k + 1) * SHAPE_SIZE), i * SHAPE_SIZE);
    amplitudes.set(mixture.amplitudes.subarray(k * channels, (k + 1) * channels), i * channels);
  });
  return { channels, shapes, amplitudes };
}

/** Both mixtures' components, the first's before the second's. */
export function joined(a: Mixture, b: Mixture): Mixture {
  const shapes = new Float64Array(a.shapes.length + b.shapes.length);
  const amplitudes = new Float64Array(a.amplitudes.length + b.amplitudes.length);
  shapes.set(a.shapes);
  shapes.set(b.shapes, a.shapes.length);
  amplitudes.set(a.amplitudes);
  amplitudes.set(b.amplitudes, a.amplitudes.length);
  return { channels: a.channels, shapes, amplitudes };
}

export const all = (count: number): number[] => Array.from({ length: count }, (_, k) => k);

/** Components whose Gaussians lie nearest to those of `seeds`, these included, `most` in all. */
export function neighbourhood(mixture: Mixture, seeds: readonly number[], most: number): number[] {
  const { shapes } = mixture;
  const count = countOf(mixture);
  if (count <= most) return all(count);
  const at = (k: number, s: number) => shapes[k * SHAPE_SIZE + s];
  const distance = (k: number, l: number) => {
    const dx = at(k, 0) - at(l, 0);
    const dy = at(k, 1) - at(l, 1);
    const size = Math.exp(-at(k, 2)) + Math.exp(-at(l, 2)) + Math.exp(-at(k, 4)) + Math.exp(-at(l, 4));
    return Math.hypot(dx, dy) / size;
  };
  const near = all(count).map((k) => ({
    k,
    d: Math.min(...seeds.map((s) => (s === k ? -1 : distance(k, s)))),
  }));
  near.sort((a, b) => a.d - b.d || a.k - b.k);
  return near
    .slice(0, most)
    .map(({ k }) => k)
    .sort((a, b) => a - b);
}
