/**
 * Lossless bytes of float32 [H, W, C] by prediction: a value is predicted from its neighbours (linearprediction.ts), and the
 * number of floats between the two is coded (residualcoding.ts). What is not finite counts as 0 for its neighbours.
 * After P. Lindstrom and M. Isenburg, "Fast and Efficient Compression of Floating-Point Data" (2006).
 *
 *   each channel   its prediction, in float32
 *   the rest       residuals
 */
import { check } from '../../errors.js';
import { ByteReader, ByteWriter } from '../bytes.js';
import { type Coder, EntropyDecoder, EntropyEncoder, LEAST_BITS } from '../entropy/entropy.js';
import { type NodeShape, sizeOf } from '../parameters.js';
import {
  fitPrediction,
  floatPrediction,
  type Prediction,
  predicted,
  readFloats,
  writeFloats,
} from './linearprediction.js';
import { orderedBits, orderedOf } from './ordered.js';
import { Planes } from './planes.js';
import { RESIDUAL_MODELS, Residuals } from './residualcoding.js';

export function packFloats(values: Float32Array, shape: NodeShape): Uint8Array {
  const planes = new Planes(shape);
  let largest = 0;
  const finite = values.slice();
  for (let i = 0; i < finite.length; i++) {
    if (!Number.isFinite(finite[i])) finite[i] = 0;
    largest = Math.max(largest, Math.abs(finite[i]));
  }
  planes.fill(finite);
  const out = new ByteWriter();
  const predictions: Prediction[] = [];
  for (let c = 0; c < shape[2]; c++) {
    const prediction = fitPrediction(planes, c, largest * 2 ** -22 || 1, 32, floatPrediction);
    writeFloats(out, prediction);
    predictions.push(prediction);
  }
  const coder = new EntropyEncoder(RESIDUAL_MODELS);
  const words = new Int32Array(values.slice().buffer);
  codeFloats(coder, words, new Planes(shape), shape, predictions);
  out.bytes(coder.finish());
  return out.finish();
}

export function unpackFloats(bytes: Uint8Array, shape: NodeShape, source: string): Float32Array {
  const input = new ByteReader(bytes, source);
  // Each value takes a bit of the range coder at least, each prediction five bytes: nothing is allocated for others.
  check(sizeOf(shape) * LEAST_BITS <= 8 * (input.left + 4) && 5 * shape[2] <= input.left, () =>
    input.error(`is too short for [${shape.join(', ')}]`),
  );
  const planes = new Planes(shape);
  const predictions = Array.from({ length: shape[2] }, (_, c) => readFloats(input, planes, c));
  const words = new Int32Array(sizeOf(shape));
  const coder = new EntropyDecoder(input.bytes(input.left), RESIDUAL_MODELS);
  codeFloats(coder, words, planes, shape, predictions);
  check(coder.overrun <= 4, () => input.error('is cut short'));
  return new Float32Array(words.buffer);
}

/** Both directions, on the bits of values: what is known is coded, what is not is filled in. */
function codeFloats(
  coder: Coder,
  words: Int32Array,
  planes: Planes,
  shape: NodeShape,
  predictions: readonly Prediction[],
): void {
  const [height, width, channels] = shape;
  const residuals = new Residuals(coder, shape);
  const near = planes.values;
  const reals = new Float32Array(words.buffer);
  for (let c = 0; c < channels; c++) {
    const prediction = predictions[c];
    for (let y = 0; y < height; y++) {
      planes.open(c, y);
      const at = planes.row(c, y);
      const errors = residuals.open(c, y);
      for (let x = 0, i = y * width * channels + c; x < width; x++, i += channels) {
        const exact = predicted(prediction, near, at + x);
        // NaN, of damaged or huge weights, predicts 0.
        const expected = orderedOf(Number.isNaN(exact) ? 0 : exact);
        const residual = (orderedBits(words[i]) - expected) | 0;
        words[i] = orderedBits((expected + residuals.code(residual, errors + x, c, 0)) | 0);
        const value = reals[i];
        near[at + x] = value - value === 0 ? value : 0;
        if (y === 0) planes.first(at + x, near[at + x]);
      }
      residuals.close(errors);
      planes.close(c, y);
    }
  }
}
