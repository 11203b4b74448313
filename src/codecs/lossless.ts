/**
 * Every bit of float32: NaN payloads, −0 and ±∞ too. The payload is the smallest of
 *
 *   u8 0   the values as they are
 *   u8 1   their bytes, all first ones, then all second ones, …, deflated (RFC 1951)
 *   u8 2   a table of the different values of each channel (valuetable.ts), and integers (integers.ts): fields that were
 *          quantised before
 *   u8 3   i8 e, and integers: values that are whole multiples of 2^e
 *   u8 4   predicted floats (floats.ts): measurements and simulations
 */
import * as tf from '@tensorflow/tfjs';
import { deflateSync, Inflate } from 'fflate';
import { check, FormatError } from '../errors.js';
import { resample } from '../ops/resample.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { type DecodeContext, type EncodeOptions, type HostWavetable, WavetableCodec } from './codec.js';
import { packFloats, unpackFloats } from './lossless/floats.js';
import { MAX_INTEGER, packIntegers, unpackIntegers } from './lossless/integers.js';
import { packTabled, unpackTabled } from './lossless/valuetable.js';
import { type NodeShape, type Parameters, sizeOf } from './parameters.js';

const STORED = 0;
const DEFLATED = 1;
const TABLED = 2;
const MULTIPLES = 3;
const PREDICTED = 4;

/**
 * Lossless wavetables: no parameters, constants.values float32 [H, W, C]. It takes NaN and ±∞, meets every quality but a
 * bound on the bytes, and is never larger than the values and 64 bytes. At another resolution NaN and ±∞ spread.
 */
export class LosslessCodec extends WavetableCodec {
  readonly id = 'lossless';
  readonly version = 1;
  override readonly takesNonFinite = true;

  protected async compress(
    { values, shape }: HostWavetable,
    _target: unknown,
    { signal }: EncodeOptions,
  ): Promise<Uint8Array> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    let best = { kind: STORED, payload: bytes };
    const consider = (kind: number, payload: Uint8Array | null) => {
      signal?.throwIfAborted();
      if (payload && payload.length < best.payload.length) best = { kind, payload };
    };
    consider(DEFLATED, deflateSync(shuffled(bytes), { level: 6 }));
    consider(TABLED, packTabled(values, shape));
    consider(MULTIPLES, packMultiples(values, shape));
    // What was quantised before is not predicted better as floats.
    if (best.kind < TABLED || best.payload.length * 8 > bytes.length)
      consider(PREDICTED, packFloats(values, shape));
    const out = new Uint8Array(1 + best.payload.length);
    out[0] = best.kind;
    out.set(best.payload, 1);
    return out;
  }

  unpack(payload: Uint8Array, shape: NodeShape, source: string): Parameters {
    const input = new ByteReader(payload, source);
    const kind = input.u8();
    const rest = input.bytes(input.left);
    check(kind <= PREDICTED, () => input.error(`has values of an unknown kind ${kind}`));
    const values =
      kind === STORED
        ? stored(rest, shape, source)
        : kind === DEFLATED
          ? stored(unshuffled(inflated(rest, 4 * sizeOf(shape), source)), shape, source)
          : kind === TABLED
            ? unpackTabled(rest, shape, source)
            : kind === MULTIPLES
              ? unpackMultiples(rest, shape, source)
              : unpackFloats(rest, shape, source);
    return { params: {}, constants: { values: { shape, values } } };
  }

  checkParameters({ params, constants }: Parameters, shape: NodeShape, source: string): void {
    const { values } = constants;
    check(
      Object.keys(params).length === 0 &&
        Object.keys(constants).length === 1 &&
        values?.values instanceof Float32Array &&
        values.shape.length === 3 &&
        values.shape.every((n, i) => n === shape[i]),
      () => new FormatError(source, `must hold values [${shape.join(', ')}] and nothing else`),
    );
  }

  protected override reconstruct(
    _params: Readonly<Record<string, tf.Tensor>>,
    { values }: Readonly<Record<string, tf.Tensor>>,
    { shape, resolution: [height, width], periodic }: DecodeContext,
  ): tf.Tensor3D {
    if (height === shape[0] && width === shape[1]) return tf.clone(values) as tf.Tensor3D;
    return resample(values.expandDims(0) as tf.Tensor4D, height, width, periodic).squeeze([0]);
  }
}

