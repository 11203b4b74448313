/**
 * Lossless bytes of integers [H, W, C], in the smaller of two ways:
 *
 *   u8 0   each channel predicted (linearprediction.ts), its residuals coded (residualcoding.ts): what varies everywhere
 *   u8 1   pixels as a whole, from a list of those there are (pixels.ts): what is constant in pieces
 *   u8 2   one pixel, everywhere: C varints
 */
import { check } from '../../errors.js';
import { ByteReader, ByteWriter, unzigzag, zigzag } from '../bytes.js';
import { type Coder, EntropyDecoder, EntropyEncoder, LEAST_BITS } from '../entropy/entropy.js';
import type { NodeShape } from '../parameters.js';
import { sizeOf } from '../parameters.js';
import {
  fitPrediction,
  type Prediction,
  predicted,
  readRounded,
  roundedPrediction,
  writeRounded,
} from './linearprediction.js';
import { packPixels, unpackPixels } from './pixels.js';
import { Planes } from './planes.js';
import { RESIDUAL_MODELS, Residuals } from './residualcoding.js';

/** Largest magnitude of an integer. */
export const MAX_INTEGER = 2 ** 29;

/** @param integers within ±MAX_INTEGER, row-major. */
export function packIntegers(integers: Int32Array, shape: NodeShape): Uint8Array {
  const constant = packConstant(integers, shape[2]);
  if (constant) return tagged(2, constant);
  const pixels = packPixels(integers, shape);
  // Few pixels with few edges: prediction will not be better, and takes its time.
  if (pixels && pixels.length * 512 < integers.length) return tagged(1, pixels);
  const predictive = packPredicted(integers, shape);
  return pixels && pixels.length < predictive.length ? tagged(1, pixels) : tagged(0, predictive);
}

/** @throws FormatError for bytes that do not hold integers of the shape. */
export function unpackIntegers(bytes: Uint8Array, shape: NodeShape, source: string): Int32Array {
  const input = new ByteReader(bytes, source);
  const mode = input.u8();
  check(mode <= 2, () => input.error(`has integers of an unknown kind ${mode}`));
  if (mode === 2) return unpackConstant(input, shape);
  const rest = bytes.subarray(1);
  // Each pixel takes one bit of the range coder at least: nothing is allocated for those that cannot be there.
  check(shape[0] * shape[1] * LEAST_BITS <= 8 * (rest.length + 4), () =>
    input.error(`is too short for [${shape.join(', ')}]`),
  );
  return mode === 1 ? unpackPixels(rest, shape, source) : unpackPredicted(rest, shape, source);
}

function packConstant(integers: Int32Array, channels: number): Uint8Array | null {
  for (let i = channels; i < integers.length; i++) if (integers[i] !== integers[i - channels]) return null;
  const out = new ByteWriter();
  for (let c = 0; c < channels; c++) out.varint(zigzag(integers[c]));
  return out.finish();
}

function unpackConstant(input: ByteReader, [height, width, channels]: NodeShape): Int32Array {
  check(channels <= input.left, () => input.error(`is too short for ${channels} channels`));
  const pixel = Int32Array.from({ length: channels }, () => unzigzag(input.varint('a level', 2 ** 31)));
  check(input.left === 0, () => input.error(`has ${input.left} bytes too many`));
  const integers = new Int32Array(height * width * channels);
  integers.set(pixel);
  // Doubled until it is full: a pixel at a time is slow for a wavetable of the largest size.
  for (let full = channels; full < integers.length; full *= 2) integers.copyWithin(full, 0, full);
  return integers;
}

function tagged(mode: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 1);
  out[0] = mode;
  out.set(bytes, 1);
  return out;
}

/** Integers beyond this are predicted with weights of more bits. */
const LARGE = 4096;

function packPredicted(integers: Int32Array, shape: NodeShape): Uint8Array {
  const planes = new Planes(shape);
  let largest = 0;
  for (let i = 0; i < integers.length; i++) largest = Math.max(largest, Math.abs(integers[i]));
  const weightBits = largest > LARGE ? 20 : 12;
  // The fit looks at all values, the coder borders them as it goes: row by row, so both see the same.
  planes.fill(integers);
  const out = new ByteWriter();
  out.u8(weightBits);
  const predictions: Prediction[] = [];
  for (let c = 0; c < shape[2]; c++) {
    const prediction = fitPrediction(planes, c, 1, weightBits + 2, (p) => roundedPrediction(p, weightBits));
    writeRounded(out, prediction, weightBits);
    predictions.push(prediction);
  }
  const coder = new EntropyEncoder(RESIDUAL_MODELS);
  codePredicted(coder, integers, new Planes(shape), shape, (c) => predictions[c]);
  out.bytes(coder.finish());
  return out.finish();
}

function unpackPredicted(bytes: Uint8Array, shape: NodeShape, source: string): Int32Array {
  const input = new ByteReader(bytes, source);
  const weightBits = input.u8();
  check(weightBits <= 24, () => input.error(`has weights of ${weightBits} bits`));
  // Nor for values that cannot be there, or channels: a prediction has two bytes at least.
  check(sizeOf(shape) * LEAST_BITS <= 8 * (input.left + 4) && 2 * shape[2] <= input.left, () =>
    input.error(`is too short for [${shape.join(', ')}]`),
  );
  const planes = new Planes(shape);
  const predictions = Array.from({ length: shape[2] }, (_, c) => readRounded(input, planes, c, weightBits));
  const integers = new Int32Array(sizeOf(shape));
  const coder = new EntropyDecoder(input.bytes(input.left), RESIDUAL_MODELS);
  codePredicted(coder, integers, planes, shape, (c) => predictions[c]);
  check(coder.overrun <= 4, () => input.error('is cut short'));
  return integers;
}

/** Both directions: what is known of `integers` is coded, what is not is filled in. */
function codePredicted(
  coder: Coder,
  integers: Int32Array,
  planes: Planes,
  shape: NodeShape,
  predictionOf: (channel: number) => Prediction,
): void {
  const [height, width, channels] = shape;
  const residuals = new Residuals(coder, shape);
  const { values } = planes;
  for (let c = 0; c < channels; c++) {
    const prediction = predictionOf(c);
    for (let y = 0; y < height; y++) {
      planes.open(c, y);
      const at = planes.row(c, y);
      const errors = residuals.open(c, y);
      for (let x = 0, i = y * width * channels + c; x < width; x++, i += channels) {
        const exact = predicted(prediction, values, at + x);
        // Of damaged weights a prediction may be anything.
        const limited = exact > MAX_INTEGER ? MAX_INTEGER : exact >= -MAX_INTEGER ? exact : -MAX_INTEGER;
        const whole = Math.floor(limited + 0.5);
        const eighth = Math.floor((limited + 0.5 - whole) * 8);
        const value = (whole + residuals.code((integers[i] - whole) | 0, errors + x, c, eighth)) | 0;
        integers[i] = value;
        values[at + x] = value;
        if (y === 0) planes.first(at + x, value);
      }
      residuals.close(errors);
      planes.close(c, y);
    }
  }
}
