/**
 * `npm run photo`: a photo from a quarter of its bytes. Three octaves of features are fitted to nine pixels in ten and judged on
 * the tenth that training never saw; one level of the same bytes beside them. Writes the picture to out/photo.png.
 *
 *     npm run photo -- [--seconds 60] [--backend wasm] [--seed 1] [--only octaves|one] [--png out/photo.png]
 *
 * --clock cpu counts the process's own time, on a machine that does other things too.
 * astronaut.png: Eileen Collins, photographed by NASA; public domain, as scikit-image's data.astronaut() gives it, packed smaller.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { decode } from 'fast-png';
import { encodePng, ready } from '../../src/node.js';
import { colourAt, type FitOptions, type Photo, pixelsOf, psnr, seeded } from './fit.js';
import { budgetBytesOf, type Fitted, fitOctaves, fitOneLevel } from './grids.js';

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
    png: { type: 'string', default: fileURLToPath(new URL('../../out/photo.png', import.meta.url)) },
  },
});
tf.enableProdMode();
await ready({ backend: options.backend });

const picture = decode(await readFile(join(dirname(fileURLToPath(import.meta.url)), 'astronaut.png')));
const size = picture.width;
const next = seeded(Number(options.seed));
const photo: Photo = {
  size,
  rgb: Float32Array.from(picture.data, (v) => v / 255),
  isHeldOut: Uint8Array.from({ length: size * size }, () => (next() < 0.1 ? 1 : 0)),
};
const seconds = Number(options.seconds);
const rate = Number(options.rate);
const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const training: FitOptions = {
  // What is left when the last step ends must not be more than was said.
  seconds: seconds - 0.5,
  clock: options.clock === 'cpu' ? cpuSeconds : () => performance.now() / 1000,
  next,
  bending: Number(options.bending),
  patches: Number(options.patches),
  rate: [rate, rate / 50],
};

console.log(
  `photo ${size} × ${size} × 3, ${4 * photo.rgb.length} bytes as float32; ${photo.isHeldOut.reduce((a, b) => a + b)} pixels held out, ` +
    `seed ${options.seed}; ${tf.getBackend()}, ${seconds} s each (${options.clock} clock)`,
);
for (const [name, train] of Object.entries({ octaves: fitOctaves, one: fitOneLevel })) {
  if (options.only && options.only !== name) continue;
  const start = training.clock();
  const fitted = await train(photo, training);
  await report(name === 'one' ? 'one level' : 'octaves  ', fitted, training.clock() - start);
  if (name === 'octaves') await draw(fitted, options.png);
  fitted.hierarchy.dispose();
  tf.dispose([fitted.readOut.matrix, fitted.readOut.bias]);
}

async function report(name: string, { hierarchy, readOut, steps, bytes }: Fitted, tookSeconds: number) {
  const { heldOut, trained } = await psnr(hierarchy, readOut, photo, 0);
  console.log(
    `${name}: held-out ${heldOut.toFixed(2)} dB, trained ${trained.toFixed(2)} dB; ${steps} steps in ${tookSeconds.toFixed(1)} s; ` +
      `${bytes.nodes + bytes.readOut + bytes.index} of ${budgetBytesOf(photo)} bytes ` +
      `(nodes ${bytes.nodes}, read-out ${bytes.readOut}, which nodes there are ${bytes.index})`,
  );
}

async function draw({ hierarchy, readOut }: Fitted, path: string) {
  const colours = colourAt(hierarchy, readOut, pixelsOf(size), 0);
  const image = colours.reshape([size, size, 3]) as tf.Tensor3D;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await encodePng(image));
  tf.dispose([colours, image]);
  console.log(`written to ${path}`);
}
