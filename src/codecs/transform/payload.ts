/**
 * The bytes of the transform codecs.
 *
 * Payload, little-endian:
 *
 *   u8                      flags: 1 a step a channel, 2 residual, 4 rotation, 8 nothing but zeros (then no more follows)
 *   f32 (× c)               quantiser's step; of each channel of the coefficients where flag 1
 *   i8, i8                  how far magnitudes 1, and above, are rebuilt below the integer, in 1/256 of a step
 *   f32 (× C)               where flag 2: half the step of the residual; of each channel where flag 1
 *   u8 n, n × (u8, u8, i16) where flag 4: plane rotations of channels p and q by the angle 2 atan(t / 32768)
 *   varint × 2              kh, kw: all other coefficients are 0
 *   the entropy-coded rest  coefficients [kh, kw, c], residual [H, W, C]
 *
 * A coefficient is fround(sign · (|q| − part) · step), rotated in float64 and rounded to float32: additions and products,
 * so the same everywhere.
 */
import { check, FormatError } from '../../errors.js';
import { ByteReader, ByteWriter } from '../bytes.js';
import { type NodeShape, type Parameters, sizeOf } from '../parameters.js';
import {
  CutStream,
  clippedLayout,
  codeCoefficients,
  coefficientDecoder,
  coefficientEncoder,
  plainLayout,
} from './coefficients.js';
import type { Transform } from './contract.js';
import { sparse } from './residual.js';
import { Rotations } from './rotation.js';

enum Flag {
  PerChannel = 1,
  Residual = 2,
  Rotated = 4,
  Zero = 8,
}

export interface Header {
  /** [c] */
  steps: Float32Array;
  /** Parts of a step by which magnitudes 1, and above, are rebuilt below the integer, in 1/256. */
  below: readonly [one: number, more: number];
  /** [C], or null without a residual. */
  halves: Float32Array | null;
  rotations: Rotations;
}

/** The coefficients [kh, kw, c] of quantised ones. */
export function dequantised(q: Int32Array, box: NodeShape, channels: number, header: Header): Float32Array {
  const { steps, below, rotations } = header;
  const c = box[2];
  const one = 1 - below[0] / 256;
  const less = below[1] / 256;
  const out = new Float32Array(q.length);
  for (let i = 0, k = 0; i < q.length; i++, k = k + 1 === c ? 0 : k + 1) {
    const v = q[i];
    if (v !== 0) out[i] = (v > 1 ? v - less : v < -1 ? v + less : v * one) * steps[k];
  }
  if (rotations.isNone) return out;
  const wide = new Float64Array(out);
  rotations.apply(wide, channels, c / channels, true);
  out.set(wide);
  return out;
}

/** Coefficients that were quantised by a step. */
export interface Quantised {
  header: Header;
  /** [kh, kw, c]: what is not zero. */
  q: Int32Array;
  box: NodeShape;
}

/** Of a wavetable of nothing but zeros. */
export const zeroPayload = (): Uint8Array => Uint8Array.of(Flag.Zero);

/** @param residual [H, W, C] multiples of twice header.halves; null for none. */
export function transformPayload(
  transform: Transform,
  shape: NodeShape,
  { q, box, header }: Quantised,
  residual: Int32Array | null,
): Uint8Array {
  const out = new ByteWriter();
  const { steps, halves, rotations, below } = header;
  const perChannel = [steps, halves ?? []].some((parts) => parts.some((part) => part !== parts[0]));
  out.u8(
    (perChannel ? Flag.PerChannel : 0) |
      (residual ? Flag.Residual : 0) |
      (rotations.isNone ? 0 : Flag.Rotated),
  );
  for (const step of perChannel ? steps : steps.subarray(0, 1)) out.f32(step);
  for (const part of below) out.u8(part & 255);
  if (residual && halves) for (const half of perChannel ? halves : halves.subarray(0, 1)) out.f32(half);
  if (!rotations.isNone) rotations.write(out);
  out.varint(box[0]);
  out.varint(box[1]);
  const coder = coefficientEncoder();
  codeCoefficients(coder, q, box, clippedLayout(transform.layout(shape), box[0], box[1]));
  if (residual) codeCoefficients(coder, residual, shape, plainLayout(shape[0], shape[1]));
  out.bytes(coder.finish());
  return out.finish();
}

