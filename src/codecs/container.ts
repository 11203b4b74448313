/**
 * The bytes of one compressed wavetable, little-endian; a varint is LEB128:
 *
 *   "WVCN"                 magic
 *   u8                     version of this layout: 1
 *   u8                     what the payload is: 0 the codec's own; 1 parameters as they are (rawparameters.ts); 2 varint n,
 *                          n bytes of the codec's own, then trained params as they are in the place of those in them
 *   varint n, n × ASCII    the codec's id
 *   varint                 the version of the codec's payload
 *   3 × varint             H, W, C
 *   3 × f32                achieved: maximum error, PSNR in dB (∞ if exact), relative RMS error; each rounded to the side
 *                          that claims less
 *   varint n, n × byte     payload
 *   u32                    CRC-32C of all before it
 */
import { crc32c } from '../checksum.js';
import { check, FormatError } from '../errors.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { type NodeShape, sizeOf } from './parameters.js';
import type { Achieved } from './quality.js';

const MAGIC = 'WVCN';
const LAYOUT = 1;
/** Elements of the largest wavetable: what a hostile header can make a reader allocate. */
export const MAX_ELEMENTS = 2 ** 26;

export enum PayloadKind {
  Codec = 0,
  Raw = 1,
  Trained = 2,
}

export interface Contents {
  codec: string;
  version: number;
  kind: PayloadKind;
  shape: NodeShape;
  achieved: Achieved;
  payload: Uint8Array;
}

/** The float32 next to `x` that is not below it (or not above it, where `down`). */
function roundedTo32(x: number, down: boolean): number {
  const near = Math.fround(x);
  if (near === 0 && x > 0 && !down) return 2 ** -149;
  if (!Number.isFinite(near) || near === 0 || (down ? near <= x : near >= x)) return near;
  const bits = new Int32Array(Float32Array.of(near).buffer);
  bits[0] += near > 0 === down ? -1 : 1;
  return new Float32Array(bits.buffer)[0];
}

export function writeContainer({ codec, version, kind, shape, achieved, payload }: Contents): Uint8Array {
  const out = new ByteWriter();
  for (const letter of MAGIC) out.u8(letter.charCodeAt(0));
  out.u8(LAYOUT);
  out.u8(kind);
  out.ascii(codec);
  out.varint(version);
  for (const n of shape) out.varint(n);
  out.f32(roundedTo32(achieved.maxError, false));
  out.f32(roundedTo32(achieved.psnr, true));
  out.f32(roundedTo32(achieved.relativeError, false));
  out.varint(payload.length);
  out.bytes(payload);
  const whole = out.finish();
  out.u32(crc32c(whole));
  return out.finish();
}

/** Bytes that writeContainer adds to a payload of `payloadBytes`. */
export function overheadOf(codec: string, version: number, shape: NodeShape, payloadBytes: number): number {
  const achieved = { maxError: 0, psnr: 0, relativeError: 0 };
  const empty = writeContainer({
    codec,
    version,
    kind: PayloadKind.Codec,
    shape,
    achieved,
    payload: new Uint8Array(0),
  });
  let lengthBytes = 0;
  for (let n = payloadBytes; n >= 128; n = Math.floor(n / 128)) lengthBytes++;
  return empty.length + lengthBytes;
}

/**
 * @param source what errors call the bytes. @param verify whether the checksum is.
 * @throws FormatError for bytes that are not one whole container; nothing is allocated on their word.
 */
export function readContainer(bytes: Uint8Array, source: string, verify = true): Contents {
  const input = new ByteReader(bytes, source);
  const magic = bytes.length < 4 ? '' : String.fromCharCode(...input.bytes(4));
  check(
    magic === MAGIC,
    () => new FormatError(source, `is no compressed wavetable (magic ${JSON.stringify(magic)})`),
  );
  const layout = input.u8();
  check(layout === LAYOUT, () => input.error(`has layout ${layout}; this library reads ${LAYOUT}`));
  const kind: PayloadKind = input.u8();
  check(kind <= PayloadKind.Trained, () => input.error(`has a payload of unknown kind ${kind}`));
  if (verify) {
    const stored = new ByteReader(bytes.subarray(bytes.length - 4), source).u32();
    const actual = crc32c(bytes.subarray(0, bytes.length - 4));
    check(stored === actual, () => new FormatError(source, 'is damaged: its CRC-32C does not match'));
  }
  const codec = input.ascii('the length of the codec id');
  const version = input.varint('the codec version');
  const shape: NodeShape = [input.varint('H'), input.varint('W'), input.varint('C')];
  check(sizeOf(shape) >= 1 && sizeOf(shape) <= MAX_ELEMENTS, () =>
    input.error(`must have between 1 and ${MAX_ELEMENTS} elements, got [${shape.join(', ')}]`),
  );
  const [maxError, psnr, relativeError] = input.floats(3);
  const payload = input.bytes(input.varint('the length of the payload', input.left));
  check(input.left === 4, () => input.error(`must end with a checksum of 4 bytes, got ${input.left}`));
  return { codec, version, kind, shape, achieved: { maxError, psnr, relativeError }, payload };
}
