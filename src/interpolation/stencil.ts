/**
 * The stencil of one axis: from a coordinate to two neighbouring taps and a blend between them. Pure, and the
 * one definition that the kernels of every backend repeat (kernels/wasm/stencil.ts, kernels/webgpu/stencil.wgsl).
 *
 * A coordinate r on an axis of n nodes gives a base g ∈ [−1, n−1], a fraction f and a slope s:
 *
 *   taps     g and g + 1, with weights 1 − f and f; on a wrapped axis tap n is node 0,
 *            a tap outside [0, n−1] is no node and contributes nothing
 *   slope    d(f)/d(r): weights change by −s and +s per unit of r
 *
 *   boundary      g, f, s
 *   clamp         c = min(max(r, 0), n−1); g = min(⌊c⌋, n−2); f = c − g; s = 1 where c = r, else 0
 *   wrap          c = r mod n; g = ⌊c⌋; f = c − g; s = 1                              period n
 *   reflect       m = r mod 2(n−1); rising half as clamp; falling half c = 2(n−1) − m, g = ⌈c⌉ − 1, s = −1
 *   zero          g = ⌊r⌋ (n−2 at r = n−1), so that the outermost nodes fade to zero over one cell;
 *                 beyond −1 and n no node is touched and s = 0
 *   extrapolate   g = min(max(⌊r⌋, 0), n−2); f = r − g, outside [0, 1] too; s = 1
 *   error         as clamp; the op has checked the range before
 *
 * wrap and reflect split r into ⌊r⌋ and r − ⌊r⌋ first and reduce the whole part, which is exact however large r is; so
 * just below a node f may round to 1, which is that node all the same.
 *
 * An axis of one node: f = 0 and s = 0 (zero: a tent around the node). At a node the slope is the right-hand
 * one, at the last node the left-hand one. Not-finite coordinates have no stencil: see `isFiniteBits`.
 */
export const BOUNDARIES = ['clamp', 'wrap', 'reflect', 'zero', 'extrapolate', 'error'] as const;
export type Boundary = (typeof BOUNDARIES)[number];

/** What the kernels are given: the place of the name in BOUNDARIES. 'error' samples as clamp. */
export function boundaryCode(boundary: Boundary): number {
  return boundary === 'error' ? 0 : BOUNDARIES.indexOf(boundary);
}

export interface AxisStencil {
  /** The lower tap, −1 … n−1. */
  base: number;
  /** Weight of the upper tap; the lower has 1 − fraction. */
  fraction: number;
  /** d(fraction)/d(coordinate). */
  slope: number;
}

/** whole mod size, 0 … size − 1, exact for every integer: `%` is, where a rounded quotient is not. */
function remainder(whole: number, size: number): number {
  const m = whole >= 0 && whole < size ? whole : whole % size;
  // Adding 0 makes −0 a 0.
  return m < 0 ? m + size : m + 0;
}

/** Writes the stencil of finite coordinate `r` on an axis of `n` nodes into `out`. `code` as of boundaryCode. */
export function axisStencil(r: number, n: number, code: number, out: AxisStencil): void {
  let base = 0;
  let fraction = 0;
  let slope = 0;
  switch (code) {
    case 1: {
      const whole = Math.floor(r);
      base = remainder(whole, n);
      fraction = r - whole;
      slope = 1;
      break;
    }
    case 2: {
      if (n === 1) break;
      const whole = Math.floor(r);
      const m = remainder(whole, 2 * (n - 1));
      const f = r - whole;
      if (m < n - 1) {
        base = m;
        fraction = f;
        slope = 1;
      } else {
        base = 2 * n - 3 - m;
        fraction = 1 - f;
        // m = n − 1 itself is the end of the rising half.
        slope = m === n - 1 && f === 0 ? 1 : -1;
      }
      break;
    }
    case 3: {
      if (r < -1 || r >= n) {
        base = r < 0 ? -1 : n - 1;
        fraction = r < 0 ? 0 : 1;
      } else {
        base = r === n - 1 && n > 1 ? n - 2 : Math.floor(r);
        fraction = r - base;
        slope = 1;
      }
      break;
    }
    case 4: {
      if (n === 1) break;
      base = Math.min(Math.max(Math.floor(r), 0), n - 2);
      fraction = r - base;
      slope = 1;
      break;
    }
    default: {
      if (n === 1) break;
      const c = Math.min(Math.max(r, 0), n - 1);
      base = Math.min(Math.floor(c), n - 2);
      fraction = c - base;
      slope = c === r ? 1 : 0;
    }
  }
  out.base = base;
  out.fraction = fraction;
  out.slope = slope;
}

/** The node of tap `tap` on an axis of n nodes, or −1 where there is none. */
export function tapNode(tap: number, n: number, code: number): number {
  if (code === 1 && tap === n) return 0;
  return tap >= 0 && tap < n ? tap : -1;
}
