/**
 * Four complex lines transformed at once, one a lane: Stockham's passes and Bluestein's convolution. What they compute:
 * src/ops/fourierplan.ts.
 *
 * Value k of the lines is a row of two vectors at `a + 32k`: real parts, then imaginary parts. A plan is laid out by
 * src/backends/wasm/fourier.ts: i32 size, points, number of radices, offset of the chirp (0: none) and of the response; i32
 * radices; then, from PASSES on, each pass's factors as pairs of floats: r roots for a radix above 5, then w^{pj} for p < m,
 * 1 ≤ j < r.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { V } from './lanes';

const RADICES: usize = 20;
const PASSES: usize = 160;

export class Plan {
  @inline static size(plan: usize): i32 {
    return load<i32>(plan);
  }
  @inline static points(plan: usize): i32 {
    return load<i32>(plan, 4);
  }
}

class Z {
  /** Stores (x + iy) · (c + id). */
  @inline static put(o: usize, x: v128, y: v128, c: v128, d: v128): void {
    v128.store(o, V.sub(V.mul(x, c), V.mul(y, d)));
    v128.store(o, V.add(V.mul(x, d), V.mul(y, c)), 16);
  }
}

function pass2(a: usize, o: usize, m: i32, s: i32, w: usize): usize {
  const run = (<usize>s) << 5;
  const far = <usize>m * run;
  for (let p = 0; p < m; p++, w += 8, o += run) {
    const c = v128.load32_splat(w);
    const d = v128.load32_splat(w, 4);
    for (const end = a + run; a < end; a += 32, o += 32) {
      const x = v128.load(a);
      const y = v128.load(a, 16);
      const u = v128.load(a + far);
      const v = v128.load(a + far, 16);
      v128.store(o, V.add(x, u));
      v128.store(o, V.add(y, v), 16);
      Z.put(o + run, V.sub(x, u), V.sub(y, v), c, d);
    }
  }
  return w;
}

function pass3(a: usize, o: usize, m: i32, s: i32, w: usize): usize {
  const run = (<usize>s) << 5;
  const far = <usize>m * run;
  const half = f32x4.splat(0.5);
  const sine = f32x4.splat(0.8660254037844386);
  for (let p = 0; p < m; p++, w += 16, o += 2 * run) {
    const c1 = v128.load32_splat(w);
    const d1 = v128.load32_splat(w, 4);
    const c2 = v128.load32_splat(w, 8);
    const d2 = v128.load32_splat(w, 12);
    for (const end = a + run; a < end; a += 32, o += 32) {
      const x0 = v128.load(a);
      const y0 = v128.load(a, 16);
      const x1 = v128.load(a + far);
      const y1 = v128.load(a + far, 16);
      const x2 = v128.load(a + 2 * far);
      const y2 = v128.load(a + 2 * far, 16);
      const x = V.add(x1, x2);
      const y = V.add(y1, y2);
      const u = V.sub(x0, V.mul(x, half));
      const v = V.sub(y0, V.mul(y, half));
      const e = V.mul(V.sub(x1, x2), sine);
      const f = V.mul(V.sub(y1, y2), sine);
      v128.store(o, V.add(x0, x));
      v128.store(o, V.add(y0, y), 16);
      Z.put(o + run, V.add(u, f), V.sub(v, e), c1, d1);
      Z.put(o + 2 * run, V.sub(u, f), V.add(v, e), c2, d2);
    }
  }
  return w;
}

function pass4(a: usize, o: usize, m: i32, s: i32, w: usize): usize {
  const run = (<usize>s) << 5;
  const far = <usize>m * run;
  for (let p = 0; p < m; p++, w += 24, o += 3 * run) {
    const c1 = v128.load32_splat(w);
    const d1 = v128.load32_splat(w, 4);
    const c2 = v128.load32_splat(w, 8);
    const d2 = v128.load32_splat(w, 12);
    const c3 = v128.load32_splat(w, 16);
    const d3 = v128.load32_splat(w, 20);
    for (const end = a + run; a < end; a += 32, o += 32) {
      const x0 = v128.load(a);
      const y0 = v128.load(a, 16);
      const x1 = v128.load(a + far);
      const y1 = v128.load(a + far, 16);
      const x2 = v128.load(a + 2 * far);
      const y2 = v128.load(a + 2 * far, 16);
      const x3 = v128.load(a + 3 * far);
      const y3 = v128.load(a + 3 * far, 16);
      const ex = V.add(x0, x2);
      const ey = V.add(y0, y2);
      const gx = V.sub(x0, x2);
      const gy = V.sub(y0, y2);
      const ux = V.add(x1, x3);
      const uy = V.add(y1, y3);
      const wx = V.sub(x1, x3);
      const wy = V.sub(y1, y3);
      v128.store(o, V.add(ex, ux));
      v128.store(o, V.add(ey, uy), 16);
      Z.put(o + run, V.add(gx, wy), V.sub(gy, wx), c1, d1);
      Z.put(o + 2 * run, V.sub(ex, ux), V.sub(ey, uy), c2, d2);
      Z.put(o + 3 * run, V.sub(gx, wy), V.add(gy, wx), c3, d3);
    }
  }
  return w;
}

