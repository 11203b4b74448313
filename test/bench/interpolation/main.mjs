/** `npm run bench:interpolation`: every method beside linear, and cubes of mixed resolution beside uniform ones. Prints Markdown. */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { METHODS, MultiResolutionWavetableMatrix, ready, WavetableMatrix } from '../../../dist/src/index.js';
import { seededRandom } from '../reference.mjs';
import { measure, median } from '../timing.mjs';

const HELP = `npm run bench:interpolation -- [options]
  --backend NAME   wasm (default), cpu, webgpu
  --only PART      methods or mixed; default both`;

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string', default: 'wasm' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(HELP);
  process.exit();
}

const CASES = [
  { id: 'W1', dims: [10, 10, 10], shape: [64, 64, 4], samples: 1000 },
  { id: 'W4', dims: [64, 64, 64], shape: [1, 1, 8], samples: 64 ** 3 },
];

/** A call is done when one element of its result can be read, where it does not return before. */
async function finished(tensors) {
  if (options.backend === 'webgpu') await tf.tidy(() => tensors[0].flatten().slice(0, 1)).data();
  tf.dispose(tensors);
}

async function timeOf(call) {
  return median(await measure(() => finished(call())));
}

function cubeOf({ dims, shape }, random, trainable) {
  const [h, w, channels] = shape;
  const cube = new WavetableMatrix(...dims, { resolution: [h, w], channels, sparse: false, trainable });
  const size = h * w * channels;
  const nodes = [];
  for (let x = 0; x < dims[0]; x++) {
    for (let y = 0; y < dims[1]; y++) {
      for (let z = 0; z < dims[2]; z++) {
        nodes.push([x, y, z, Float32Array.from({ length: size }, () => 2 * random() - 1)]);
      }
    }
  }
  cube.setNodes(nodes);
  return cube;
}

async function methods() {
  console.log('| case | method | forward, ms | of linear | forward + backward, ms | of linear |');
  console.log('|---|---|---:|---:|---:|---:|');
  for (const test of CASES) {
    const random = seededRandom(1);
    const at = Float32Array.from({ length: test.samples * 3 }, (_, i) => random() * (test.dims[i % 3] - 1));
    const coords = tf.tensor2d(at, [test.samples, 3]);
    const plain = cubeOf(test, random, false);
    const trained = plain.clone({ trainable: true });
    let linear;
    for (const method of METHODS.filter((m) => m !== 'hermite')) {
      const forward = await timeOf(() => [plain.sampleBatch(coords, { method })]);
      const train = await timeOf(() => {
        const by = tf.variable(coords);
        const loss = () => tf.sum(trained.sampleBatch(by, { method }));
        const { value, grads } = tf.variableGrads(loss);
        by.dispose();
        return [value, ...Object.values(grads)];
      });
      linear ??= { forward, train };
      const cells = [forward, forward / linear.forward, train, train / linear.train];
      console.log(`| ${test.id} | ${method} | ${cells.map((v) => v.toPrecision(3)).join(' | ')} |`);
    }
    plain.dispose();
    trained.dispose();
    coords.dispose();
  }
}

/** 90 % of 64², 9 % of 256², 1 % of 1024², C = 1, at random places; sampled at 256². */
async function mixed() {
  const random = seededRandom(2);
  const settings = { resolution: 256, channels: 1, trainable: true };
  const uniform = new WavetableMatrix(10, 10, 10, { ...settings, sparse: false });
  const cube = new MultiResolutionWavetableMatrix(10, 10, 10, { ...settings, autoCompress: false });
  const sizes = [...Array(900).fill(64), ...Array(90).fill(256), ...Array(10).fill(1024)]
    .map((size) => [random(), size])
    .sort((p, q) => p[0] - q[0]);
  const nodes = sizes.map(([, size], i) => [
    Math.floor(i / 100),
    Math.floor(i / 10) % 10,
    i % 10,
    tf.tidy(() => tf.randomUniform([size, size, 1], -1, 1, 'float32', i)),
  ]);
  cube.setNodes(nodes);
  tf.dispose(nodes);
  const coords = Float32Array.from({ length: 300 }, () => random() * 9);
  const times = {};
  for (const [name, one] of [
    ['uniform', uniform],
    ['mixed', cube],
  ]) {
    times[name] = await timeOf(() => [one.sampleBatch(coords)]);
    one.dispose();
  }
  console.log('| 100 samples at 256², C = 1, trainable | ms | of uniform |');
  console.log('|---|---:|---:|');
  for (const [name, time] of Object.entries(times)) {
    console.log(`| ${name} | ${time.toPrecision(3)} | ${(time / times.uniform).toPrecision(3)} |`);
  }
}

tf.enableProdMode();
await ready({ backend: options.backend });
console.log(`${options.backend}, Node ${process.version}, ${cpus().length} × ${cpus()[0].model}; medians\n`);
if (options.only !== 'mixed') await methods();
console.log('');
if (options.only !== 'methods') await mixed();
