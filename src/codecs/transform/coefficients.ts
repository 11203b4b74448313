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
import { type Coder, EntropyDecoder, EntropyEncoder, type ModelSizes } from '../entropy/entropy.js';

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
/** Questions in one context: whether there are more than 0 … 31 bits, then whether at least 0 … 31. */
const NODES = 64;
const DOWN = 32;
/** Contexts of one input. */
const SPREAD = 256;
const TABLE = NODES * SPREAD;
const ACTIVITIES = 8;
const FLAGS = INPUTS * TABLE;
const SIGNS = FLAGS + INPUTS * SPREAD;
/** By band and channel: whether there is anything; whether it is coded directly. */
const EMPTY = SIGNS + 81;
const DIRECTLY = EMPTY + BAND_KINDS * 4;
/** The two bits below the highest. */
const REFINE = DIRECTLY + BAND_KINDS;
/** Contexts of direct coding: of what is near, and of the channel before. */
const DIRECT = REFINE + 8 * 32 * ACTIVITIES;
const FINE_LEVELS = 120;
const DIRECT_SPOTS = FINE_LEVELS * 16;

/** What a coder of coefficients needs; other contexts may be added behind. */
export const COEFFICIENT_MODELS: Required<ModelSizes> = {
  contexts: DIRECT + DIRECT_SPOTS * NODES,
  mixes: (NODES + 1) * ACTIVITIES,
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
  /** Where the contexts of each input begin. */
  private readonly spots = new Int32Array(INPUTS);
  private activity = 0;
  private place = 0;

  constructor(
    private readonly coder: Coder,
    private readonly values: Int32Array,
    private readonly width: number,
    private readonly channels: number,
  ) {}

  /** The magnitude, asked from `start` bits on under mixed contexts. */
  private mixedMagnitude(value: number, start: number): number {
    const { coder, spots, activity } = this;
    const want = 32 - Math.clz32(value);
    let bits = start;
    if (
      start === 0 ||
      coder.mixedBit(want >= start ? 1 : 0, spots, (DOWN + start) * ACTIVITIES + activity, DOWN + start)
    ) {
      while (bits < 31 && coder.mixedBit(want > bits ? 1 : 0, spots, bits * ACTIVITIES + activity, bits))
        bits++;
    } else {
      bits--;
      while (
        bits > 0 &&
        !coder.mixedBit(want >= bits ? 1 : 0, spots, (DOWN + bits) * ACTIVITIES + activity, DOWN + bits)
      )
        bits--;
    }
    return this.below(value, bits);
  }

  /** The same with one context. */
  private directMagnitude(value: number, start: number, context: number): number {
    const { coder } = this;
    const want = 32 - Math.clz32(value);
    const down = context + DOWN;
    let bits = start;
    if (start === 0 || coder.bit(want >= start ? 1 : 0, down + start)) {
      while (bits < 31 && coder.bit(want > bits ? 1 : 0, context + bits)) bits++;
    } else {
      bits--;
      while (bits > 0 && !coder.bit(want >= bits ? 1 : 0, down + bits)) bits--;
    }
    return this.below(value, bits);
  }

  /** The magnitude of so many bits, but for the bits below the highest. */
  private below(value: number, bits: number): number {
    if (bits < 2) return bits;
    const { coder } = this;
    const below = bits - 1;
    const refine = REFINE + 8 * (32 * this.activity + bits);
    const first = coder.bit((value >>> (below - 1)) & 1, refine);
    if (below === 1) return 2 | first;
    const second = coder.bit((value >>> (below - 2)) & 1, refine + 1 + first);
    const rest = below - 2;
    const low = rest > 0 ? coder.plain(value & ((1 << rest) - 1), rest) : 0;
    return ((4 | (first << 1) | second) << rest) | low;
  }

  /** Which blocks hold anything. */
  private flags(plane: Plane, rows: number, columns: number, band: Band, parent: Plane, before: Plane): void {
    const { blocks, blockStride } = plane;
    const { coder, spots } = this;
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
        spots[0] = FLAGS + near;
        spots[1] = FLAGS + SPREAD + 16 + above * 16 + near;
        spots[2] = FLAGS + 2 * SPREAD + old * 16 + near;
        spots[3] = FLAGS + 3 * SPREAD + band.kind;
        spots[4] = FLAGS + 4 * SPREAD + above * 16 + old;
        spots[5] = FLAGS + 5 * SPREAD + 64 + above;
        const activity = (near & 1) + ((near >> 1) & 1) + (above === 1 ? 3 : 0);
        blocks[at] = coder.mixedBit(blocks[at], spots, NODES * ACTIVITIES + activity);
      }
    }
  }

  /** Codes the band of one channel, and gives its magnitudes. */
  code(band: Band, channel: number, parent: Plane, sibling: Plane, before: Plane): Plane {
    const { coder, values, width, channels } = this;
    const { y: y0, x: x0, height, width: w } = band;
    if (height === 0 || w === 0) return NOTHING;
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
    const { magnitudes, blocks } = plane;
    const row = width * channels;
    const origin = y0 * row + x0 * channels + channel;
    let bits = 0;
    if (!coder.decoding) {
      for (let y = 0; y < height; y++) {
        const blockRow = ((y >> 3) + 1) * blockStride + 1;
        for (let x = 0, i = origin + y * row; x < w; x++, i += channels) {
          const value = values[i];
          if (value === 0) continue;
          blocks[blockRow + (x >> 3)] = 1;
          bits += 32 - Math.clz32(value < 0 ? -value : value);
        }
      }
    }
    const empty = EMPTY + 4 * band.kind + (before === NOTHING ? 2 : before.magnitudes[0]);
    // The corner of the border tells the next channel whether there was anything: it is taken for no neighbour of weight.
    if (!coder.bit(bits > 0 ? 1 : 0, empty)) return plane;
    const dense = height * w >= LEAST_DENSE && bits > DENSE * height * w;
    const direct = coder.bit(dense ? 1 : 0, DIRECTLY + band.kind);
    this.flags(plane, rows, columns, band, parent, before);
    const frequencies = frequenciesOf(band);
    for (let y = 0; y < height; y++) {
      checkStream(coder);
      const blockRow = ((y >> 3) + 1) * blockStride + 1;
      const row2 = band.rowFrequency ? band.rowFrequency(y0 + y) ** 2 : 0;
      for (let x = 0; x < w; x++) {
        if (!blocks[blockRow + (x >> 3)]) {
          x |= BLOCK - 1;
          continue;
        }
        const at = (y + BORDER) * stride + x + BORDER;
        const i = origin + y * row + x * channels;
        const value = values[i];
        const size = value < 0 ? -value : value;
        let magnitude: number;
        let negative = 0;
        if (direct) {
          const start = this.lookDirectly(plane, at, y, x, parent, sibling, before);
          magnitude = this.directMagnitude(size, start, this.place);
          if (magnitude === 0) continue;
          negative = coder.plain(value < 0 ? 1 : 0, 1);
        } else {
          const place = frequencies ? fineLevel(row2 + frequencies[x]) : band.kind;
          const start = this.look(plane, at, y, x, place, frequencies !== null, parent, sibling, before);
          magnitude = this.mixedMagnitude(size, start);
          if (magnitude === 0) continue;
          const westSign = x > 0 ? 1 + Math.sign(values[i - channels]) : 1;
          const northSign = y > 0 ? 1 + Math.sign(values[i - row]) : 1;
          const beforeSign = before !== NOTHING ? 1 + Math.sign(values[i - 1]) : 1;
          const signs = westSign + 3 * northSign + 9 * beforeSign + 27 * (band.kind % 3);
          negative = coder.bit(value < 0 ? 1 : 0, SIGNS + signs);
        }
        magnitudes[at] = magnitude < CLIPPED ? magnitude : CLIPPED;
        values[i] = negative ? -magnitude : magnitude;
      }
    }
    magnitudes[0] = 1;
    return plane;
  }

  /** Sets the contexts of a place. @returns the bits that are expected of it. */
  private look(
    { magnitudes, stride }: Plane,
    at: number,
    y: number,
    x: number,
    place: number,
    byFrequency: boolean,
    parent: Plane,
    sibling: Plane,
    before: Plane,
  ): number {
    const { spots } = this;
    const up = at - stride;
    const west = magnitudes[at - 1];
    const north = magnitudes[up];
    const far = magnitudes[at - 2] + magnitudes[up - stride];
    const corners = magnitudes[up - 1] + magnitudes[up + 1];
    const near = 3 * (west + north) + 2 * corners + far;
    const related = parent !== NOTHING || sibling !== NOTHING;
    const above = related ? around(parent, y >> 1, x >> 1) : 0;
    const beside = related ? around(sibling, y, x) : 0;
    const oldLevel = capped(level(around(before, y, x)), 15);
    const nearLevel = level(near);
    const nearCapped = capped(nearLevel, 15);
    spots[0] = NODES * (capped(fineLevel(near + ((above + beside + 1) >> 1)), 119) + (related ? 120 : 0));
    spots[1] = TABLE + NODES * (capped(level(west), 15) * 16 + capped(level(north), 15));
    spots[2] = 2 * TABLE + NODES * (capped(level(above), 15) * 16 + nearCapped);
    spots[3] = 3 * TABLE + NODES * (oldLevel * 16 + nearCapped);
    spots[4] =
      4 * TABLE +
      NODES *
        (byFrequency
          ? capped(place, 79) * 3 + (nearLevel < 2 ? 0 : nearLevel < 7 ? 1 : 2)
          : place * 5 + capped(nearLevel >> 1, 4));
    spots[5] =
      5 * TABLE +
      NODES *
        (related
          ? capped(level(beside), 15) * 16 + oldLevel
          : capped(level(corners), 15) * 16 + capped(level(far), 15));
    this.activity = capped((nearLevel + 1) >> 1, ACTIVITIES - 1);
    return 32 - Math.clz32((near / 12) | 0);
  }

  /** Sets the one context of a place. */
  private lookDirectly(
    { magnitudes, stride }: Plane,
    at: number,
    y: number,
    x: number,
    parent: Plane,
    sibling: Plane,
    before: Plane,
  ): number {
    const up = at - stride;
    const sum =
      3 * (magnitudes[at - 1] + magnitudes[up]) +
      2 * (magnitudes[up - 1] + magnitudes[up + 1]) +
      magnitudes[at - 2] +
      magnitudes[up - stride];
    const above = parent === NOTHING ? 0 : around(parent, y >> 1, x >> 1);
    const beside = sibling === NOTHING ? 0 : around(sibling, y, x);
    const old = before === NOTHING ? 0 : around(before, y, x);
    this.place =
      DIRECT +
      NODES *
        (capped(fineLevel(sum + ((above + beside + 1) >> 1)), FINE_LEVELS - 1) * 16 + capped(level(old), 15));
    this.activity = capped((level(sum) + 1) >> 1, ACTIVITIES - 1);
    return 32 - Math.clz32((sum / 12) | 0);
  }
}

/** From so many bits a coefficient on, one context says nearly as much as many that are mixed, in a quarter of the time. */
const DENSE = 2;
/** Its contexts are many: smaller bands would not fill them. */
const LEAST_DENSE = 8192;

/** Squares of the frequencies of columns, where a band has them. */
function frequenciesOf({ x, width, columnFrequency }: Band): Int32Array | null {
  return columnFrequency ? Int32Array.from({ length: width }, (_, k) => columnFrequency(x + k) ** 2) : null;
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