/**
 * The parameters of a payload: `coefficients` [kh, kw, c] float32, the box of those that are not zero; and, where there is a
 * residual, the constants `positions` [n] int32 (flat indices of [H, W, C], rising) and `corrections` [n] float32.
 * @throws FormatError for anything but a payload of encodeTransform.
 */
export function unpackTransform(
  transform: Transform,
  payload: Uint8Array,
  shape: NodeShape,
  source: string,
): Parameters {
  const input = new ByteReader(payload, source);
  const full = transform.coefficientShape(shape);
  const channels = shape[2];
  const c = full[2];
  const flags = input.u8();
  check(flags <= 8, () => input.error(`has unknown flags ${flags}`));
  if (flags === Flag.Zero) {
    check(input.left === 0, () => input.error('holds more than zeros'));
    return { params: { coefficients: { shape: [1, 1, c], values: new Float32Array(c) } }, constants: {} };
  }
  const perChannel = (flags & Flag.PerChannel) !== 0;
  const floats = (count: number, what: string): Float32Array => {
    const read = input.floats(perChannel ? count : 1);
    check(
      read.every((v) => v > 0 && Number.isFinite(v)),
      () => input.error(`${what} must be positive`),
    );
    return perChannel ? read : new Float32Array(count).fill(read[0]);
  };
  const steps = floats(c, 'steps');
  const below = [(input.u8() << 24) >> 24, (input.u8() << 24) >> 24] as const;
  const halves = flags & Flag.Residual ? floats(channels, "the residual's bounds") : null;
  const rotations = flags & Flag.Rotated ? Rotations.read(input, channels) : Rotations.none;
  const box: NodeShape = [input.varint('kh', full[0]), input.varint('kw', full[1]), c];
  check(box[0] >= 1 && box[1] >= 1, () => input.error(`has a box of [${box.join(', ')}]`));
  const q = new Int32Array(sizeOf(box));
  const residual = halves && new Int32Array(sizeOf(shape));
  const coder = coefficientDecoder(input.bytes(input.left));
  try {
    codeCoefficients(coder, q, box, clippedLayout(transform.layout(shape), box[0], box[1]));
    if (residual) codeCoefficients(coder, residual, shape, plainLayout(shape[0], shape[1]));
  } catch (error) {
    if (error instanceof CutStream)
      throw new FormatError(source, 'ends before its coefficients do', { cause: error });
    throw error;
  }
  const coefficients = dequantised(q, box, channels, { steps, below, halves, rotations });
  check(
    coefficients.every((v) => Number.isFinite(v)),
    () => input.error('has coefficients beyond float32'),
  );
  const params = { coefficients: { shape: box, values: coefficients } };
  return { params, constants: residual && halves ? sparse(residual, halves) : {} };
}

/** @throws FormatError unless `parameters` are what unpackTransform gives for a wavetable of `shape`. */
export function checkTransformParameters(
  transform: Transform,
  { params, constants }: Parameters,
  shape: NodeShape,
  source: string,
): void {
  const [height, width, c] = transform.coefficientShape(shape);
  const box = params.coefficients?.shape ?? [];
  check(
    Object.keys(params).length === 1 &&
      params.coefficients?.values instanceof Float32Array &&
      box.length === 3 &&
      box[0] >= 1 &&
      box[0] <= height &&
      box[1] >= 1 &&
      box[1] <= width &&
      box[2] === c,
    () =>
      new FormatError(
        source,
        `must have coefficients of at most [${height}, ${width}, ${c}], got [${box.join(', ')}]`,
      ),
  );
  const names = Object.keys(constants);
  if (names.length === 0) return;
  const { positions, corrections } = constants;
  const size = sizeOf(shape);
  check(
    names.length === 2 &&
      positions?.values instanceof Int32Array &&
      corrections?.values instanceof Float32Array &&
      positions.shape.length === 1 &&
      corrections.shape.length === 1 &&
      positions.shape[0] === corrections.shape[0] &&
      positions.values.every((at, i) => at < size && (i === 0 ? at >= 0 : at > positions.values[i - 1])),
    () =>
      new FormatError(source, 'must have positions and corrections of one length, and positions that rise'),
  );
}
