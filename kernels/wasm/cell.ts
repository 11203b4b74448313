/**
 * The clamped stencil of a full bank in cell order, for the fused kernels: no table of taps, as the row of a cell is the
 * sum of its offsets along the axes and its neighbours lie at fixed strides. What stencil.ts says of clamp holds here.
 *
 * Lanes are xyz·, one sample a vector; or, where four samples go at a step, their twelve coordinates are the vectors
 * A, B, C with lanes xyzx yzxy zxyz. Per call: last, lastBase, strides. Per sample: r, c = V.clamp(r, last),
 * g = base, f = fraction, and the address of the first row.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { V } from './lanes';
import { dimX, dimY, dimZ } from './stencil';

export class Cell {
  /** Bytes from a row to its neighbour along y and x. */
  @inline static strideY(rowBytes: usize): usize {
    return <usize>dimZ() * rowBytes;
  }
  @inline static strideX(rowBytes: usize): usize {
    return <usize>dimY() * Cell.strideY(rowBytes);
  }
  /** The last node of each axis. */
  @inline static last(): v128 {
    return f32x4(<f32>(dimX() - 1), <f32>(dimY() - 1), <f32>(dimZ() - 1), <f32>(dimX() - 1));
  }
  @inline static lastBase(): v128 {
    return V.sub(Cell.last(), f32x4.splat(1));
  }
  @inline static strides(rowBytes: usize): v128 {
    const x = <i32>Cell.strideX(rowBytes);
    return i32x4(x, <i32>Cell.strideY(rowBytes), <i32>rowBytes, x);
  }
  /** The lower node of clamped coordinates, as floats. */
  @inline static base(c: v128, lastBase: v128): v128 {
    return f32x4.pmin(f32x4.floor(c), lastBase);
  }
  /** c − g; NaN where r is not finite. */
  @inline static fraction(r: v128, c: v128, g: v128): v128 {
    return V.add(V.sub(c, g), V.sub(r, r));
  }
  /** Whether the first three coordinates are finite. */
  @inline static isFinite(r: v128): bool {
    const difference = V.sub(r, r);
    return !v128.any_true(v128.and(f32x4.ne(difference, difference), V.below(3)));
  }
  /** Bytes along each axis; 0 for NaN. */
  @inline static offsets(g: v128, strides: v128): v128 {
    return i32x4.mul(i32x4.trunc_sat_f32x4_s(g), strides);
  }
  /** The first row of the sample in lanes 0 … 2. */
  @inline static row(start: usize, offsets: v128): usize {
    const x = i32x4.extract_lane(offsets, 0);
    const y = i32x4.extract_lane(offsets, 1);
    const z = i32x4.extract_lane(offsets, 2);
    return start + <usize>(x + y + z);
  }
  /** That of the second, third and fourth sample of three vectors. */
  @inline static row1(start: usize, a: v128, b: v128): usize {
    const x = i32x4.extract_lane(a, 3);
    const y = i32x4.extract_lane(b, 0);
    const z = i32x4.extract_lane(b, 1);
    return start + <usize>(x + y + z);
  }
  @inline static row2(start: usize, b: v128, c: v128): usize {
    const x = i32x4.extract_lane(b, 2);
    const y = i32x4.extract_lane(b, 3);
    const z = i32x4.extract_lane(c, 0);
    return start + <usize>(x + y + z);
  }
  @inline static row3(start: usize, c: v128): usize {
    const x = i32x4.extract_lane(c, 1);
    const y = i32x4.extract_lane(c, 2);
    const z = i32x4.extract_lane(c, 3);
    return start + <usize>(x + y + z);
  }
  /** xyzx → yzxy and zxyz: what vector A holds, for B and C. */
  @inline static turned(a: v128): v128 {
    return v128.shuffle<i32>(a, a, 1, 2, 0, 1);
  }
  @inline static turnedTwice(a: v128): v128 {
    return v128.shuffle<i32>(a, a, 2, 0, 1, 2);
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
