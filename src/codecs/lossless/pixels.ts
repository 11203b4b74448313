/**
 * Lossless bytes of integers [H, W, C] that are constant in pieces: a list of the pixels there are, in the order in which
 * they first appear, and for each place the pixel it has. Most have that of a neighbour (left, above, above left or
 * right): asked in this order, each answer in contexts of where the edges are around, so an edge is coded once for
 * all channels.
 *
 *   varint K, varint n, n bytes   the list: K pixels, each channel as the difference from the pixel before it in the list
 *   the rest                      the map
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

/** More pixels than this are no list. */
const MOST = 8192;
const INPUTS = 5;
const ANSWERS = 5;
const PATTERN_BITS = 12;
const LONG_BITS = 18;
const PAIR_BITS = 16;

const BY_NEAR = 0;
const BY_PATTERN = BY_NEAR + 64 * ANSWERS;
const BY_LONG = BY_PATTERN + (ANSWERS << PATTERN_BITS);
const BY_PAIR = BY_LONG + (1 << LONG_BITS);
const BY_ABOVE = BY_PAIR + (1 << PAIR_BITS);
const NEW = BY_ABOVE + (1 << PAIR_BITS);
const WHICH = NEW + 64;
const CONTEXTS = WHICH + 2 * MOST;

const MAP_MODELS = { contexts: CONTEXTS, mixes: ANSWERS * 64, inputs: INPUTS };

const hashed = (a: number, b: number, bits: number): number =>
  Math.imul(Math.imul(a + 1, 0x2c1b3c6d) ^ (Math.imul(b + 1, 0x297a2d39) >>> 7), 0x9e3779b1) >>> (32 - bits);

/** Null where there are too many different pixels. */
export function packPixels(integers: Int32Array, shape: NodeShape): Uint8Array | null {
  const [height, width, channels] = shape;
  const count = height * width;
  const found = listed(integers, count, channels, Math.min(MOST, 64 + count / 16));
  if (!found) return null;
  const { map, list } = found;
  const lists = new EntropyEncoder({ contexts: channels * UNSIGNED_CONTEXTS });
  codeList(lists, list, channels);
  const coder = new EntropyEncoder(MAP_MODELS);
  codeMap(coder, map, height, width, list.length / channels);
  const out = new ByteWriter();
  out.varint(list.length / channels);
  const listBytes = lists.finish();
  out.varint(listBytes.length);
  out.bytes(listBytes);
  out.bytes(coder.finish());
  return out.finish();
}

export function unpackPixels(bytes: Uint8Array, shape: NodeShape, source: string): Int32Array {
  const [height, width, channels] = shape;
  const input = new ByteReader(bytes, source);
  const most = Math.min(MOST, height * width);
  const size = input.varint('the number of pixels', most);
  check(size > 0, () => input.error('must have a pixel, got none'));
  const listBytes = input.bytes(input.varint('the length of the list of pixels', input.left));
  // A value costs 1/200 of a bit at least: nothing is allocated for a list that cannot be there.
  check(size * channels <= 2048 * (listBytes.length + 8), () => input.error('has a list that is too short'));
  const list = new Int32Array(size * channels);
  const lists = new EntropyDecoder(listBytes, { contexts: channels * UNSIGNED_CONTEXTS });
  codeList(lists, list, channels);
  const map = new Int32Array(height * width);
  const coder = new EntropyDecoder(input.bytes(input.left), MAP_MODELS);
  codeMap(coder, map, height, width, size);
  check(Math.max(coder.overrun, lists.overrun) <= 4, () => input.error('is cut short'));
  const integers = new Int32Array(sizeOf(shape));
  for (let i = 0, at = 0; i < map.length; i++) {
    for (let c = 0; c < channels; c++) integers[at++] = list[map[i] * channels + c];
  }
  return integers;
}

/** The different pixels in the order of their appearance, and the map; null if there are more than `most`. */
function listed(
  integers: Int32Array,
  count: number,
  channels: number,
  most: number,
): { map: Int32Array; list: Int32Array } | null {
  const slots = new Int32Array(1 << 15).fill(-1);
  const firsts: number[] = [];
  const map = new Int32Array(count);
  const same = (a: number, b: number): boolean => {
    for (let c = 0; c < channels; c++) if (integers[a + c] !== integers[b + c]) return false;
    return true;
  };
  for (let i = 0; i < count; i++) {
    const at = i * channels;
    if (i > 0 && same(at, at - channels)) {
      map[i] = map[i - 1];
      continue;
    }
    let hash = 0;
    for (let c = 0; c < channels; c++) hash = Math.imul(hash ^ integers[at + c], 0x9e3779b1) ^ (hash >>> 15);
    let slot = (hash ^ (hash >>> 16)) & (slots.length - 1);
    while (slots[slot] >= 0 && !same(at, firsts[slots[slot]])) slot = (slot + 1) & (slots.length - 1);
    if (slots[slot] < 0) {
      if (firsts.length >= most) return null;
      slots[slot] = firsts.length;
      firsts.push(at);
    }
    map[i] = slots[slot];
  }
  const list = new Int32Array(firsts.length * channels);
  firsts.forEach((at, k) => {
    list.set(integers.subarray(at, at + channels), k * channels);
  });
  return { map, list };
}

