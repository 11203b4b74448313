/** Exponentials for the kernels: their own, as the standard library's bring a table that would lie in tfjs's heap. */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts

/** e^x in float64, |x| ≤ 700. */
export function exp(x: f64): f64 {
  const n = nearest<f64>(x * Math.LOG2E);
  // ln 2 in two parts: n times the first one is exact.
  const r = x - n * 0.6931471803691238 - n * 1.9082149292705877e-10;
  // Taylor's sum: |r| ≤ 0.35 leaves 4e-18 after its thirteenth power.
  let sum: f64 = 1.6059043836821613e-10;
  sum = sum * r + 2.08767569878681e-9;
  sum = sum * r + 2.505210838544172e-8;
  sum = sum * r + 2.755731922398589e-7;
  sum = sum * r + 2.7557319223985893e-6;
  sum = sum * r + 2.48015873015873e-5;
  sum = sum * r + 0.0001984126984126984;
  sum = sum * r + 0.001388888888888889;
  sum = sum * r + 0.008333333333333333;
  sum = sum * r + 0.041666666666666664;
  sum = sum * r + 0.16666666666666666;
  sum = sum * r + 0.5;
  sum = sum * r + 1;
  sum = sum * r + 1;
  return sum * reinterpret<f64>((<i64>n + 1023) << 52);
}

export class Exp {
  /**
   * 2^t in four lanes for t ≤ 0, and 0 below `least` (> −126), whatever t is there. 2^f with f in ±½ is the
   * minimax polynomial of degree 5, to 7.5e-8 of the value.
   */
  @inline static power(t: v128, least: v128): v128 {
    // 1.5 · 2²³ + t has t's nearest integer in its low bits.
    const shifted = f32x4.add(t, f32x4.splat(12582912));
    const f = f32x4.sub(t, f32x4.sub(shifted, f32x4.splat(12582912)));
    let p = f32x4.splat(0.0013276471992533978);
    p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.009675541334453752));
    p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.055507132734978495));
    p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.24022119723839974));
    p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.6931469670647609));
    p = f32x4.add(f32x4.mul(p, f), f32x4.splat(1.0000000716546849));
    const scaled = i32x4.add(p, i32x4.shl(shifted, 23));
    return v128.and(scaled, f32x4.ge(t, least));
  }
}
