/**
 * Entropy coding of a block of integer coefficients [height, width, channels], by contexts: how large a coefficient is
 * likely to be is read off those already coded around it, off the same place in the channel before, in a parent
 * band (a coarser scale) and in a sibling band, and off its band or its frequency; the opinions are mixed. Stretches of zeros cost little:
 * blocks of 8 × 8 say first whether there is anything in them.
 *
 * A coefficient is its number of bits (asked upwards or downwards from what its neighbours suggest), the bits below the
 * highest, and a sign. The same code encodes and decodes. Ideas: Said and Pearlman (1996), Wu (1997, ECECOW),
 * Mahoney (2005, logistic mixing).
 */
import { type Coder, EntropyDecoder, EntropyEncoder, type ModelSizes } from './entropy.js';

/** A rectangle of coefficients that have something in common: a subband, or all frequencies. */
export interface Band {
  y: number;
  x: number;
  height: number;
  width: number;
  /** What kind of band it is, below BAND_KINDS: each kind learns apart. */
  kind: number;
  /** Index of an earlier band of half its size a side, whose (y >> 1, x >> 1) is the same place. */
  parent?: number;
  /** Index of an earlier band of its size. */
  sibling?: number;
  /** Frequency of a row, where magnitudes fall with the radius (DCT, FFT): then `columnFrequency` too. */
  rowFrequency?: (y: number) => number;
  columnFrequency?: (x: number) => number;
}

export const BAND_KINDS = 48;

/** Bands in the order of coding: together they cover a block without overlap. */
export type Layout = readonly Band[];

const BLOCK = 8;
const INPUTS = 6;
/** Questions of one input: 32 upwards, 32 downwards; then the flags of blocks. */
const NODES = 65;
const FLAG = 64;
/** Contexts of one question of one input. */
const SPREAD = 256;
const TABLE = NODES * SPREAD;
const ACTIVITIES = 8;
const SIGNS = INPUTS * TABLE;
const EMPTY = SIGNS + 81;
/** The two bits below the highest. */
const REFINE = EMPTY + BAND_KINDS * 4;

/** What a coder of coefficients needs; other contexts may be added behind. */
export const COEFFICIENT_MODELS: Required<ModelSizes> = {
  contexts: REFINE + 8 * 32 * ACTIVITIES,
  mixes: NODES * ACTIVITIES,
  inputs: INPUTS,
};

/** Two steps an octave, below 62. */
function level(v: number): number {
  if (v < 2) return v;
  const bits = 32 - Math.clz32(v);
  return 2 * bits - 2 + ((v >>> (bits - 2)) & 1);
}

/** Four steps an octave, below 120. */
function fineLevel(v: number): number {
  if (v < 4) return v;
  const bits = 32 - Math.clz32(v);
  return 4 * bits - 8 + ((v >>> (bits - 3)) & 3);
}

const capped = (v: number, most: number): number => (v < most ? v : most);

/** Magnitudes of one band of one channel, with a border of two zeros, and the flags of its blocks. */
interface Plane {
  height: number;
  width: number;
  stride: number;
  magnitudes: Int32Array;
  blocks: Uint8Array;
  blockStride: number;
}

const BORDER = 2;
/** Sums of neighbours' magnitudes stay below 2³¹. */
const CLIPPED = 2 ** 24;
const NOTHING: Plane = {
  height: 0,
  width: 0,
  stride: 0,
  magnitudes: new Int32Array(0),
  blocks: new Uint8Array(0),
  blockStride: 0,
};

/** Four times the magnitude at a place, and its four neighbours'; 0 outside. */
function around({ height, width, stride, magnitudes }: Plane, y: number, x: number): number {
  if (y >= height || x >= width) return 0;
  const at = (y + BORDER) * stride + x + BORDER;
  return (
    4 * magnitudes[at] +
    magnitudes[at - 1] +
    magnitudes[at + 1] +
    magnitudes[at - stride] +
    magnitudes[at + stride]
  );
}

/** Thrown when a stream ends before its coefficients do. */
export class CutStream extends Error {}

const checkStream = (coder: Coder): void => {
  if (coder instanceof EntropyDecoder && coder.overrun > 4) throw new CutStream();
};

/** State of coding one block. */
class Block {
  private readonly contexts = new Int32Array(INPUTS);
  /** Context of each input, without the question. */
  private readonly spots = new Int32Array(INPUTS);
  private activity = 0;

  constructor(
    private readonly coder: Coder,
    private readonly values: Int32Array,
    private readonly width: number,
    private readonly channels: number,
  ) {}

  private ask(value: number, node: number): number {
    const { contexts, spots } = this;
    for (let i = 0; i < INPUTS; i++) contexts[i] = i * TABLE + node * SPREAD + spots[i];
    return this.coder.mixedBit(value, contexts, node * ACTIVITIES + this.activity);
  }

