/**
 * A photo from a quarter of its bytes: three octaves of features, fitted to nine pixels in ten, judged on the tenth that training
 * never saw; and one level of the same bytes beside it.
 *
 *     node --import tsx/esm examples/photo/main.ts [--seconds 60] [--backend wasm] [--seed 1] [--png out/photo.png]
 *
 * --clock cpu counts the process's own time, on a machine that does other things too.
 * astronaut.png: Eileen Collins, photographed by NASA; public domain, as scikit-image's data.astronaut() gives it, packed smaller.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { decode } from 'fast-png';
import { encodePng, OctaveHierarchy, ready } from '../../src/node.js';
import { busiest, colourAt, fitPhoto, makeReadOut, type Photo, psnr, type ReadOut } from './fit.js';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    backend: { type: 'string', default: 'wasm' },
    seed: { type: 'string', default: '1' },
    bending: { type: 'string', default: '0.01' },
    patches: { type: 'string', default: '2048' },
    rate: { type: 'string', default: '0.03' },
    only: { type: 'string' },
    clock: { type: 'string', default: 'wall' },
    png: { type: 'string' },
  },
});
tf.enableProdMode();
await ready({ backend: options.backend });

/** mulberry32, uniform in [0, 1). */
function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const picture = decode(await readFile(new URL('astronaut.png', import.meta.url)));
const size = picture.width;
const seed = Number(options.seed);
const next = seeded(seed);
const photo: Photo = {
  size,
  rgb: Float32Array.from(picture.data, (v) => v / 255),
  isHeldOut: Uint8Array.from({ length: size * size }, () => (next() < 0.1 ? 1 : 0)),
};
const photoBytes = 4 * photo.rgb.length;
const budgetBytes = photoBytes / 4;
const seconds = Number(options.seconds);
/** Of the wall, or the processor's time of this process: for a machine that does other things, too. */
const clock = () => {
  if (options.clock !== 'cpu') return performance.now() / 1000;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const training = {
  clock,
  next,
  bending: Number(options.bending),
  patches: Number(options.patches),
};
const rate = Number(options.rate);

interface Fitted {
  hierarchy: OctaveHierarchy;
  readOut: ReadOut;
}

function report(
  name: string,
  { hierarchy, readOut }: Fitted,
  steps: number,
  tookSeconds: number,
  indexBytes: number,
  db: { heldOut: number; trained: number },
) {
  const weights = readOut.matrix.size + readOut.bias.size;
  const { denseBytes } = hierarchy.getMemoryUsage();
  const bytes = denseBytes + 4 * weights + indexBytes;
  console.log(
    `${name}: held-out ${db.heldOut.toFixed(2)} dB, trained ${db.trained.toFixed(2)} dB; ${steps} steps in ${tookSeconds.toFixed(1)} s; ` +
      `${bytes} of ${budgetBytes} bytes (nodes ${denseBytes}, read-out ${weights} weights, which nodes there are ${indexBytes})`,
  );
}

/** Colour at 32² and 128² nodes, luma at 512², there only where the photo is busy. */
async function octaves(): Promise<Fitted> {
  const start = clock();
  const lit = () => clock() - start;
  const hierarchy = new OctaveHierarchy(size, size, 1, {
    octaveLevels: [-4, -2, 0],
    gridScale: 2,
    resolution: 1,
    channels: 3,
    basis: 'laplacian',
    trainable: true,
    sparse: false,
    octaves: { 0: { channels: 1, sparse: true } },
  });
  const readOut = makeReadOut(3);
  // The coarse octaves alone, then the finest where they err: one bit a cell says where.
  const first = 0.12 * seconds;
  let steps = await fitPhoto(hierarchy, readOut, photo, () => -2, {
    ...training,
    seconds: first,
    rate: [rate, rate / 3],
  });
  const indexBytes = Math.ceil((size * size) / 8);
  const left = budgetBytes - hierarchy.getMemoryUsage().denseBytes - 4 * 12 - indexBytes;
  const { errors } = await psnr(hierarchy, readOut, photo, -2);
  const cells = busiest(photo, errors, Math.floor(left / 4)).sort((a, b) => a - b);
  const zero = new Float32Array(1);
  hierarchy
    .getMatrix(0)
    .setNodes(cells.map((cell) => [Math.floor(cell / size), cell % size, 0, zero] as const));
  // The finest octave comes in over the first fifth of the time.
  const arrives = (t: number) => Math.min(0, -2 + 2 * (t / 0.2 + 0.05));
  steps += await fitPhoto(hierarchy, readOut, photo, arrives, {
    ...training,
    seconds: seconds - lit() - 0.5,
    rate: [rate, rate / 50],
  });
  const took = lit();
  report(
    'octaves  ',
    { hierarchy, readOut },
    steps,
    took,
    indexBytes,
    await psnr(hierarchy, readOut, photo, 0),
  );
  return { hierarchy, readOut };
}

/** One level of colour of the same bytes, at the largest size that fits, trained the same way and as long. */
async function oneLevel(): Promise<Fitted> {
  const start = clock();
  const side = Math.floor(Math.sqrt((budgetBytes / 4 - 12) / 3));
  const hierarchy = new OctaveHierarchy(size, size, 1, {
    octaveLevels: [0],
    resolution: 1,
    channels: 3,
    trainable: true,
    sparse: false,
    octaves: { 0: { grid: [side, side, 1] } },
  });
  const readOut = makeReadOut(3);
  const steps = await fitPhoto(hierarchy, readOut, photo, () => 0, {
    ...training,
    seconds: seconds - 0.5,
    rate: [rate, rate / 50],
  });
  const took = clock() - start;
  report('one level', { hierarchy, readOut }, steps, took, 0, await psnr(hierarchy, readOut, photo, 0));
  return { hierarchy, readOut };
}

console.log(
  `photo ${size} × ${size} × 3, ${photoBytes} bytes as float32; ${photo.isHeldOut.reduce((a, b) => a + b)} pixels held out, seed ${seed}; ` +
    `${tf.getBackend()}, ${seconds} s each (${options.clock} clock)`,
);
for (const [name, make] of Object.entries({ octaves, one: oneLevel })) {
  if (options.only && options.only !== name) continue;
  const { hierarchy, readOut } = await make();
  if (options.png && name === 'octaves') {
    const coords = Float32Array.from({ length: 3 * size * size }, (_, i) =>
      i % 3 === 0 ? Math.floor(i / 3 / size) : i % 3 === 1 ? Math.floor(i / 3) % size : 0,
    );
    const colours = colourAt(hierarchy, readOut, coords, 0);
    const image = colours.reshape([size, size, 3]) as tf.Tensor3D;
    await mkdir(dirname(options.png), { recursive: true });
    await writeFile(options.png, await encodePng(image));
    tf.dispose([colours, image]);
  }
  hierarchy.dispose();
  tf.dispose([readOut.matrix, readOut.bias]);
}