function pass5(a: usize, o: usize, m: i32, s: i32, w: usize): usize {
  const run = (<usize>s) << 5;
  const far = <usize>m * run;
  const cos1 = f32x4.splat(0.30901699437494745);
  const cos2 = f32x4.splat(-0.8090169943749475);
  const sin1 = f32x4.splat(0.9510565162951535);
  const sin2 = f32x4.splat(0.5877852522924731);
  for (let p = 0; p < m; p++, w += 32, o += 4 * run) {
    for (const end = a + run; a < end; a += 32, o += 32) {
      const x0 = v128.load(a);
      const y0 = v128.load(a, 16);
      const x1 = v128.load(a + far);
      const y1 = v128.load(a + far, 16);
      const x2 = v128.load(a + 2 * far);
      const y2 = v128.load(a + 2 * far, 16);
      const x3 = v128.load(a + 3 * far);
      const y3 = v128.load(a + 3 * far, 16);
      const x4 = v128.load(a + 4 * far);
      const y4 = v128.load(a + 4 * far, 16);
      const px = V.add(x1, x4);
      const py = V.add(y1, y4);
      const qx = V.add(x2, x3);
      const qy = V.add(y2, y3);
      const rx = V.sub(x1, x4);
      const ry = V.sub(y1, y4);
      const tx = V.sub(x2, x3);
      const ty = V.sub(y2, y3);
      v128.store(o, V.add(x0, V.add(px, qx)));
      v128.store(o, V.add(y0, V.add(py, qy)), 16);
      const ux = V.madd(V.madd(x0, px, cos1), qx, cos2);
      const uy = V.madd(V.madd(y0, py, cos1), qy, cos2);
      const vx = V.madd(V.madd(x0, px, cos2), qx, cos1);
      const vy = V.madd(V.madd(y0, py, cos2), qy, cos1);
      const ex = V.madd(V.mul(rx, sin1), tx, sin2);
      const ey = V.madd(V.mul(ry, sin1), ty, sin2);
      const fx = V.sub(V.mul(rx, sin2), V.mul(tx, sin1));
      const fy = V.sub(V.mul(ry, sin2), V.mul(ty, sin1));
      Z.put(o + run, V.add(ux, ey), V.sub(uy, ex), v128.load32_splat(w), v128.load32_splat(w, 4));
      Z.put(o + 2 * run, V.add(vx, fy), V.sub(vy, fx), v128.load32_splat(w, 8), v128.load32_splat(w, 12));
      Z.put(o + 3 * run, V.sub(vx, fy), V.add(vy, fx), v128.load32_splat(w, 16), v128.load32_splat(w, 20));
      Z.put(o + 4 * run, V.sub(ux, ey), V.add(uy, ex), v128.load32_splat(w, 24), v128.load32_splat(w, 28));
    }
  }
  return w;
}

/** Any radix r: r products a value. `w` begins with the r roots. */
function pass(r: i32, a: usize, o: usize, m: i32, s: i32, w: usize): usize {
  const run = (<usize>s) << 5;
  const far = <usize>m * run;
  const roots = w;
  w += (<usize>r) << 3;
  for (let p = 0; p < m; p++, w += (<usize>(r - 1)) << 3, o += <usize>(r - 1) * run) {
    for (const end = a + run; a < end; a += 32, o += 32) {
      for (let j = 0; j < r; j++) {
        let x = v128.load(a);
        let y = v128.load(a, 16);
        for (let l = 1, at = 0; l < r; l++) {
          at += j;
          if (at >= r) at -= r;
          const c = v128.load32_splat(roots + ((<usize>at) << 3));
          const d = v128.load32_splat(roots + ((<usize>at) << 3), 4);
          const u = v128.load(a + <usize>l * far);
          const v = v128.load(a + <usize>l * far, 16);
          x = V.add(x, V.sub(V.mul(u, c), V.mul(v, d)));
          y = V.add(y, V.add(V.mul(u, d), V.mul(v, c)));
        }
        const to = o + <usize>j * run;
        if (j === 0) {
          v128.store(to, x);
          v128.store(to, y, 16);
        } else {
          const at = w + ((<usize>(j - 1)) << 3);
          Z.put(to, x, y, v128.load32_splat(at), v128.load32_splat(at, 4));
        }
      }
    }
  }
  return w;
}

