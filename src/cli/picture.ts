/** The picture of one wavetable. */
import * as tf from '@tensorflow/tfjs';
import { WavetableMatrix } from '../index.js';

const BACKGROUND = [0.08, 0.09, 0.11];
const AXIS = [0.25, 0.27, 0.31];
const LINE = [0.45, 0.8, 0.95];
const CURVE_HEIGHT = 256;
const CURVE_WIDTH = 768;

/**
 * @param wavetable [H, W, C].
 * @returns [rows, columns, 3] in [0, 1]: the curve of a one-row wavetable's first channel, else its colour-mapped image.
 */
export async function drawWavetable(wavetable: tf.Tensor3D): Promise<tf.Tensor3D> {
  const [height, width, channels] = wavetable.shape;
  if (height === 1) {
    const values = await wavetable.data<'float32'>();
    return drawCurve(Float32Array.from({ length: width }, (_, i) => values[i * channels]));
  }
  const one = new WavetableMatrix(1, 1, 1, { resolution: [height, width], channels });
  one.setNode(0, 0, 0, wavetable);
  const image = one.visualizeSlice({ tile: Math.min(512, Math.max(64, height, width)) });
  one.dispose();
  return image;
}

function drawCurve(values: Float32Array): tf.Tensor3D {
  const pixels = new Float32Array(CURVE_HEIGHT * CURVE_WIDTH * 3);
  const put = (row: number, column: number, colour: number[]): void =>
    pixels.set(colour, (row * CURVE_WIDTH + column) * 3);
  const peak = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const rowOf = (value: number): number => Math.round((CURVE_HEIGHT - 1) * (0.5 - (0.46 * value) / peak));
  for (let row = 0; row < CURVE_HEIGHT; row++)
    for (let column = 0; column < CURVE_WIDTH; column++)
      put(row, column, row === rowOf(0) ? AXIS : BACKGROUND);
  let last: number | undefined;
  for (let column = 0; column < CURVE_WIDTH; column++) {
    // All samples that fall on this column, and the one before, so that the line has no gaps.
    const first = Math.floor((column * values.length) / CURVE_WIDTH);
    const end = Math.max(first + 1, Math.floor(((column + 1) * values.length) / CURVE_WIDTH));
    const rows = Array.from(values.subarray(first, end), rowOf);
    if (last !== undefined) rows.push(last);
    for (let row = Math.min(...rows); row <= Math.max(...rows); row++) put(row, column, LINE);
    last = rowOf(values[end - 1]);
  }
  return tf.tensor3d(pixels, [CURVE_HEIGHT, CURVE_WIDTH, 3]);
}
