/**
 * The eight dot products ⟨row_k, values⟩ of one sample, from which CoordGrad and CoordGradTangent follow
 * (src/ops/contract.ts), in float64 lanes of scratch: dots [8] f64.
 */
import { Half } from './half';
import { V } from './lanes';
import { absent } from './stencil';

/** Adds the part of the products over the bytes from … to, `from` a multiple of 16, of float32 rows. */
export function addDots(dots: usize, values: usize, taps: usize, from: usize, to: usize): void {
  const p0 = load<usize>(taps);
  const p1 = load<usize>(taps, 4);
  const p2 = load<usize>(taps, 8);
  const p3 = load<usize>(taps, 12);
  const p4 = load<usize>(taps, 16);
  const p5 = load<usize>(taps, 20);
  const p6 = load<usize>(taps, 24);
  const p7 = load<usize>(taps, 28);
  let a0 = V.zero();
  let a1 = V.zero();
  let a2 = V.zero();
  let a3 = V.zero();
  let a4 = V.zero();
  let a5 = V.zero();
  let a6 = V.zero();
  let a7 = V.zero();
  const whole = to & ~15;
  let b = from;
  // Two vectors a step: the addresses of nine streams cost as much as the products.
  for (; b + 32 <= whole; b += 32) {
    const u = values + b;
    const v = v128.load(u);
    const w = v128.load(u, 16);
    let p = p0 + b;
    a0 = V.madd(V.madd(a0, v, v128.load(p)), w, v128.load(p, 16));
    p = p1 + b;
    a1 = V.madd(V.madd(a1, v, v128.load(p)), w, v128.load(p, 16));
    p = p2 + b;
    a2 = V.madd(V.madd(a2, v, v128.load(p)), w, v128.load(p, 16));
    p = p3 + b;
    a3 = V.madd(V.madd(a3, v, v128.load(p)), w, v128.load(p, 16));
    p = p4 + b;
    a4 = V.madd(V.madd(a4, v, v128.load(p)), w, v128.load(p, 16));
    p = p5 + b;
    a5 = V.madd(V.madd(a5, v, v128.load(p)), w, v128.load(p, 16));
    p = p6 + b;
    a6 = V.madd(V.madd(a6, v, v128.load(p)), w, v128.load(p, 16));
    p = p7 + b;
    a7 = V.madd(V.madd(a7, v, v128.load(p)), w, v128.load(p, 16));
  }
  if (b < whole) {
    const v = v128.load(values + b);
    a0 = V.madd(a0, v, v128.load(p0 + b));
    a1 = V.madd(a1, v, v128.load(p1 + b));
    a2 = V.madd(a2, v, v128.load(p2 + b));
    a3 = V.madd(a3, v, v128.load(p3 + b));
    a4 = V.madd(a4, v, v128.load(p4 + b));
    a5 = V.madd(a5, v, v128.load(p5 + b));
    a6 = V.madd(a6, v, v128.load(p6 + b));
    a7 = V.madd(a7, v, v128.load(p7 + b));
    b += 16;
  }
  if (b < to) {
    // What lies behind the row may be NaN: the products are cut, not the factors.
    const cut = V.below(<i32>(to - b) >> 2);
    const v = v128.load(values + b);
    a0 = V.add(a0, v128.and(V.mul(v, v128.load(p0 + b)), cut));
    a1 = V.add(a1, v128.and(V.mul(v, v128.load(p1 + b)), cut));
    a2 = V.add(a2, v128.and(V.mul(v, v128.load(p2 + b)), cut));
    a3 = V.add(a3, v128.and(V.mul(v, v128.load(p3 + b)), cut));
    a4 = V.add(a4, v128.and(V.mul(v, v128.load(p4 + b)), cut));
    a5 = V.add(a5, v128.and(V.mul(v, v128.load(p5 + b)), cut));
    a6 = V.add(a6, v128.and(V.mul(v, v128.load(p6 + b)), cut));
    a7 = V.add(a7, v128.and(V.mul(v, v128.load(p7 + b)), cut));
  }
  add(dots, p0, a0);
  add(dots + 8, p1, a1);
  add(dots + 16, p2, a2);
  add(dots + 24, p3, a3);
  add(dots + 32, p4, a4);
  add(dots + 40, p5, a5);
  add(dots + 48, p6, a6);
  add(dots + 56, p7, a7);
}

