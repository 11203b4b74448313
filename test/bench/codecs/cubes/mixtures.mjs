/** Nodes of eight Gaussians each, σ 0.02 to 0.12, set as parameters; and their blend in float64. */
import { seededRandom } from '../../reference.mjs';
import { codecOf, normals, SIZE } from './entry.mjs';

const COUNT = 8;

/** @returns { compressed, parameters }: `parameters` [8][9] are cx, cy, p, q, r and four amplitudes, as float32. */
export function mixtureNodes(count, edge, seed) {
  const codec = codecOf('gaussian');
  const random = seededRandom(seed);
  const normal = normals(seed + 1);
  const between = (a, b) => a + (b - a) * random();
  return Array.from({ length: count }, () => {
    const gaussians = Array.from({ length: COUNT }, () => {
      const sigmas = [0, 1].map(() => Math.exp(between(Math.log(0.02), Math.log(0.12))));
      const [c, s] = ((t) => [Math.cos(t), Math.sin(t)])(between(0, Math.PI));
      const [a, b] = sigmas.map((sigma) => sigma ** 2);
      return {
        center: [between(0.15, 0.85), between(0.15, 0.85)],
        covariance: [
          [a * c * c + b * s * s, (a - b) * c * s],
          [(a - b) * c * s, a * s * s + b * c * c],
        ],
        amplitudes: Array.from({ length: 4 }, normal),
      };
    });
    const compressed = codec.fromParams({
      ...{ numGaussians: COUNT, resolution: [edge, edge], channels: 4 },
      centers: gaussians.map(({ center }) => center),
      covariances: gaussians.map(({ covariance }) => covariance),
      amplitudes: gaussians.map(({ amplitudes }) => amplitudes),
      phases: gaussians.map(() => 0),
    });
    return { compressed, gaussians: gaussiansOf(codec, compressed) };
  });
}

/** What its bytes say, not what was asked: in float64. */
function gaussiansOf(codec, compressed) {
  const { centers, covariances, amplitudes } = codec.toParams(compressed);
  return centers.map((center, k) => {
    const [[xx, xy], [, yy]] = covariances[k];
    const determinant = xx * yy - xy * xy;
    return {
      center,
      inverse: [yy / determinant, -xy / determinant, xx / determinant],
      amplitudes: amplitudes[k],
    };
  });
}

/** [edge, edge, 4] in float64: the sum of Gaussians. */
export function evaluate(gaussians, edge) {
  const out = new Float64Array(edge * edge * 4);
  for (const { center, inverse, amplitudes } of gaussians) {
    for (let i = 0; i < edge * edge; i++) {
      const dx = ((i % edge) + 0.5) / edge - center[0];
      const dy = (Math.floor(i / edge) + 0.5) / edge - center[1];
      const g = Math.exp(-0.5 * (inverse[0] * dx * dx + 2 * inverse[1] * dx * dy + inverse[2] * dy * dy));
      for (let c = 0; c < 4; c++) out[4 * i + c] += g * amplitudes[c];
    }
  }
  return out;
}

/** All Gaussians of a sample's eight nodes, scaled by their weights. @param nodes in bulk order. */
export function blended(nodes, coordinate) {
  const base = [...coordinate].map((x) => Math.min(Math.floor(x), SIZE - 2));
  return Array.from({ length: 8 }, (_, k) => {
    const offset = [k >> 2, (k >> 1) & 1, k & 1];
    const [x, y, z] = base.map((b, axis) => b + offset[axis]);
    const weight = base.reduce(
      (w, b, axis) => w * (offset[axis] ? coordinate[axis] - b : 1 - coordinate[axis] + b),
      1,
    );
    return nodes[(x * SIZE + y) * SIZE + z].gaussians.map((gaussian) => ({
      ...gaussian,
      amplitudes: gaussian.amplitudes.map((a) => a * weight),
    }));
  }).flat();
}

/** Largest deviation of samples `values` [n, edge, edge, 4] from float64, of the first `count`. */
export function deviation(nodes, host, values, edge, count) {
  let worst = 0;
  for (let i = 0; i < count; i++) {
    const exact = evaluate(blended(nodes, host.subarray(3 * i, 3 * i + 3)), edge);
    exact.forEach((v, j) => {
      const error = Math.abs(values[i * exact.length + j] - v);
      if (!(error <= worst)) worst = error; // a NaN stays
    });
  }
  return worst;
}
