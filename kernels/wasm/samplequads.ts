/**
 * WavecubeSample for rows of three or four floats of a full bank in cell order, all axes clamped: fused from coordinates
 * to results, four samples a step (lanes: see quads.ts). Contract: src/ops/contract.ts.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { V } from './lanes';
import { Quad } from './quads';
import { dimX, dimY, dimZ } from './stencil';

class Cell {
  /** The blend of the eight rows from p on; strides in bytes. */
  @inline static blend(p: usize, sx: usize, sy: usize, sz: usize, fx: v128, fy: v128, fz: v128): v128 {
    const q = p + sy;
    const r = p + sx;
    const s = r + sy;
    const a = V.lerp(v128.load(p), v128.load(p + sz), fz);
    const b = V.lerp(v128.load(q), v128.load(q + sz), fz);
    const c = V.lerp(v128.load(r), v128.load(r + sz), fz);
    const d = V.lerp(v128.load(s), v128.load(s + sz), fz);
    return V.lerp(V.lerp(a, b, fy), V.lerp(c, d, fy), fx);
  }
}

export function sampleQuads(out: usize, nodes: usize, coords: usize, n: i32, payload: i32): void {
  const sz = <i32>(payload << 2);
  const sy = dimZ() * sz;
  const sx = dimY() * sy;
  const lx = <f32>(dimX() - 1);
  const ly = <f32>(dimY() - 1);
  const lz = <f32>(dimZ() - 1);
  const lastA = f32x4(lx, ly, lz, lx);
  const lastB = f32x4(ly, lz, lx, ly);
  const lastC = f32x4(lz, lx, ly, lz);
  const one = f32x4.splat(1);
  const baseA = V.sub(lastA, one);
  const baseB = V.sub(lastB, one);
  const baseC = V.sub(lastC, one);
  const strideA = i32x4(sx, sy, sz, sx);
  const strideB = i32x4(sy, sz, sx, sy);
  const strideC = i32x4(sz, sx, sy, sz);
  // Rows of three are stored as four, over the start of the next: the last rows go one by one.
  const quads = payload === 4 ? n >> 2 : (n - 1) >> 2;
  for (let i = 0; i < quads; i++) {
    const rA = v128.load(coords);
    const rB = v128.load(coords, 16);
    const rC = v128.load(coords, 32);
    const cA = V.clamp(rA, lastA);
    const gA = Quad.base(cA, baseA);
    const fA = V.add(V.sub(cA, gA), Quad.poison(rA));
    const iA = Quad.offsets(gA, strideA);
    const cB = V.clamp(rB, lastB);
    const gB = Quad.base(cB, baseB);
    const fB = V.add(V.sub(cB, gB), Quad.poison(rB));
    const iB = Quad.offsets(gB, strideB);
    const cC = V.clamp(rC, lastC);
    const gC = Quad.base(cC, baseC);
    const fC = V.add(V.sub(cC, gC), Quad.poison(rC));
    const iC = Quad.offsets(gC, strideC);
    const p0 =
      nodes + <usize>(i32x4.extract_lane(iA, 0) + i32x4.extract_lane(iA, 1) + i32x4.extract_lane(iA, 2));
    v128.store(
      out,
      Cell.blend(
        p0,
        sx,
        sy,
        sz,
        v128.shuffle<i32>(fA, fA, 0, 0, 0, 0),
        v128.shuffle<i32>(fA, fA, 1, 1, 1, 1),
        v128.shuffle<i32>(fA, fA, 2, 2, 2, 2),
      ),
    );
    out += sz;
    const p1 =
      nodes + <usize>(i32x4.extract_lane(iA, 3) + i32x4.extract_lane(iB, 0) + i32x4.extract_lane(iB, 1));
    v128.store(
      out,
      Cell.blend(
        p1,
        sx,
        sy,
        sz,
        v128.shuffle<i32>(fA, fA, 3, 3, 3, 3),
        v128.shuffle<i32>(fB, fB, 0, 0, 0, 0),
        v128.shuffle<i32>(fB, fB, 1, 1, 1, 1),
      ),
    );
    out += sz;
    const p2 =
      nodes + <usize>(i32x4.extract_lane(iB, 2) + i32x4.extract_lane(iB, 3) + i32x4.extract_lane(iC, 0));
    v128.store(
      out,
      Cell.blend(
        p2,
        sx,
        sy,
        sz,
        v128.shuffle<i32>(fB, fB, 2, 2, 2, 2),
        v128.shuffle<i32>(fB, fB, 3, 3, 3, 3),
        v128.shuffle<i32>(fC, fC, 0, 0, 0, 0),
      ),
    );
    out += sz;
    const p3 =
      nodes + <usize>(i32x4.extract_lane(iC, 1) + i32x4.extract_lane(iC, 2) + i32x4.extract_lane(iC, 3));
    v128.store(
      out,
      Cell.blend(
        p3,
        sx,
        sy,
        sz,
        v128.shuffle<i32>(fC, fC, 1, 1, 1, 1),
        v128.shuffle<i32>(fC, fC, 2, 2, 2, 2),
        v128.shuffle<i32>(fC, fC, 3, 3, 3, 3),
      ),
    );
    out += sz;
    coords += 48;
  }
  for (let i = quads << 2; i < n; i++) {
    const r = v128.load(coords);
    const c = V.clamp(r, lastA);
    const g = Quad.base(c, baseA);
    const fA = V.add(V.sub(c, g), Quad.poison(r));
    const iA = Quad.offsets(g, strideA);
    const p =
      nodes + <usize>(i32x4.extract_lane(iA, 0) + i32x4.extract_lane(iA, 1) + i32x4.extract_lane(iA, 2));
    const v = Cell.blend(
      p,
      sx,
      sy,
      sz,
      v128.shuffle<i32>(fA, fA, 0, 0, 0, 0),
      v128.shuffle<i32>(fA, fA, 1, 1, 1, 1),
      v128.shuffle<i32>(fA, fA, 2, 2, 2, 2),
    );
    if (payload === 4) v128.store(out, v);
    else V.storeFirst(out, v, 3);
    out += sz;
    coords += 12;
  }
}