/** As addDots, of rows of halves; from and to are bytes of `values`, `from` a multiple of 32. */
export function addDotsHalf(dots: usize, values: usize, taps: usize, from: usize, to: usize): void {
  for (let k: usize = 0; k < 8; k++) {
    const row = load<usize>(taps + (k << 2));
    let a = V.zero();
    for (let b = from; b < to; b += 32) {
      const left = <i32>(to - b) >> 2;
      const v = v128.load(values + b);
      const w = v128.load(values + b, 16);
      const x = v128.load(row + (b >> 1));
      const even = V.mul(v128.shuffle<i32>(v, w, 0, 2, 4, 6), Half.even(x));
      const odd = V.mul(v128.shuffle<i32>(v, w, 1, 3, 5, 7), Half.odd(x));
      a = V.add(a, v128.and(even, V.below((left + 1) >> 1)));
      a = V.add(a, v128.and(odd, V.below(left >> 1)));
    }
    add(dots + (k << 3), row, a);
  }
}

/** An absent row is zero, but times a value that is not finite would count. */
function add(dot: usize, row: usize, lanes: v128): void {
  if (row === absent) return;
  const low = f64x2.promote_low_f32x4(lanes);
  const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(lanes, lanes, 2, 3, 2, 3));
  const sum = f64x2.add(low, high);
  store<f64>(dot, load<f64>(dot) + f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
}

/**
 * The gradient of one sample from its dots: out [3] f32. `axes` holds fractions and slopes (stencil.ts); `tangent` 0
 * is CoordGrad.
 */
export function gradient(out: usize, dots: usize, axes: usize, tangent: usize): void {
  const fx = <f64>load<f32>(axes);
  const fy = <f64>load<f32>(axes, 4);
  const fz = <f64>load<f32>(axes, 8);
  // biome-ignore lint/suspicious/noGlobalIsNan: in AssemblyScript it is typed
  if (isNaN(fx)) {
    store<f32>(out, 0);
    store<f32>(out, 0, 4);
    store<f32>(out, 0, 8);
    return;
  }
  const sx = <f64>load<f32>(axes, 16);
  const sy = <f64>load<f32>(axes, 20);
  const sz = <f64>load<f32>(axes, 24);
  const d0 = load<f64>(dots);
  const d1 = load<f64>(dots, 8);
  const d2 = load<f64>(dots, 16);
  const d3 = load<f64>(dots, 24);
  const d4 = load<f64>(dots, 32);
  const d5 = load<f64>(dots, 40);
  const d6 = load<f64>(dots, 48);
  const d7 = load<f64>(dots, 56);
  // Differences along z, then blends along z, of the four edges (x, y) = 00, 01, 10, 11.
  const z0 = d1 - d0;
  const z1 = d3 - d2;
  const z2 = d5 - d4;
  const z3 = d7 - d6;
  const e0 = d0 + z0 * fz;
  const e1 = d2 + z1 * fz;
  const e2 = d4 + z2 * fz;
  const e3 = d6 + z3 * fz;
  let gx: f64;
  let gy: f64;
  let gz: f64;
  if (tangent === 0) {
    gx = mix(e2, e3, fy) - mix(e0, e1, fy);
    gy = mix(e1 - e0, e3 - e2, fx);
    gz = mix(mix(z0, z1, fy), mix(z2, z3, fy), fx);
  } else {
    const hx = <f64>load<f32>(tangent) * sx;
    const hy = <f64>load<f32>(tangent, 4) * sy;
    const hz = <f64>load<f32>(tangent, 8) * sz;
    const xy = e3 - e2 - e1 + e0;
    const xz = mix(z2, z3, fy) - mix(z0, z1, fy);
    const yz = mix(z1 - z0, z3 - z2, fx);
    gx = hy * xy + hz * xz;
    gy = hx * xy + hz * yz;
    gz = hx * xz + hy * yz;
  }
  store<f32>(out, <f32>(sx * gx));
  store<f32>(out, <f32>(sy * gy), 4);
  store<f32>(out, <f32>(sz * gz), 8);
}

function mix(a: f64, b: f64, t: f64): f64 {
  return a + (b - a) * t;
}
