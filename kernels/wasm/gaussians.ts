/**
 * WavecubeGaussians (contract: src/ops/gaussianscontract.ts). A row at a time: the components that reach it become chords, filed
 * under their first block of eight pixels; then a sweep over the blocks keeps the chords that reach one in a list, and
 * their sums in registers. Up to four channels a sweep.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { Exp } from './exp';
import {
  AMPLITUDES,
  allFinite,
  BASE,
  CENTRE,
  CHORD_BYTES,
  COMPONENT_BYTES,
  chord,
  enter,
  FROM,
  file,
  goesOn,
  hasAmplitude,
  LEAST,
  NEXT_CHORD,
  SCALE,
  SHAPE_PARAMETERS,
  TO,
} from './gaussian';
import { V } from './lanes';

const HEADROOM: f64 = 256;

/** Bytes of scratch of an image of `count` components. A number: it may pass 2^32. */
export function gaussiansScratch(count: i32, height: i32, width: i32): f64 {
  // Components, chords, both lists of live ones; heads of rows and of blocks; a block of results.
  return <f64>count * <f64>(COMPONENT_BYTES + CHORD_BYTES + 8) + <f64>height * 4 + <f64>width + HEADROOM;
}

let live: usize;
let liveChords: usize;
let rowHeads: usize;
let blockHeads: usize;
let chords: usize;
let components: usize;
let spare: usize;

function layOut(scratch: usize, count: i32, height: i32): void {
  spare = (scratch + 15) & ~15;
  components = spare + 128;
  chords = components + <usize>count * COMPONENT_BYTES;
  live = chords + <usize>count * CHORD_BYTES;
  liveChords = live + ((<usize>count) << 2);
  rowHeads = liveChords + ((<usize>count) << 2);
  blockHeads = rowHeads + ((<usize>height) << 2);
}

