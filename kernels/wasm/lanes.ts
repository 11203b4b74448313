/**
 * The words the kernels are written in: vectors of four float32 lanes.
 *
 * Methods, not functions, because AssemblyScript inlines by decorator and TypeScript's grammar (biome, editors)
 * lets only methods carry one.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see above
export class V {
  @inline static add(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
  @inline static sub(a: v128, b: v128): v128 {
    return f32x4.sub(a, b);
  }
  @inline static mul(a: v128, b: v128): v128 {
    return f32x4.mul(a, b);
  }
  /** sum + a · b */
  @inline static madd(sum: v128, a: v128, b: v128): v128 {
    return f32x4.add(sum, f32x4.mul(a, b));
  }
  /** a · s + b · t with s = 1 − t: at t = 0 or 1 exactly a or b, where a + (b − a) · t would lose b beside a large a. */
  @inline static lerp(a: v128, b: v128, s: v128, t: v128): v128 {
    return f32x4.add(f32x4.mul(a, s), f32x4.mul(b, t));
  }
  /** 1 − t */
  @inline static rest(t: v128): v128 {
    return f32x4.sub(f32x4.splat(1), t);
  }
  /** Lane 0, 1, 2 or 3 in all lanes. */
  @inline static lane0(v: v128): v128 {
    return v128.shuffle<i32>(v, v, 0, 0, 0, 0);
  }
  @inline static lane1(v: v128): v128 {
    return v128.shuffle<i32>(v, v, 1, 1, 1, 1);
  }
  @inline static lane2(v: v128): v128 {
    return v128.shuffle<i32>(v, v, 2, 2, 2, 2);
  }
  @inline static lane3(v: v128): v128 {
    return v128.shuffle<i32>(v, v, 3, 3, 3, 3);
  }
  @inline static zero(): v128 {
    return f32x4.splat(0);
  }
  /** All lanes set in the lanes below `count`, 0 … 4. */
  @inline static below(count: i32): v128 {
    return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
  }
  /** Clamps coordinates to 0 … last; NaN stays NaN. */
  @inline static clamp(r: v128, last: v128): v128 {
    return f32x4.pmin(f32x4.pmax(r, f32x4.splat(0)), last);
  }
  /** Stores the first `count` lanes, 1 … 3: a whole vector would run over the end of a row, and of its tensor. */
  static storeFirst(p: usize, v: v128, count: i32): void {
    store<f32>(p, f32x4.extract_lane(v, 0));
    if (count > 1) store<f32>(p, f32x4.extract_lane(v, 1), 4);
    if (count > 2) store<f32>(p, f32x4.extract_lane(v, 2), 8);
  }
}
