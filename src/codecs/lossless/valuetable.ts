/**
 * Lossless bytes of float32 [H, W, C] with few different values a channel: a table of them by bits, in order, and the
 * place in the table of each value, as integers. Tables of each channel:
 *
 *   u8 0                 the table of the channel before
 *   u8 1, f64 offset, f64 step, varint n, stream    fround(offset + k · step); the stream has the points k that are used
 *   u8 2, varint n, stream                          the stream has the bits, as ordered integers (ordered.ts)
 *
 * A stream (varint its length, bytes) has the first integer and the differences between them, less 1.
 */
import { check } from '../../errors.js';
import { ByteReader, ByteWriter } from '../bytes.js';
import {
  type Coder,
  codeUnsigned,
  EntropyDecoder,
  EntropyEncoder,
  UNSIGNED_CONTEXTS,
} from '../entropy/entropy.js';
import { type NodeShape, sizeOf } from '../parameters.js';
import { packIntegers, unpackIntegers } from './integers.js';
import { latticeOfSorted } from './lattice.js';
import { orderedBits } from './ordered.js';

const SAME = 0;
const LATTICE = 1;
const BITS = 2;
const MOST = 65_536;

/** Ordered integers of a channel's values, ascending; null if they are more than `most`. */
function tableOf(words: Int32Array, channels: number, channel: number, most: number): Int32Array | null {
  const found = new Set<number>();
  for (let i = channel; i < words.length; i += channels) {
    found.add(orderedBits(words[i]));
    if (found.size > most) return null;
  }
  return Int32Array.from(found).sort();
}

/** Null where a channel has many different values. */
export function packTabled(values: Float32Array, shape: NodeShape): Uint8Array | null {
  const channels = shape[2];
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  const most = Math.min(MOST, Math.ceil(values.length / channels / 4));
  const out = new ByteWriter();
  const integers = new Int32Array(values.length);
  let before: Int32Array | null = null;
  for (let c = 0; c < channels; c++) {
    const own = tableOf(words, channels, c, most);
    if (!own) return null;
    const rank = new Map<number, number>();
    if (before && own.every((ordered) => isIn(before as Int32Array, ordered))) {
      out.u8(SAME);
    } else {
      writeTable(out, own);
      before = own;
    }
    before.forEach((ordered, k) => {
      rank.set(ordered, k);
    });
    for (let i = c; i < words.length; i += channels) integers[i] = rank.get(orderedBits(words[i])) as number;
  }
  out.bytes(packIntegers(integers, shape));
  return out.finish();
}

export function unpackTabled(bytes: Uint8Array, shape: NodeShape, source: string): Float32Array {
  const channels = shape[2];
  const input = new ByteReader(bytes, source);
  check(channels <= input.left, () => input.error(`is too short for ${channels} channels`));
  /** Bits by place. */
  const tables: Int32Array[] = [];
  for (let c = 0; c < channels; c++) tables.push(readTable(input, tables[c - 1]));
  const integers = unpackIntegers(input.bytes(input.left), shape, source);
  const words = new Int32Array(sizeOf(shape));
  for (let i = 0, c = 0; i < words.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    const k = integers[i];
    const table = tables[c];
    if (k < 0 || k >= table.length) throw input.error(`has no value ${k} in its table`);
    words[i] = table[k];
  }
  return new Float32Array(words.buffer);
}

function isIn(sorted: Int32Array, value: number): boolean {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value;
}

function floatsOf(ordered: Int32Array): Float32Array {
  return new Float32Array(ordered.map(orderedBits).buffer);
}

function writeTable(out: ByteWriter, ordered: Int32Array): void {
  const floats = floatsOf(ordered);
  const lattice = latticeOfSorted(floats);
  if (lattice) {
    const { offset, step } = lattice;
    out.u8(LATTICE);
    out.f64(offset);
    out.f64(step);
    writeAscending(
      out,
      Array.from(floats, (v) => Math.round((v - offset) / step)),
    );
  } else {
    out.u8(BITS);
    writeAscending(out, Array.from(ordered));
  }
}

function readTable(input: ByteReader, before: Int32Array | undefined): Int32Array {
  const kind = input.u8();
  check(kind <= BITS && (kind !== SAME || before !== undefined), () =>
    input.error(`has a table of unknown kind ${kind}`),
  );
  if (kind === SAME) return before as Int32Array;
  if (kind === BITS) return Int32Array.from(readAscending(input), orderedBits);
  const offset = input.f64();
  const step = input.f64();
  const floats = Float32Array.from(readAscending(input), (k) => offset + k * step);
  return new Int32Array(floats.buffer);
}

function writeAscending(out: ByteWriter, integers: number[]): void {
  const coder = new EntropyEncoder({ contexts: UNSIGNED_CONTEXTS });
  codeAscending(coder, integers);
  const bytes = coder.finish();
  out.varint(integers.length);
  out.varint(bytes.length);
  out.bytes(bytes);
}

function readAscending(input: ByteReader): number[] {
  const count = input.varint('the number of values of a table', MOST);
  check(count > 0, () => input.error('has an empty table'));
  const bytes = input.bytes(input.varint('the length of a table', input.left));
  const integers = new Array<number>(count).fill(0);
  codeAscending(new EntropyDecoder(bytes, { contexts: UNSIGNED_CONTEXTS }), integers);
  return integers;
}

/** Both directions. Differences are below 2³²: their highest bit is coded apart. */
function codeAscending(coder: Coder, integers: number[]): void {
  const first = coder.plain((integers[0] >>> 16) & 0xffff, 16);
  integers[0] = (first << 16) | coder.plain(integers[0] & 0xffff, 16);
  for (let k = 1; k < integers.length; k++) {
    const difference = integers[k] - integers[k - 1] - 1;
    const high = coder.bit(difference >= 2 ** 31 ? 1 : 0, UNSIGNED_CONTEXTS - 1);
    const low = codeUnsigned(coder, difference & 0x7fffffff, 0);
    integers[k] = integers[k - 1] + 1 + low + high * 2 ** 31;
  }
}
