/** WavecubeAddBox. Contract: src/ops/addbox.ts. */
import { V } from './lanes';

/** x [n, h, w], and y [n, kh, kw] added to its first corner; w and kw are floats of a row. */
export function addBox(out: usize, x: usize, y: usize, n: i32, h: i32, w: i32, kh: i32, kw: i32): void {
  const row = (<usize>w) << 2;
  const line = (<usize>kw) << 2;
  const whole = line & ~15;
  memory.copy(out, x, row * <usize>n * <usize>h);
  for (let i = 0; i < n; i++) {
    let to = out + row * <usize>h * <usize>i;
    for (let j = 0; j < kh; j++) {
      let b: usize = 0;
      for (; b < whole; b += 16) v128.store(to + b, V.add(v128.load(to + b), v128.load(y + b)));
      for (; b < line; b += 4) store<f32>(to + b, load<f32>(to + b) + load<f32>(y + b));
      to += row;
      y += line;
    }
  }
}
