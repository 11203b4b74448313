/** Four lines of an array that go side by side through a transform, one a lane: where they begin, how they are read and written. */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts

/** The byte offsets of four lines, side by side or not. */
export let flat: bool;
export let line0: usize;
export let line1: usize;
export let line2: usize;
export let line3: usize;

export class Lines {
  /** Lines first … first + 3 of `count` ≥ 1, those past the end being the last again: line = outer · channels + channel. */
  static set(first: i32, count: i32, channels: i32, outerBytes: usize): void {
    const last = count - 1;
    flat = (channels & 3) === 0 && first + 3 <= last;
    line0 = Lines.offset(min(first, last), channels, outerBytes);
    line1 = Lines.offset(min(first + 1, last), channels, outerBytes);
    line2 = Lines.offset(min(first + 2, last), channels, outerBytes);
    line3 = Lines.offset(min(first + 3, last), channels, outerBytes);
  }
  @inline static offset(line: i32, channels: i32, outerBytes: usize): usize {
    const outer = line / channels;
    return <usize>outer * outerBytes + ((<usize>(line - outer * channels)) << 2);
  }
  @inline static load(p: usize, side: bool, o0: usize, o1: usize, o2: usize, o3: usize): v128 {
    if (side) return v128.load(p + o0);
    let v = v128.load32_zero(p + o0);
    v = v128.load_lane<f32>(p + o1, v, 1);
    v = v128.load_lane<f32>(p + o2, v, 2);
    return v128.load_lane<f32>(p + o3, v, 3);
  }
  /** Lines past the end must not be stored: `lanes` says how many there are. */
  @inline static store(p: usize, v: v128, lanes: i32, o0: usize, o1: usize, o2: usize, o3: usize): void {
    if (lanes === 5) {
      v128.store(p + o0, v);
      return;
    }
    if (lanes > 0) v128.store_lane<f32>(p + o0, v, 0);
    if (lanes > 1) v128.store_lane<f32>(p + o1, v, 1);
    if (lanes > 2) v128.store_lane<f32>(p + o2, v, 2);
    if (lanes > 3) v128.store_lane<f32>(p + o3, v, 3);
  }
  /** 5: four lines side by side. */
  @inline static lanes(first: i32, count: i32): i32 {
    return flat ? 5 : max(0, min(4, count - first));
  }
}
