/**
 * IEEE halves, two in an int32 lane, the even element in the low 16 bits (src/ops/contract.ts, `half`).
 *
 * The sign goes to bit 31 and the 15 other bits to where a float32 has the low end of its exponent and the high end
 * of its mantissa: the value times 2^−112, exact, subnormals too. Exponent 31, infinities and NaN, reads as 2^16 and
 * more; there alone the float32's own exponent of all ones has to be put in.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
const BITS: i32 = 0x8fffe000;

export class Half {
  /** The four even elements of eight, times 2^−112; wrong for exponent 31. */
  @inline static evenBits(lanes: v128): v128 {
    return v128.and(i32x4.shr_s(i32x4.shl(lanes, 16), 3), i32x4.splat(BITS));
  }
  /** The four odd elements of eight, times 2^−112; wrong for exponent 31. */
  @inline static oddBits(lanes: v128): v128 {
    return v128.and(i32x4.shr_s(lanes, 3), i32x4.splat(BITS));
  }
  @inline static even(lanes: v128): v128 {
    return Half.exact(Half.evenBits(lanes));
  }
  @inline static odd(lanes: v128): v128 {
    return Half.exact(Half.oddBits(lanes));
  }
  @inline static exact(bits: v128): v128 {
    const value = f32x4.mul(bits, f32x4.splat(reinterpret<f32>(0x77800000)));
    const special = f32x4.ge(f32x4.abs(value), f32x4.splat(65536));
    return v128.or(value, v128.and(special, i32x4.splat(0x7f800000)));
  }
  /** The larger magnitudes of eight elements, as integers that sort like them. */
  @inline static widest(magnitudes: v128, lanes: v128): v128 {
    return i16x8.max_s(magnitudes, v128.and(lanes, i16x8.splat(0x7fff)));
  }
  /** Whether one of the magnitudes is infinite or NaN. */
  @inline static hasSpecial(magnitudes: v128): bool {
    return v128.any_true(i16x8.ge_s(magnitudes, i16x8.splat(0x7c00)));
  }
}