/** A block's sums as `channels` interleaved rows of eight pixels. Three channels write four bytes beyond. */
class Block {
  @inline static store(to: usize, a: v128, b: v128, c: v128, d: v128, channels: i32): void {
    if (channels === 1) {
      v128.store(to, a);
      return;
    }
    const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
    const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    if (channels === 2) {
      v128.store(to, ab);
      v128.store(to, abHigh, 16);
      return;
    }
    const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
    const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    const stride = (<usize>channels) << 2;
    v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
    v128.store(to + stride, v128.shuffle<i64>(ab, cd, 1, 3));
    v128.store(to + 2 * stride, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
    v128.store(to + 3 * stride, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
  }

  /** The sums of the live chords in the block at x, of `channels` channels from `first` on. */
  @inline static sum(to: usize, count: i32, x: i32, first: usize, channels: i32): i32 {
    let a0 = V.zero(),
      a1 = V.zero(),
      b0 = V.zero(),
      b1 = V.zero();
    let c0 = V.zero(),
      c1 = V.zero(),
      d0 = V.zero(),
      d1 = V.zero();
    const least = f32x4.splat(LEAST);
    const left = <f64>x;
    let kept = liveChords;
    const end = liveChords + ((<usize>count) << 2);
    for (let next = liveChords; next < end; next += 4) {
      const at = <usize>load<u32>(next);
      const d = f32x4.splat(<f32>(left - load<f64>(at, CENTRE)));
      const scale = v128.load32_splat(at, SCALE);
      const base = v128.load32_splat(at, BASE);
      const s = V.mul(V.add(d, f32x4(0, 1, 2, 3)), scale);
      const t = V.mul(V.add(d, f32x4(4, 5, 6, 7)), scale);
      const g = Exp.power(V.sub(base, V.mul(s, s)), least);
      const h = Exp.power(V.sub(base, V.mul(t, t)), least);
      const amplitudes = <usize>load<u32>(at, AMPLITUDES) + first;
      const a = v128.load32_splat(amplitudes);
      a0 = V.madd(a0, g, a);
      a1 = V.madd(a1, h, a);
      if (channels > 1) {
        const b = v128.load32_splat(amplitudes, 4);
        b0 = V.madd(b0, g, b);
        b1 = V.madd(b1, h, b);
      }
      if (channels > 2) {
        const c = v128.load32_splat(amplitudes, 8);
        c0 = V.madd(c0, g, c);
        c1 = V.madd(c1, h, c);
      }
      if (channels > 3) {
        const e = v128.load32_splat(amplitudes, 12);
        d0 = V.madd(d0, g, e);
        d1 = V.madd(d1, h, e);
      }
      // Without a branch: which chords end here is hard to foresee.
      store<u32>(kept, <u32>at);
      kept += (<usize>(load<i32>(at, TO) >= x + 8)) << 2;
    }
    const half = (<usize>channels) << 4;
    Block.store(to, a0, b0, c0, d0, channels);
    Block.store(to + half, a1, b1, c1, d1, channels);
    return <i32>((kept - liveChords) >>> 2);
  }

  /** One sweep over a row whose chords are filed. `stride` channels lie in a pixel of the result. */
  @inline static sweep(out: usize, width: i32, first: i32, stride: i32, channels: i32): void {
    const offset = (<usize>first) << 2;
    let count = 0;
    for (let x = 0; x < width; x += 8) {
      for (
        let at = load<u32>(blockHeads + (<usize>x >>> 1));
        at !== 0;
        at = load<u32>(<usize>at + NEXT_CHORD)
      ) {
        store<u32>(liveChords + ((<usize>count) << 2), at);
        count++;
      }
      const to = out + ((<usize>x * <usize>stride) << 2) + offset;
      // Three channels write a float beyond: only where the next block is still to come.
      if (stride === channels && x + 8 + i32(channels === 3) <= width) {
        count = Block.sum(to, count, x, offset, channels);
        continue;
      }
      count = Block.sum(spare, count, x, offset, channels);
      const pixels = min(8, width - x);
      for (let j = 0; j < pixels; j++) {
        const pixel = to + ((<usize>(j * stride)) << 2);
        for (let k = 0; k < channels; k++) {
          store<f32>(pixel + ((<usize>k) << 2), load<f32>(spare + ((<usize>(j * channels + k)) << 2)));
        }
      }
    }
  }
}

function sweep1(out: usize, width: i32, first: i32, stride: i32): void {
  Block.sweep(out, width, first, stride, 1);
}
function sweep2(out: usize, width: i32, first: i32, stride: i32): void {
  Block.sweep(out, width, first, stride, 2);
}
function sweep3(out: usize, width: i32, first: i32, stride: i32): void {
  Block.sweep(out, width, first, stride, 3);
}
function sweep4(out: usize, width: i32, first: i32, stride: i32): void {
  Block.sweep(out, width, first, stride, 4);
}

/** Files the components of an image. @returns false if one of them makes it NaN. */
function fileAll(from: usize, count: i32, parameters: i32, height: i32, width: i32): bool {
  memory.fill(rowHeads, 0, (<usize>height) << 2);
  for (let m = count - 1; m >= 0; m--) {
    const x = from + ((<usize>m * <usize>parameters) << 2);
    if (!hasAmplitude(x, parameters)) continue;
    if (!allFinite(x, parameters)) return false;
    file(components + <usize>m * COMPONENT_BYTES, x, m, rowHeads, height, width);
  }
  return true;
}

/** Files the chords of a row's live components. @returns how many components go on below. */
function fileChords(count: i32, row: i32, width: i32): i32 {
  memory.fill(blockHeads, 0, (<usize>(width + 7) >>> 3) << 2);
  let kept = live;
  let to = chords;
  for (let next = live, end = live + ((<usize>count) << 2); next < end; next += 4) {
    const at = <usize>load<u32>(next);
    if (chord(to, at, row, width)) {
      const head = blockHeads + (<usize>load<i32>(to, FROM) >>> 1);
      store<u32>(to, load<u32>(head), NEXT_CHORD);
      store<u32>(head, <u32>to);
      to += CHORD_BYTES;
    }
    store<u32>(kept, <u32>at);
    kept += (<usize>goesOn(at, row)) << 2;
  }
  return <i32>((kept - live) >>> 2);
}

/** out [images, height, width, channels] of `count` components of 5 + channels numbers an image. */
export function gaussians(
  out: usize,
  from: usize,
  images: i32,
  count: i32,
  channels: i32,
  height: i32,
  width: i32,
  scratch: usize,
): void {
  layOut(scratch, count, height);
  const parameters = SHAPE_PARAMETERS + channels;
  const rowBytes = (<usize>width * <usize>channels) << 2;
  for (let n = 0; n < images; n++) {
    if (!fileAll(from, count, parameters, height, width)) {
      const end = out + <usize>height * rowBytes;
      for (; out < end; out += 4) store<f32>(out, NaN);
    } else {
      let alive = 0;
      for (let row = 0; row < height; row++) {
        alive = enter(live, alive, rowHeads + ((<usize>row) << 2));
        alive = fileChords(alive, row, width);
        for (let first = 0; first < channels; first += 4) {
          const group = channels - first;
          if (group === 1) sweep1(out, width, first, channels);
          else if (group === 2) sweep2(out, width, first, channels);
          else if (group === 3) sweep3(out, width, first, channels);
          else sweep4(out, width, first, channels);
        }
        out += rowBytes;
      }
    }
    from += (<usize>count * <usize>parameters) << 2;
  }
}
