/** The loop of the photo's example, on a crop of 64 × 64 pixels, by a clock that counts steps. */
import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { decode } from 'fast-png';
import { type Photo, psnr, seeded } from '../../examples/photo/fit.js';
import { budgetBytesOf, type Fitted, fitOctaves, fitOneLevel } from '../../examples/photo/grids.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';

const SIZE = 64;

/** The face. */
async function crop(): Promise<Photo> {
  const { data, width } = decode(
    await readFile(new URL('../../examples/photo/astronaut.png', import.meta.url)),
  );
  const [top, left] = [90, 190];
  const next = seeded(1);
  return {
    size: SIZE,
    rgb: Float32Array.from({ length: 3 * SIZE * SIZE }, (_, i) => {
      const [y, x] = [Math.floor(i / 3 / SIZE) + top, (Math.floor(i / 3) % SIZE) + left];
      return data[3 * (y * width + x) + (i % 3)] / 255;
    }),
    isHeldOut: Uint8Array.from({ length: SIZE * SIZE }, () => (next() < 0.1 ? 1 : 0)),
  };
}

/** A second passes whenever it is read, which is once a step. */
function training(seconds: number) {
  let now = 0;
  const rate = [0.03, 0.03 / 50] as const;
  return { seconds, clock: () => now++, next: seeded(2), bending: 0.01, patches: 128, rate };
}

/** dB on held-out pixels of a fit of so many steps. */
async function fitted(
  train: (photo: Photo, by: ReturnType<typeof training>) => Promise<Fitted>,
  steps: number,
) {
  const photo = await crop();
  const { hierarchy, readOut, bytes } = await train(photo, training(steps));
  const { heldOut } = await psnr(hierarchy, readOut, photo, 0);
  // Counted anew: four bytes a channel of a node, as many weights as there are, a bit for each cell that may have none.
  const nodes = hierarchy.octaves.reduce((sum, octave) => {
    const cube = hierarchy.getMatrix(octave);
    return sum + 4 * cube.channels * cube.nodeCount;
  }, 0);
  expect(bytes.nodes).to.equal(nodes);
  expect(bytes.readOut).to.equal(4 * (readOut.matrix.size + readOut.bias.size));
  expect(readOut.matrix.size + readOut.bias.size).to.be.at.most(32);
  const total = bytes.nodes + bytes.readOut + bytes.index;
  expect(total).to.be.within(0.94 * budgetBytesOf(photo), budgetBytesOf(photo));
  expect(budgetBytesOf(photo)).to.equal((4 * 3 * SIZE * SIZE) / 4);
  hierarchy.dispose();
  tf.dispose([readOut.matrix, readOut.bias]);
  return heldOut;
}

eachBackend('a photo', () => {
  it('is fitted by octaves of a quarter of its bytes, better the longer and better than by one level', () =>
    withoutLeaks(async () => {
      const short = await fitted(fitOctaves, 12);
      const long = await fitted(fitOctaves, 120);
      expect(long).to.be.above(short + 6);
      const one = await fitted(fitOneLevel, 120);
      expect(long).to.be.above(one + 1.5);
    }));
}, ['wasm']);