  /** The magnitude, asked from `start` bits on. */
  private magnitude(value: number, start: number): number {
    const want = 32 - Math.clz32(value);
    let bits = start;
    if (start === 0 || this.ask(Number(want >= start), 32 + start)) {
      while (bits < 31 && this.ask(Number(want > bits), bits)) bits++;
    } else {
      bits--;
      while (bits > 0 && !this.ask(Number(want >= bits), 32 + bits)) bits--;
    }
    if (bits < 2) return bits;
    const below = bits - 1;
    const refine = REFINE + 8 * (32 * this.activity + bits);
    const first = this.coder.bit((value >>> (below - 1)) & 1, refine);
    if (below === 1) return 2 | first;
    const second = this.coder.bit((value >>> (below - 2)) & 1, refine + 1 + first);
    const rest = below - 2;
    const low = rest > 0 ? this.coder.plain(value & ((1 << rest) - 1), rest) : 0;
    return ((4 | (first << 1) | second) << rest) | low;
  }

  /** Which blocks hold anything. */
  private flags(plane: Plane, rows: number, columns: number, band: Band, parent: Plane, before: Plane): void {
    const { blocks, blockStride } = plane;
    const { spots } = this;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const at = (y + 1) * blockStride + x + 1;
        const up = at - blockStride;
        const near = blocks[at - 1] | (blocks[up] << 1) | (blocks[up + 1] << 2) | (blocks[up - 1] << 3);
        const above =
          parent === NOTHING ? 2 : (parent.blocks[((y >> 1) + 1) * parent.blockStride + (x >> 1) + 1] ?? 0);
        const b = before.blocks;
        const old =
          before === NOTHING
            ? 0
            : 1 + b[at] + 2 * capped(b[at - 1] + b[at + 1] + b[up] + b[at + blockStride], 3);
        spots[0] = near;
        spots[1] = 16 + above * 16 + near;
        spots[2] = old * 16 + near;
        spots[3] = band.kind;
        spots[4] = above * 16 + old;
        spots[5] = 64 + above;
        this.activity = (near & 1) + ((near >> 1) & 1) + (above === 1 ? 3 : 0);
        blocks[at] = this.ask(blocks[at], FLAG);
      }
    }
  }

  /** Codes the band of one channel, and gives its magnitudes. */
  code(band: Band, channel: number, parent: Plane, sibling: Plane, before: Plane): Plane {
    const { coder, values, width, channels, spots } = this;
    const { y: y0, x: x0, height, width: w } = band;
    const stride = w + 2 * BORDER;
    const rows = Math.ceil(height / BLOCK);
    const columns = Math.ceil(w / BLOCK);
    const blockStride = columns + 2;
    const plane: Plane = {
      height,
      width: w,
      stride,
      magnitudes: new Int32Array(stride * (height + 2 * BORDER)),
      blocks: new Uint8Array(blockStride * (rows + 2)),
      blockStride,
    };
    if (height === 0 || w === 0) return NOTHING;
    const { magnitudes, blocks } = plane;
    const row = width * channels;
    const origin = y0 * row + x0 * channels + channel;
    let any = 0;
    if (!coder.decoding) {
      for (let y = 0; y < height; y++) {
        const blockRow = ((y >> 3) + 1) * blockStride + 1;
        for (let x = 0, i = origin + y * row; x < w; x++, i += channels)
          if (values[i]) blocks[blockRow + (x >> 3)] = any = 1;
      }
    }
    const empty = EMPTY + 4 * band.kind + (before === NOTHING ? 2 : before.magnitudes[0]);
    // The corner of the border tells the next channel whether there was anything: it is taken for no neighbour of weight.
    if (!coder.bit(any, empty)) return plane;
    this.flags(plane, rows, columns, band, parent, before);

    const { rowFrequency, columnFrequency } = band;
    const related = parent !== NOTHING || sibling !== NOTHING;
    for (let y = 0; y < height; y++) {
      checkStream(coder);
      const blockRow = ((y >> 3) + 1) * blockStride + 1;
      const fy = rowFrequency ? rowFrequency(y0 + y) : 0;
      for (let x = 0; x < w; x++) {
        if (!blocks[blockRow + (x >> 3)]) {
          x |= BLOCK - 1;
          continue;
        }
        const at = (y + BORDER) * stride + x + BORDER;
        const up = at - stride;
        const west = magnitudes[at - 1];
        const north = magnitudes[up];
        const northWest = magnitudes[up - 1];
        const northEast = magnitudes[up + 1];
        const far = magnitudes[at - 2] + magnitudes[up - stride];
        const corners = northWest + northEast;
        const near = 3 * (west + north) + 2 * corners + far;
        const above = around(parent, y >> 1, x >> 1);
        const beside = around(sibling, y, x);
        const old = around(before, y, x);
        let place = band.kind;
        if (columnFrequency) {
          const fx = columnFrequency(x0 + x);
          place = fineLevel(fy * fy + fx * fx);
        }
        const nearLevel = level(near);
        const nearCapped = capped(nearLevel, 15);
        const aboveLevel = level(above);
        const oldLevel = capped(level(old), 15);
        const besideLevel = capped(level(beside), 15);
        spots[0] = capped(fineLevel(near + ((above + beside + 1) >> 1)), 119) + (related ? 120 : 0);
        spots[1] = capped(level(west), 15) * 16 + capped(level(north), 15);
        spots[2] = capped(aboveLevel, 15) * 16 + nearCapped;
        spots[3] = oldLevel * 16 + nearCapped;
        spots[4] = columnFrequency
          ? capped(place, 79) * 3 + (nearLevel < 2 ? 0 : nearLevel < 7 ? 1 : 2)
          : place * 5 + capped(nearLevel >> 1, 4);
        spots[5] = related
          ? besideLevel * 16 + oldLevel
          : capped(level(corners), 15) * 16 + capped(level(far), 15);
        this.activity = capped((nearLevel + 1) >> 1, ACTIVITIES - 1);
        const start = 32 - Math.clz32((near / 12) | 0);
        const i = origin + y * row + x * channels;
        const value = values[i];
        const magnitude = this.magnitude(Math.abs(value), start);
        magnitudes[at] = magnitude < CLIPPED ? magnitude : CLIPPED;
        if (magnitude === 0) continue;
        const westSign = x > 0 ? 1 + Math.sign(values[i - channels]) : 1;
        const northSign = y > 0 ? 1 + Math.sign(values[i - row]) : 1;
        const beforeSign = before !== NOTHING ? 1 + Math.sign(values[i - 1]) : 1;
        const signs = westSign + 3 * northSign + 9 * beforeSign + 27 * (band.kind % 3);
        values[i] = coder.bit(Number(value < 0), SIGNS + signs) ? -magnitude : magnitude;
      }
    }
    magnitudes[0] = 1;
    return plane;
  }
}