/** pass4 of values of which only the first and the last quarter are not zero; the others are not read. */
function pass4Padded(a: usize, o: usize, m: i32, w: usize): void {
  const last = a + ((3 * <usize>m) << 5);
  for (let p: usize = 0, end = (<usize>m) << 5; p < end; p += 32, w += 24, o += 128) {
    const x0 = v128.load(a + p);
    const y0 = v128.load(a + p, 16);
    const x3 = v128.load(last + p);
    const y3 = v128.load(last + p, 16);
    v128.store(o, V.add(x0, x3));
    v128.store(o, V.add(y0, y3), 16);
    Z.put(o + 32, V.sub(x0, y3), V.add(y0, x3), v128.load32_splat(w), v128.load32_splat(w, 4));
    Z.put(o + 64, V.sub(x0, x3), V.sub(y0, y3), v128.load32_splat(w, 8), v128.load32_splat(w, 12));
    Z.put(o + 96, V.add(x0, y3), V.sub(y0, x3), v128.load32_splat(w, 16), v128.load32_splat(w, 20));
  }
}

/** The last pass, whose factors are all 1. */
function pass4Last(a: usize, o: usize, s: i32): void {
  const run = (<usize>s) << 5;
  for (const end = a + run; a < end; a += 32, o += 32) {
    const b = a + 2 * run;
    const x0 = v128.load(a);
    const y0 = v128.load(a, 16);
    const x1 = v128.load(a + run);
    const y1 = v128.load(a + run, 16);
    const x2 = v128.load(b);
    const y2 = v128.load(b, 16);
    const x3 = v128.load(b + run);
    const y3 = v128.load(b + run, 16);
    const ex = V.add(x0, x2);
    const ey = V.add(y0, y2);
    const gx = V.sub(x0, x2);
    const gy = V.sub(y0, y2);
    const ux = V.add(x1, x3);
    const uy = V.add(y1, y3);
    const wx = V.sub(x1, x3);
    const wy = V.sub(y1, y3);
    const far = o + 2 * run;
    v128.store(o, V.add(ex, ux));
    v128.store(o, V.add(ey, uy), 16);
    v128.store(o + run, V.add(gx, wy));
    v128.store(o + run, V.sub(gy, wx), 16);
    v128.store(far, V.sub(ex, ux));
    v128.store(far, V.sub(ey, uy), 16);
    v128.store(far + run, V.sub(gx, wy));
    v128.store(far + run, V.add(gy, wx), 16);
  }
}

/** The passes after the first `skipped` ones, of s · m values; their factors stand at w. */
function passesFrom(plan: usize, skipped: i32, m: i32, s: i32, w: usize, a: usize, b: usize): usize {
  const count = load<i32>(plan, 8);
  for (let k = skipped; k < count; k++) {
    const r = load<i32>(plan + RADICES + ((<usize>k) << 2));
    m /= r;
    if (r === 4 && m === 1) pass4Last(a, b, s);
    else if (r === 4) w = pass4(a, b, m, s, w);
    else if (r === 2) w = pass2(a, b, m, s, w);
    else if (r === 3) w = pass3(a, b, m, s, w);
    else if (r === 5) w = pass5(a, b, m, s, w);
    else w = pass(r, a, b, m, s, w);
    s *= r;
    const swap = a;
    a = b;
    b = swap;
  }
  return a;
}

function passes(plan: usize, a: usize, b: usize): usize {
  return passesFrom(plan, 0, Plan.points(plan), 1, plan + PASSES, a, b);
}