function codeList(coder: Coder, list: Int32Array, channels: number): void {
  for (let i = 0; i < list.length; i++) {
    const before = i < channels ? 0 : list[i - channels];
    const difference = (list[i] - before) | 0;
    const folded = (difference << 1) ^ (difference >> 31);
    const got = codeUnsigned(coder, folded & 0x7fffffff, (i % channels) * UNSIGNED_CONTEXTS);
    list[i] = (before + ((got >>> 1) ^ -(got & 1))) | 0;
  }
}

/** Both directions: map values below `size`, each new one the number of those before it. */
function codeMap(coder: Coder, map: Int32Array, height: number, width: number, size: number): void {
  const stride = width + 4;
  // Two rows above, two columns on each side; a border repeats what is next to it.
  const ids = new Int32Array((height + 2) * stride);
  const contexts = new Int32Array(INPUTS);
  const bits = 32 - Math.clz32(size - 1);
  let seen = 0;
  for (let y = 0; y < height; y++) {
    const row = (y + 2) * stride + 2;
    ids.fill(ids[row - stride], row - 2, row);
    for (let x = 0; x < width; x++) {
      const at = row + x;
      const want = map[y * width + x];
      const w = ids[at - 1];
      const n = ids[at - stride];
      const nw = ids[at - stride - 1];
      const ne = ids[at - stride + 1];
      const ww = ids[at - 2];
      const nn = ids[at - 2 * stride];
      const nww = ids[at - stride - 2];
      const nee = ids[at - stride + 2];
      const nnw = ids[at - 2 * stride - 1];
      const nne = ids[at - 2 * stride + 1];
      const near =
        +(w === n) |
        (+(w === nw) << 1) |
        (+(n === nw) << 2) |
        (+(n === ne) << 3) |
        (+(w === ww) << 4) |
        (+(n === nn) << 5);
      const pattern =
        near |
        (+(nw === nww) << 6) |
        (+(ne === nee) << 7) |
        (+(nnw === nw) << 8) |
        (+(nne === ne) << 9) |
        (+(nn === nne) << 10) |
        (+(nn === nnw) << 11);
      const further = x > 2 ? at - stride : at;
      const long =
        pattern |
        (+(ids[further - 3] === nww) << 12) |
        (+(ww === nww) << 13) |
        (+(ids[at - 2 * stride - 2] === nnw) << 14) |
        (+(ids[at - 2 * stride + 2] === nne) << 15);
      const candidates = [w, n, nw, ne];
      let value = -1;
      for (let k = 0; k < 4 && value < 0; k++) {
        const candidate = candidates[k];
        if (candidates.indexOf(candidate) < k) continue;
        contexts[0] = BY_NEAR + (near * ANSWERS + k);
        contexts[1] = BY_PATTERN + ((k << PATTERN_BITS) | pattern);
        contexts[2] = BY_LONG + hashed(long, k, LONG_BITS);
        contexts[3] = BY_PAIR + hashed(Math.imul(w, 8191) ^ n, (near << 3) | k, PAIR_BITS);
        contexts[4] =
          BY_ABOVE +
          hashed(
            Math.imul(Math.imul(nw, 8191) ^ n, 8191) ^ ne,
            (w === n ? 8 : w === nw ? 16 : 0) | k,
            PAIR_BITS,
          );
        if (coder.mixedBit(+(want === candidate), contexts, k * 64 + near)) value = candidate;
      }
      if (value < 0) {
        const isNew = seen < size ? coder.bit(+(want === seen), NEW + Math.min(63, near)) : 0;
        if (isNew) value = seen++;
        else {
          let node = 1;
          for (let b = bits - 1; b >= 0; b--) node = (node << 1) | coder.bit((want >> b) & 1, WHICH + node);
          value = Math.min(size - 1, node - (1 << bits));
        }
      }
      ids[at] = value;
      map[y * width + x] = value;
      if (y === 0) {
        for (let up = 1; up <= 2; up++) ids.fill(value, at - up * stride + 1, at - up * stride + 3);
      }
    }
    ids.fill(ids[row + width - 1], row + width, row + width + 2);
  }
}
