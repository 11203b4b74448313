/**
 * WavecubeTridiagonal. Contract: src/ops/tridiagonalcontract.ts; the plan: src/ops/tridiagonalplan.ts, here [n, 4] float32.
 */
import { V } from './lanes';

/** Bytes of a row that are solved at once, so that a strip of the lines stays in the cache from one pass to the next. */
const STRIP: usize = 256;

/** out = p · x − q · y of `bytes` bytes; out may be x or y. */
function combine(out: usize, p: v128, x: usize, q: v128, y: usize, bytes: usize): void {
  const whole = bytes & ~15;
  let i: usize = 0;
  for (; i < whole; i += 16) {
    v128.store(out + i, V.sub(V.mul(p, v128.load(x + i)), V.mul(q, v128.load(y + i))));
  }
  // A whole vector would run into the next row, which may be finished.
  for (; i < bytes; i += 4) {
    const a = f32x4.extract_lane(p, 0) * load<f32>(x + i);
    store<f32>(out + i, a - f32x4.extract_lane(q, 0) * load<f32>(y + i));
  }
}

/** One strip of the lines of [n, width]: `row` bytes from a row to the next, `bytes` of each. */
function strip(out: usize, x: usize, plan: usize, n: i32, row: usize, bytes: usize, cyclic: bool): void {
  const m = cyclic ? n - 1 : n;
  const zero = V.zero();
  const one = f32x4.splat(1);
  for (let i = 0; i < m; i++) {
    const p = plan + ((<usize>i) << 4);
    const at = <usize>i * row;
    const before = i > 0 ? out + at - row : x;
    combine(out + at, v128.load32_splat(p), x + at, i > 0 ? v128.load32_splat(p, 4) : zero, before, bytes);
  }
  for (let i = m - 2; i >= 0; i--) {
    const at = out + <usize>i * row;
    combine(at, one, at, v128.load32_splat(plan + ((<usize>i) << 4), 8), at + row, bytes);
  }
  if (!cyclic) return;
  const p = plan + ((<usize>m) << 4);
  const last = out + <usize>m * row;
  if (m === 0) {
    combine(last, v128.load32_splat(p), x, zero, x, bytes);
    return;
  }
  combine(last, v128.load32_splat(p), x + <usize>m * row, v128.load32_splat(p, 4), out, bytes);
  combine(last, one, last, v128.load32_splat(p, 8), last - row, bytes);
  for (let i = 0; i < m; i++) {
    const at = out + <usize>i * row;
    combine(at, one, at, v128.load32_splat(plan + ((<usize>i) << 4), 12), last, bytes);
  }
}

/** Solves x [outer, n, width] into out. */
export function tridiagonal(
  out: usize,
  x: usize,
  plan: usize,
  outer: i32,
  n: i32,
  width: i32,
  cyclic: bool,
): void {
  const row = (<usize>width) << 2;
  const block = row * <usize>n;
  for (let a = 0; a < outer; a++) {
    for (let at: usize = 0; at < row; at += STRIP) {
      strip(out + at, x + at, plan, n, row, min(STRIP, row - at), cyclic);
    }
    out += block;
    x += block;
  }
}