/** Multiplies `count` values by the pairs at `w`; with `turned` real and imaginary parts change places after. */
function times(a: usize, w: usize, count: i32, turned: bool): void {
  const re: usize = turned ? 16 : 0;
  for (let k = 0; k < count; k++, a += 32, w += 8) {
    const c = v128.load32_splat(w);
    const d = v128.load32_splat(w, 4);
    const x = v128.load(a);
    const y = v128.load(a, 16);
    v128.store(a + re, V.sub(V.mul(x, c), V.mul(y, d)));
    v128.store(a + (16 - re), V.add(V.mul(x, d), V.mul(y, c)));
  }
}

/** Whether the points are four times a number whose transforms make this one: what the next two functions are for. */
export function hasQuarters(plan: usize): bool {
  return load<i32>(plan, 12) === 0 && load<i32>(plan, 8) > 1 && load<i32>(plan + RADICES) === 4;
}

/** transform of values of which only the first and the last quarter are not zero; the others are not read. */
export function transformPadded(plan: usize, a: usize, b: usize): usize {
  const quarter = Plan.points(plan) >> 2;
  const w = plan + PASSES;
  pass4Padded(a, b, quarter, w);
  return passesFrom(plan, 1, quarter, 4, w + 24 * <usize>quarter, b, a);
}

/**
 * transform, of which the first and the last quarter alone are asked for: other values are undefined. Of points n the values l ≡ r
 * (mod 4) stand at r · n/4 + ⌊l/4⌋: four short transforms stay in the first-level cache where a long one would not.
 */
export function transformEnds(plan: usize, a: usize, b: usize): usize {
  const quarter = Plan.points(plan) >> 2;
  const far = (<usize>quarter) << 5;
  let w = plan + PASSES;
  const rest = w + 24 * <usize>quarter;
  let from = a;
  for (let r: usize = 0; r < 4; r++) {
    from = passesFrom(plan, 1, quarter, 1, rest, a + r * far, b + r * far) - r * far;
  }
  const out = from === a ? b : a;
  let o = out;
  for (const end = from + far; from < end; from += 32, o += 32, w += 24) {
    const x0 = v128.load(from);
    const y0 = v128.load(from, 16);
    const x1 = v128.load(from + far);
    const y1 = v128.load(from + far, 16);
    const second = from + 2 * far;
    const x2 = v128.load(second);
    const y2 = v128.load(second, 16);
    const x3 = v128.load(second + far);
    const y3 = v128.load(second + far, 16);
    let c = v128.load32_splat(w);
    let d = v128.load32_splat(w, 4);
    const u1 = V.sub(V.mul(x1, c), V.mul(y1, d));
    const v1 = V.add(V.mul(x1, d), V.mul(y1, c));
    c = v128.load32_splat(w, 8);
    d = v128.load32_splat(w, 12);
    const u2 = V.sub(V.mul(x2, c), V.mul(y2, d));
    const v2 = V.add(V.mul(x2, d), V.mul(y2, c));
    c = v128.load32_splat(w, 16);
    d = v128.load32_splat(w, 20);
    const u3 = V.sub(V.mul(x3, c), V.mul(y3, d));
    const v3 = V.add(V.mul(x3, d), V.mul(y3, c));
    v128.store(o, V.add(V.add(x0, u2), V.add(u1, u3)));
    v128.store(o, V.add(V.add(y0, v2), V.add(v1, v3)), 16);
    const last = o + 3 * far;
    v128.store(last, V.sub(V.sub(x0, u2), V.sub(v1, v3)));
    v128.store(last, V.add(V.sub(y0, v2), V.sub(u1, u3)), 16);
  }
  return out;
}

/** Transforms what stands at `a`, with `b` as room for as much. @returns where the result stands: `a` or `b`. */
export function transform(plan: usize, a: usize, b: usize): usize {
  const chirp = <usize>load<i32>(plan, 12);
  if (chirp === 0) return passes(plan, a, b);
  const size = Plan.size(plan);
  const points = Plan.points(plan);
  times(a, plan + chirp, size, false);
  memory.fill(a + ((<usize>size) << 5), 0, (<usize>(points - size)) << 5);
  let at = passes(plan, a, b);
  // Turned before and after, the transform is the inverse one.
  times(at, plan + <usize>load<i32>(plan, 16), points, true);
  at = passes(plan, at, at === a ? b : a);
  for (let k = at, end = at + ((<usize>size) << 5); k < end; k += 32) {
    const x = v128.load(k);
    v128.store(k, v128.load(k, 16));
    v128.store(k, x, 16);
  }
  times(at, plan + chirp, size, false);
  return at;
}
