/**
 * One pass of WavecubeWavelet. Contract: src/ops/wavelet.ts; the passes: src/ops/waveletpasses.ts.
 */
import { V } from './lanes';

/** A copy of the corner [h, line] of x, whose rows are `stride` bytes apart. */
function copyCorner(to: usize, x: usize, h: i32, line: usize, stride: usize): void {
  for (let y = 0; y < h; y++) {
    memory.copy(to, x, line);
    to += line;
    x += stride;
  }
}

/** out[i] = Σ_t weights[t] · from[indices[t] · step + i] for i below `line` bytes. */
function combine(
  out: usize,
  from: usize,
  line: usize,
  step: usize,
  indices: usize,
  weights: usize,
  taps: i32,
): void {
  const whole = line & ~31;
  const bytes = (<usize>taps) << 2;
  let i: usize = 0;
  for (; i < whole; i += 32) {
    let a = V.zero();
    let b = V.zero();
    for (let t: usize = 0; t < bytes; t += 4) {
      const weight = v128.load32_splat(weights + t);
      const at = from + <usize>load<i32>(indices + t) * step + i;
      a = V.madd(a, weight, v128.load(at));
      b = V.madd(b, weight, v128.load(at, 16));
    }
    v128.store(out + i, a);
    v128.store(out + i, b, 16);
  }
  for (; i < line; i += 16) {
    let a = V.zero();
    for (let t: usize = 0; t < bytes; t += 4) {
      const at = from + <usize>load<i32>(indices + t) * step + i;
      a = V.madd(a, v128.load32_splat(weights + t), v128.load(at));
    }
    const left = <i32>((line - i) >> 2);
    if (left >= 4) v128.store(out + i, a);
    else V.storeFirst(out + i, a, left);
  }
}

/**
 * Multiplies the corner [h, w] of an image [·, width, channels] at x, in place, along its height (axis 0) or its width (axis 1).
 * `scratch` has room for the corner, or for one of its rows, and 32 bytes.
 */
export function waveletPass(
  x: usize,
  width: i32,
  channels: i32,
  h: i32,
  w: i32,
  axis: i32,
  indices: usize,
  weights: usize,
  taps: i32,
  scratch: usize,
): void {
  const pixel = (<usize>channels) << 2;
  const stride = pixel * <usize>width;
  const line = pixel * <usize>w;
  const row = (<usize>taps) << 2;
  if (axis === 0) {
    copyCorner(scratch, x, h, line, stride);
    for (let y = 0; y < h; y++) {
      combine(x, scratch, line, line, indices, weights, taps);
      x += stride;
      indices += row;
      weights += row;
    }
    return;
  }
  for (let y = 0; y < h; y++) {
    memory.copy(scratch, x, line);
    let i = indices;
    let f = weights;
    for (let at = x; at < x + line; at += pixel) {
      combine(at, scratch, pixel, pixel, i, f, taps);
      i += row;
      f += row;
    }
    x += stride;
  }
}
