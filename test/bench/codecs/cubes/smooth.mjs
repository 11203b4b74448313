/**
 * 1,000 samples at 64×64×4 over a 10³ cube of smooth nodes (power spectrum k⁻⁴) compressed by DCT at q = 0.95: beside the
 * dense cube of the same nodes, and beside decoding the eight nodes of each sample and blending them.
 */
import * as tf from '@tensorflow/tfjs';
import FFT from 'fft.js';
import { codecOf, coordinates, cubeOf, megabytes, normals, PLACES, reporter, SIZE, start } from './entry.mjs';

const SAMPLES = 1000;
const EDGE = 64;
/** Decoding eight nodes a sample is slow: it is timed on as many, and scaled. */
const DECODED = 100;

const { tell, time, ratio, done } = reporter('smooth');
await start();
const codec = codecOf('dct');
const normal = normals(1);
const fft = new FFT(EDGE);

/** Two fields [64, 64] of power spectrum k⁻⁴: the real and the imaginary part of one inverse transform. */
function smoothPair() {
  const wave = (i) => (i < EDGE / 2 ? i : i - EDGE);
  const lines = Array.from({ length: EDGE }, (_, i) =>
    Float64Array.from(
      { length: 2 * EDGE },
      (_, j) => normal() / Math.max(1, wave(i) ** 2 + wave(j >> 1) ** 2),
    ),
  );
  const rows = lines.map((line) => inverse(line));
  const columns = rows.map((_, x) =>
    inverse(Float64Array.from(rows.flatMap((row) => [row[2 * x], row[2 * x + 1]]))),
  );
  return [0, 1].map((part) => (y, x) => columns[x][2 * y + part]);
}

function inverse(line) {
  const out = fft.createComplexArray();
  fft.inverseTransform(out, line);
  return out;
}

function smoothNode() {
  const planes = [...smoothPair(), ...smoothPair()];
  return Float32Array.from({ length: EDGE * EDGE * 4 }, (_, i) =>
    planes[i % 4](Math.floor(i / 4 / EDGE), Math.floor(i / 4) % EDGE),
  );
}

const dense = cubeOf(EDGE);
const cube = cubeOf(EDGE);
for (const place of PLACES) {
  const node = smoothNode();
  dense.setNode(...place, node);
  cube.setNode(...place, node);
}
const started = performance.now();
const report = await cube.compressAll({ method: 'dct', quality: 0.95 });
tell('compressAll, a node', `${((performance.now() - started) / PLACES.length).toFixed(1)} ms`);
const compressed = report.filter((node) => node.codec === 'dct').length;
const [usage, whole] = [cube.getMemoryUsage(), dense.getMemoryUsage()];
tell('nodes compressed', `${compressed} of ${PLACES.length}`);
tell('ratio of bytes stored, dense / compressed', `${(whole.storedBytes / usage.storedBytes).toFixed(1)}×`);
tell('residentBytes, compressed', megabytes(usage.residentBytes), { bytes: usage.residentBytes });
ratio('residentBytes, compressed / dense (bar: ≤ 0.2)', usage.residentBytes, whole.residentBytes);

const host = coordinates(SAMPLES, 2);
const coords = tf.tensor2d(host, [SAMPLES, 3]);
const difference = tf.tidy(() => {
  const [a, b] = [dense.sampleBatch(coords), cube.sampleBatch(coords)];
  return tf.div(tf.norm(tf.sub(a, b).flatten()), tf.norm(a.flatten())).dataSync()[0];
});
tell('‖compressed − dense‖ / ‖dense‖ of all samples', difference.toPrecision(3));

const denseMs = await time('1,000 samples, dense', () => dense.sampleBatch(coords).dispose());
const cubeMs = await time('1,000 samples, compressed, no cache', () => cube.sampleBatch(coords).dispose());
ratio('compressed / dense (bar: ≤ 5)', cubeMs, denseMs);

const nodes = PLACES.map((place) => cube.getCompressed(...place));
function decodeEight(i) {
  const base = [0, 1, 2].map((axis) => Math.min(Math.floor(host[3 * i + axis]), SIZE - 2));
  const part = base.map((b, axis) => host[3 * i + axis] - b);
  return tf.tidy(() => {
    const corners = Array.from({ length: 8 }, (_, k) => {
      const offset = [k >> 2, (k >> 1) & 1, k & 1];
      const [x, y, z] = base.map((b, axis) => b + offset[axis]);
      const weight = part.reduce((product, f, axis) => product * (offset[axis] ? f : 1 - f), 1);
      return tf.mul(codec.decode(nodes[(x * SIZE + y) * SIZE + z]), weight);
    });
    return tf.addN(corners);
  });
}
const eightMs = await time(`${DECODED} samples, decoding eight nodes each`, () => {
  for (let i = 0; i < DECODED; i++) decodeEight(i).dispose();
});
ratio('decoding eight nodes / compressed (bar: ≥ 5)', (eightMs * SAMPLES) / DECODED, cubeMs);

const cached = cubeOf(EDGE, { cacheBytes: 2 ** 27 });
PLACES.forEach((place, i) => {
  cached.setNode(...place, nodes[i]);
});
await time('1,000 samples, compressed, all decoded rows cached', () => cached.sampleBatch(coords).dispose());
done();
