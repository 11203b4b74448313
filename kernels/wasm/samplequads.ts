/**
 * WavecubeSample for rows of three, four or eight floats of a full bank in cell order, all axes clamped: fused from coordinates
 * to results, four samples a step (lanes: see cell.ts). Contract: src/ops/contract.ts.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { Cell } from './cell';
import { V } from './lanes';

class Blend {
  /** Stores the blend of the eight rows from p on at `out`: four floats, or eight where `two`. */
  @inline static put(
    out: usize,
    p: usize,
    sx: usize,
    sy: usize,
    sz: usize,
    fx: v128,
    fy: v128,
    fz: v128,
    two: bool,
  ): void {
    v128.store(out, Blend.cell(p, sx, sy, sz, fx, fy, fz));
    if (two) v128.store(out, Blend.cell(p + 16, sx, sy, sz, fx, fy, fz), 16);
  }

  /** The blend of the eight rows from p on; strides in bytes. */
  @inline static cell(p: usize, sx: usize, sy: usize, sz: usize, fx: v128, fy: v128, fz: v128): v128 {
    const q = p + sy;
    const r = p + sx;
    const s = r + sy;
    const ez = V.rest(fz);
    const ey = V.rest(fy);
    const a = V.lerp(v128.load(p), v128.load(p + sz), ez, fz);
    const b = V.lerp(v128.load(q), v128.load(q + sz), ez, fz);
    const c = V.lerp(v128.load(r), v128.load(r + sz), ez, fz);
    const d = V.lerp(v128.load(s), v128.load(s + sz), ez, fz);
    return V.lerp(V.lerp(a, b, ey, fy), V.lerp(c, d, ey, fy), V.rest(fx), fx);
  }
}

/** The whole call, compiled anew for each payload: a branch on it inside the loop costs a tenth. */
class Quads {
  @inline static sample(out: usize, nodes: usize, coords: usize, n: i32, payload: i32): void {
    const sz = (<usize>payload) << 2;
    const sy = Cell.strideY(sz);
    const sx = Cell.strideX(sz);
    const lastA = Cell.last();
    const lastB = Cell.turned(lastA);
    const lastC = Cell.turnedTwice(lastA);
    const baseA = Cell.lastBase();
    const baseB = Cell.turned(baseA);
    const baseC = Cell.turnedTwice(baseA);
    const strideA = Cell.strides(sz);
    const strideB = Cell.turned(strideA);
    const strideC = Cell.turnedTwice(strideA);
    // Rows of three are stored as four, over the start of the next: the last rows go one by one.
    const quads = payload === 3 ? (n - 1) >> 2 : n >> 2;
    const two = payload === 8;
    for (let i = 0; i < quads; i++) {
      const rA = v128.load(coords);
      const rB = v128.load(coords, 16);
      const rC = v128.load(coords, 32);
      const cA = V.clamp(rA, lastA);
      const gA = Cell.base(cA, baseA);
      const fA = Cell.fraction(rA, cA, gA);
      const iA = Cell.offsets(gA, strideA);
      const cB = V.clamp(rB, lastB);
      const gB = Cell.base(cB, baseB);
      const fB = Cell.fraction(rB, cB, gB);
      const iB = Cell.offsets(gB, strideB);
      const cC = V.clamp(rC, lastC);
      const gC = Cell.base(cC, baseC);
      const fC = Cell.fraction(rC, cC, gC);
      const iC = Cell.offsets(gC, strideC);
      const p0 = Cell.row(nodes, iA);
      Blend.put(out, p0, sx, sy, sz, V.lane0(fA), V.lane1(fA), V.lane2(fA), two);
      out += sz;
      const p1 = Cell.row1(nodes, iA, iB);
      Blend.put(out, p1, sx, sy, sz, V.lane3(fA), V.lane0(fB), V.lane1(fB), two);
      out += sz;
      const p2 = Cell.row2(nodes, iB, iC);
      Blend.put(out, p2, sx, sy, sz, V.lane2(fB), V.lane3(fB), V.lane0(fC), two);
      out += sz;
      const p3 = Cell.row3(nodes, iC);
      Blend.put(out, p3, sx, sy, sz, V.lane1(fC), V.lane2(fC), V.lane3(fC), two);
      out += sz;
      coords += 48;
    }
    for (let i = quads << 2; i < n; i++) {
      const r = v128.load(coords);
      const c = V.clamp(r, lastA);
      const g = Cell.base(c, baseA);
      const f = Cell.fraction(r, c, g);
      const p = Cell.row(nodes, Cell.offsets(g, strideA));
      if (payload === 3) V.storeFirst(out, Blend.cell(p, sx, sy, sz, V.lane0(f), V.lane1(f), V.lane2(f)), 3);
      else Blend.put(out, p, sx, sy, sz, V.lane0(f), V.lane1(f), V.lane2(f), two);
      out += sz;
      coords += 12;
    }
  }
}

export function sampleThrees(out: usize, nodes: usize, coords: usize, n: i32): void {
  Quads.sample(out, nodes, coords, n, 3);
}

export function sampleFours(out: usize, nodes: usize, coords: usize, n: i32): void {
  Quads.sample(out, nodes, coords, n, 4);
}

export function sampleEights(out: usize, nodes: usize, coords: usize, n: i32): void {
  Quads.sample(out, nodes, coords, n, 8);
}