/**
 * Codes `values` [height, width, channels], row-major, in the bands of `layout`, which must lie inside and each have a parent
 * and a sibling before it. A decoder is given zeros, and fills them in.
 * @param coder of at least COEFFICIENT_MODELS; what is coded by it before and after is its own affair.
 * @throws CutStream where the stream to be read ends early.
 */
export function codeCoefficients(
  coder: Coder,
  values: Int32Array,
  [, width, channels]: readonly [number, number, number],
  layout: Layout,
): void {
  const block = new Block(coder, values, width, channels);
  const planes: Plane[][] = [];
  layout.forEach((band, b) => {
    planes[b] = [];
    for (let c = 0; c < channels; c++) {
      const plane = (index: number | undefined) => (index === undefined ? NOTHING : planes[index][c]);
      planes[b][c] = block.code(
        band,
        c,
        plane(band.parent),
        plane(band.sibling),
        c ? planes[b][c - 1] : NOTHING,
      );
    }
  });
  checkStream(coder);
}

export const coefficientEncoder = (): EntropyEncoder => new EntropyEncoder(COEFFICIENT_MODELS);

export const coefficientDecoder = (data: Uint8Array): EntropyDecoder =>
  new EntropyDecoder(data, COEFFICIENT_MODELS);

/** The bands within a block of `height` by `width` from the first corner. */
export function clippedLayout(layout: Layout, height: number, width: number): Layout {
  return layout.map((band) => ({
    ...band,
    height: Math.max(0, Math.min(band.height, height - band.y)),
    width: Math.max(0, Math.min(band.width, width - band.x)),
  }));
}

/** All of a block as one band without frequencies: a sparse residual. */
export const plainLayout = (height: number, width: number): Layout => [
  { y: 0, x: 0, height, width, kind: 0 },
];

const ESTIMATE_SPOTS = 40;
const ESTIMATE_BITS = 32;

/**
 * About how many bits codeCoefficients takes: the entropy of the numbers of bits, given the magnitudes around, and the
 * bits below. A tenth of the time of coding.
 */
export function estimatedBits(
  values: Int32Array,
  [, width, channels]: readonly [number, number, number],
  layout: Layout,
): number {
  const counts = new Float64Array(ESTIMATE_SPOTS * ESTIMATE_BITS);
  const row = width * channels;
  let bits = 0;
  for (const { y: y0, x: x0, height, width: w, columnFrequency } of layout) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < w; x++) {
        let i = ((y0 + y) * width + x0 + x) * channels;
        for (let c = 0; c < channels; c++, i++) {
          let near = 0;
          if (x > 0) near += 3 * Math.abs(values[i - channels]);
          if (y > 0) {
            near += 3 * Math.abs(values[i - row]);
            if (x > 0) near += Math.abs(values[i - row - channels]);
            if (x + 1 < w) near += Math.abs(values[i - row + channels]);
          }
          if (near === 0 && values[i] === 0 && columnFrequency === undefined) {
            counts[0]++;
            continue;
          }
          const n = 32 - Math.clz32(Math.abs(values[i]));
          bits += n;
          counts[capped(level(near < CLIPPED ? near : CLIPPED), ESTIMATE_SPOTS - 1) * ESTIMATE_BITS + n]++;
        }
      }
    }
  }
  for (let spot = 0; spot < ESTIMATE_SPOTS; spot++) {
    const of = counts.subarray(spot * ESTIMATE_BITS, (spot + 1) * ESTIMATE_BITS);
    const total = of.reduce((a, b) => a + b, 0);
    for (const n of of) if (n > 0) bits += n * Math.log2(total / n) + 4;
  }
  return bits;
}
