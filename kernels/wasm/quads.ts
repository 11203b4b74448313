/**
 * The clamped stencil of four samples at a step: their twelve coordinates are three vectors, whose lanes are
 * xyzx yzxy zxyz. For a full bank in cell order, where a row's offset is the sum of its cell's.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { V } from './lanes';

export class Quad {
  /** The lower node of clamped coordinates, as floats. */
  @inline static base(clamped: v128, lastBase: v128): v128 {
    return f32x4.pmin(f32x4.floor(clamped), lastBase);
  }
  /** Offsets along each axis; 0 for NaN. */
  @inline static offsets(base: v128, strides: v128): v128 {
    return i32x4.mul(i32x4.trunc_sat_f32x4_s(base), strides);
  }
  /** ±∞ and NaN give NaN, all else 0. */
  @inline static poison(r: v128): v128 {
    return V.sub(r, r);
  }
  /** Lanes 0 … 2 are the sums of the first three lanes of x, y and z; of all four where `all`. */
  @inline static sums(x: v128, y: v128, z: v128, all: bool): v128 {
    const xy = v128.shuffle<i32>(x, y, 0, 4, 1, 5);
    const zz = v128.shuffle<i32>(z, z, 0, 4, 1, 5);
    const xyHigh = v128.shuffle<i32>(x, y, 2, 6, 3, 7);
    const zzHigh = v128.shuffle<i32>(z, z, 2, 6, 3, 7);
    const sum = V.add(v128.shuffle<i64>(xy, zz, 0, 2), v128.shuffle<i64>(xy, zz, 1, 3));
    const third = v128.shuffle<i64>(xyHigh, zzHigh, 0, 2);
    return V.add(sum, all ? V.add(third, v128.shuffle<i64>(xyHigh, zzHigh, 1, 3)) : third);
  }
}
