/** What is fitted to the photo: octaves of features, and one level of the same bytes. */
import { OctaveHierarchy } from '../../src/index.js';
import { busiest, type FitOptions, fitPhoto, makeReadOut, type Photo, psnr, type ReadOut } from './fit.js';

/** A quarter of the photo's bytes as float32. */
export const budgetBytesOf = ({ rgb }: Photo): number => rgb.length;

export interface Fitted {
  hierarchy: OctaveHierarchy;
  readOut: ReadOut;
  steps: number;
  /** All that has to be kept: nodes, read-out, and which nodes there are. */
  bytes: { nodes: number; readOut: number; index: number };
}

const READ_OUT_BYTES = 4 * 12;

/** Colour at 1/16 and 1/4 of the photo's rows and columns, luma at all of them, there only where the photo is busy. */
export async function fitOctaves(photo: Photo, training: FitOptions): Promise<Fitted> {
  const { size } = photo;
  const { clock, seconds } = training;
  const rate = training.rate[0];
  const start = clock();
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
  let steps = await fitPhoto(hierarchy, readOut, photo, () => -2, {
    ...training,
    seconds: 0.12 * seconds,
    rate: [rate, rate / 3],
  });
  const index = Math.ceil((size * size) / 8);
  const left = budgetBytesOf(photo) - hierarchy.getMemoryUsage().denseBytes - READ_OUT_BYTES - index;
  const { errors } = await psnr(hierarchy, readOut, photo, -2);
  const cells = busiest(photo, errors, Math.floor(left / 4)).sort((a, b) => a - b);
  const zero = new Float32Array(1);
  hierarchy
    .getMatrix(0)
    .setNodes(cells.map((cell) => [Math.floor(cell / size), cell % size, 0, zero] as const));
  // The finest octave comes in over the first fifth of the time.
  const arrives = (t: number) => Math.min(0, -2 + 2 * (t / 0.2 + 0.05));
  const secondsLeft = seconds - (clock() - start);
  steps += await fitPhoto(hierarchy, readOut, photo, arrives, { ...training, seconds: secondsLeft });
  const nodes = hierarchy.getMemoryUsage().denseBytes;
  return { hierarchy, readOut, steps, bytes: { nodes, readOut: READ_OUT_BYTES, index } };
}

/** One level of colour, at the largest size that fits, trained the same way and as long. */
export async function fitOneLevel(photo: Photo, training: FitOptions): Promise<Fitted> {
  const { size } = photo;
  const side = Math.floor(Math.sqrt((budgetBytesOf(photo) - READ_OUT_BYTES) / 12));
  const hierarchy = new OctaveHierarchy(size, size, 1, {
    octaveLevels: [0],
    resolution: 1,
    channels: 3,
    trainable: true,
    sparse: false,
    octaves: { 0: { grid: [side, side, 1] } },
  });
  const readOut = makeReadOut(3);
  const steps = await fitPhoto(hierarchy, readOut, photo, () => 0, training);
  const nodes = hierarchy.getMemoryUsage().denseBytes;
  return { hierarchy, readOut, steps, bytes: { nodes, readOut: READ_OUT_BYTES, index: 0 } };
}
