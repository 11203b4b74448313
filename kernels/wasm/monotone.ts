/**
 * WavecubeMonotone: each element by sixteen lines along z, four along y and one along x. Contract:
 * src/ops/monotonecontract.ts.
 */
import { V } from './lanes';
import { axes, loadTile, moveTo, openBlock, plain, results, TILE, tile } from './monotoneblock';
import { AXIS_BYTES, Line, valueOn } from './monotoneline';

/** Scratch of monotoneBytes. The grid is that of the last setMonotoneGrid. */
export function monotone(
  out: usize,
  nodes: usize,
  taps: usize,
  place: usize,
  n: i32,
  payload: i32,
  half: bool,
  scratch: usize,
): void {
  openBlock(nodes, payload, half, scratch);
  for (let i = 0; i < n; i++) {
    if (!moveTo(taps, place)) fillNaN(out, payload);
    else sample(out, payload);
    out += (<usize>payload) << 2;
    taps += 48;
    place += 48;
  }
}

function fillNaN(out: usize, payload: i32): void {
  for (let f = 0; f < payload; f++) store<f32>(out + ((<usize>f) << 2), f32.NaN);
}

function sample(out: usize, payload: i32): void {
  const floats = <i32>(TILE >> 2);
  for (let first = 0; first < payload; first += floats) {
    const count = min(floats, payload - first);
    loadTile((<usize>first) << 2, count);
    for (let f = 0; f < count; f += 4) {
      const p = tile + ((<usize>f) << 2);
      const v = plain ? plainAt(p) : valueAt(p);
      const to = out + ((<usize>(first + f)) << 2);
      if (count - f >= 4) v128.store(to, v);
      else V.storeFirst(to, v, count - f);
    }
  }
}

/** The interpolant of the four elements at p of the tile. Those along z and y are left in `results`. */
export function valueAt(p: usize): v128 {
  const x = axes;
  const y = x + AXIS_BYTES;
  const z = y + AXIS_BYTES;
  for (let to: usize = 0; to < 256; to += 16) {
    const v = valueOn(z, v128.load(p), v128.load(p, TILE), v128.load(p, 2 * TILE), v128.load(p, 3 * TILE));
    v128.store(results + to, v);
    p += 4 * TILE;
  }
  for (let a: usize = 0; a < 4; a++) {
    const q = results + (a << 6);
    const v = valueOn(y, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48));
    v128.store(results + (a << 4), v, 256);
  }
  const q = results + 256;
  return valueOn(x, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48));
}

/** As valueAt, where all three axes are plain; `results` are its own. */
function plainAt(p: usize): v128 {
  const x = axes;
  const y = x + AXIS_BYTES;
  const z = y + AXIS_BYTES;
  const z0 = v128.load(z);
  const z1 = V.add(v128.load(z, 16), v128.load(z, 16));
  const z2 = V.add(v128.load(z, 32), v128.load(z, 32));
  const y0 = v128.load(y);
  const y1 = V.add(v128.load(y, 16), v128.load(y, 16));
  const y2 = V.add(v128.load(y, 32), v128.load(y, 32));
  for (let to = results, end = results + 64; to < end; to += 16) {
    const p0 = Plain.lineZ(p, 0, z0, z1, z2);
    const p1 = Plain.lineZ(p, 4 * TILE, z0, z1, z2);
    const p2 = Plain.lineZ(p, 8 * TILE, z0, z1, z2);
    const p3 = Plain.lineZ(p, 12 * TILE, z0, z1, z2);
    v128.store(to, Line.plain(p0, p1, p2, p3, y0, y1, y2));
    p += 16 * TILE;
  }
  const q = results;
  const x1 = V.add(v128.load(x, 16), v128.load(x, 16));
  const x2 = V.add(v128.load(x, 32), v128.load(x, 32));
  return Line.plain(v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48), v128.load(x), x1, x2);
}

// biome-ignore lint/complexity/noStaticOnlyClass: see lanes.ts
class Plain {
  @inline static lineZ(p: usize, from: usize, c0: v128, c1: v128, c2: v128): v128 {
    const q = p + from;
    return Line.plain(
      v128.load(q),
      v128.load(q, TILE),
      v128.load(q, 2 * TILE),
      v128.load(q, 3 * TILE),
      c0,
      c1,
      c2,
    );
  }
}