function stored(bytes: Uint8Array, shape: NodeShape, source: string): Float32Array {
  check(
    bytes.length === 4 * sizeOf(shape),
    () => new FormatError(source, `must hold ${4 * sizeOf(shape)} bytes of values, got ${bytes.length}`),
  );
  return new Float32Array(bytes.slice().buffer);
}

/** Bytes 0 of all values, bytes 1, … */
function shuffled(bytes: Uint8Array): Uint8Array {
  const count = bytes.length / 4;
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[(i & 3) * count + (i >> 2)] = bytes[i];
  return out;
}

function unshuffled(bytes: Uint8Array): Uint8Array {
  const count = bytes.length / 4;
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = bytes[(i & 3) * count + (i >> 2)];
  return out;
}

/** Input that is inflated at a time: it becomes at most 1,032 times as much. */
const CHUNK = 4096;

/** Inflates to exactly `size` bytes, and holds no more than a chunk's worth beyond them. */
function inflated(bytes: Uint8Array, size: number, source: string): Uint8Array {
  const broken = (cause?: unknown) =>
    new FormatError(source, `must inflate to ${size} bytes of values`, { cause });
  check(size <= 1032 * bytes.length + 64, broken);
  const out = new Uint8Array(size);
  let length = 0;
  let overfull = false;
  let ended = false;
  try {
    const inflate = new Inflate((part, final) => {
      if (length + part.length > size) overfull = true;
      else out.set(part, length);
      length += part.length;
      ended ||= final;
    });
    for (let at = 0; at < bytes.length && !overfull; at += CHUNK) {
      inflate.push(bytes.subarray(at, at + CHUNK), at + CHUNK >= bytes.length);
    }
  } catch (cause) {
    throw broken(cause);
  }
  check(ended && length === size, broken);
  return out;
}

/** Values as whole multiples of the largest power of two that divides them all; null where they are not finite, −0, or too large. */
function packMultiples(values: Float32Array, shape: NodeShape): Uint8Array | null {
  let exponent = 127;
  let largest = 0;
  const word = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const bits = word[i];
    if (bits === 0) continue;
    const biased = (bits >>> 23) & 255;
    if (biased === 255 || bits === 0x80000000 >> 0) return null;
    const mantissa = biased === 0 ? bits & 0x7fffff : (bits & 0x7fffff) | 0x800000;
    const trailing = 31 - Math.clz32(mantissa & -mantissa);
    exponent = Math.min(exponent, Math.max(biased, 1) - 150 + trailing);
    largest = Math.max(largest, Math.abs(values[i]));
  }
  if (largest === 0) exponent = 0;
  if (exponent < -126 || largest / 2 ** exponent > MAX_INTEGER) return null;
  const unit = 2 ** exponent;
  const integers = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) integers[i] = values[i] / unit;
  const out = new ByteWriter();
  out.u8(exponent & 255);
  out.bytes(packIntegers(integers, shape));
  return out.finish();
}

function unpackMultiples(bytes: Uint8Array, shape: NodeShape, source: string): Float32Array {
  const input = new ByteReader(bytes, source);
  const exponent = (input.u8() << 24) >> 24;
  check(exponent >= -126, () => input.error(`has multiples of 2^${exponent}`));
  const integers = unpackIntegers(input.bytes(input.left), shape, source);
  const unit = 2 ** exponent;
  const values = new Float32Array(integers.length);
  for (let i = 0; i < values.length; i++) values[i] = integers[i] * unit;
  return values;
}
