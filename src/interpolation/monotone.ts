/**
 * Monotone cubic interpolation in one cell of an axis, in float64: the one definition that the kernels of every backend repeat
 * (kernels/wasm/monotoneline.ts, kernels/webgpu/monotone-line.wgsl, ops/monotonecomposition.ts).
 *
 * Four values p0 … p3 stand at −below, 0, 1 and 1 + above, in units of the cell between p1 and p2; f is the place in it.
 *
 *   secants  o = (p1 − p0)/below    d = p2 − p1    e = (p3 − p2)/above
 *   slopes   m1 = M(o, d, below), m2 = M(e, d, above): 0 unless o·d > 0, else the weighted harmonic mean of the neighbour's
 *            secant o and the cell's own d (F. N. Fritsch, J. Butland, "A method for constructing local monotone piecewise cubic
 *            interpolants", 1984; with these weights it is known as PCHIP): with h the neighbour's length
 *              M = 1/(u/o + v/d),  u = (2 + h)/(3 + 3h),  v = (1 + 2h)/(3 + 3h),  u + v = 1
 *            An open side has no neighbour, and the slope d there: the line through p1 and p2.
 *   value    p1 · (1 − g) + p2 · g,  g = f²(3 − 2f) + (m1/d) · f(1 − f)² − (m2/d) · f²(1 − f)
 *
 * This is the cubic Hermite interpolant of p1, p2, m1, m2. As 0 ≤ m/d ≤ 3, g rises from 0 to 1, and the value lies between p1 and
 * p2, rounding included (it is clamped to them). On a node it is that node, however large the others, as long as they are finite.
 * m/d = |o|/(u|d| + v|o|) divides by nothing that is small beside the numerator, and nothing is squared that could overflow.
 * Where f is outside [0, 1] (beyond an extrapolated axis) g = f: the line through p1 and p2.
 *
 * Derivatives: with k = |o|/(u|d| + v|o|) and j = |d|/(u|d| + v|o|)
 *   ∂M/∂o = u j²    ∂M/∂d = v k²    ∂M/∂h = d k (j − k)/(3(1 + h)²) − u j² o/h   (with o = difference/h)
 * all zero where the slope is zero because o·d is not positive: at o = 0 or d = 0, a kink of M, this is the derivative towards the
 * side where the slope stays zero.
 */
export class MonotoneCell {
  /** Sums of s · ∂value/∂(f, below, above) over the calls of `backward`; the caller resets them. */
  byFraction = 0;
  byBelow = 0;
  byAbove = 0;
  /** p1 counts in p2 · g + p1 · (1 − g) with g = c0 + k1 c1 − k2 c2; and its derivatives by f. */
  private c0 = 0;
  private c1 = 0;
  private c2 = 0;
  private d0 = 0;
  private d1 = 0;
  private d2 = 0;
  private below = 1;
  private above = 1;
  private openBelow = false;
  private openAbove = false;
  private outside = false;

  /** Moves to a place: f, the neighbours' lengths as parts of the cell's own (positive), and which sides are open. */
  set(f: number, below: number, above: number, openBelow: boolean, openAbove: boolean): void {
    this.below = below;
    this.above = above;
    this.openBelow = openBelow;
    this.openAbove = openAbove;
    this.outside = f < 0 || f > 1;
    const e = 1 - f;
    this.c0 = this.outside ? f : f * f * (3 - 2 * f);
    this.c1 = this.outside ? 0 : f * e * e;
    this.c2 = this.outside ? 0 : f * f * e;
    this.d0 = this.outside ? 1 : 6 * f * e;
    this.d1 = this.outside ? 0 : e * (1 - 3 * f);
    this.d2 = this.outside ? 0 : f * (2 - 3 * f);
  }

  value(p0: number, p1: number, p2: number, p3: number): number {
    const d = p2 - p1;
    const k1 = this.openBelow ? 1 : ratio((p1 - p0) / this.below, d, this.below);
    const k2 = this.openAbove ? 1 : ratio((p3 - p2) / this.above, d, this.above);
    const g = this.c0 + k1 * this.c1 - k2 * this.c2;
    const v = p1 * (1 - g) + p2 * g;
    if (this.outside) return v;
    return d >= 0 ? Math.min(Math.max(v, p1), p2) : Math.min(Math.max(v, p2), p1);
  }

  /** Writes s · ∂value/∂p into out[0 … 3], and adds s · ∂value/∂(f, below, above) to the sums. */
  backward(p0: number, p1: number, p2: number, p3: number, s: number, out: Float64Array): void {
    const { c0, c1, c2, below, above } = this;
    const d = p2 - p1;
    // ∂value/∂ of o, d and e.
    let byO = 0;
    let byD = c0;
    let byE = 0;
    let slope = this.d0;
    if (this.openBelow) {
      byD += c1;
      slope += this.d1;
    } else {
      const o = (p1 - p0) / below;
      if (Math.sign(o) * Math.sign(d) > 0) {
        const k = ratio(o, d, below);
        const j = share(o, d, below);
        byO = (c1 * ownWeight(1 / below) * j * j) / below;
        byD += c1 * ownWeight(below) * k * k;
        slope += this.d1 * k;
        const m = (d * k * (j - k)) / (3 * (1 + below) ** 2);
        this.byBelow += s * (c1 * m - byO * o);
      }
    }
    if (this.openAbove) {
      byD -= c2;
      slope -= this.d2;
    } else {
      const o = (p3 - p2) / above;
      if (Math.sign(o) * Math.sign(d) > 0) {
        const k = ratio(o, d, above);
        const j = share(o, d, above);
        byE = (-c2 * ownWeight(1 / above) * j * j) / above;
        byD -= c2 * ownWeight(above) * k * k;
        slope -= this.d2 * k;
        const m = (d * k * (j - k)) / (3 * (1 + above) ** 2);
        this.byAbove -= s * (c2 * m + byE * o);
      }
    }
    this.byFraction += s * d * slope;
    out[0] = -s * byO;
    out[1] = s * (1 - byD + byO);
    out[2] = s * (byD - byE);
    out[3] = s * byE;
  }
}

/** v = (1 + 2h)/(3 + 3h), the weight of the cell's own secant; that of the neighbour's is the same of 1/h. */
const ownWeight = (h: number): number => (1 + 2 * h) / (3 + 3 * h);

/** k = M/d: 0 … 3, 0 where the secants' signs differ or one is zero. */
function ratio(o: number, d: number, h: number): number {
  if (!(Math.sign(o) * Math.sign(d) > 0)) return 0;
  const v = ownWeight(h);
  return Math.abs(o) / ((1 - v) * Math.abs(d) + v * Math.abs(o));
}

/** j = M/o of secants of one sign. */
function share(o: number, d: number, h: number): number {
  const v = ownWeight(h);
  return Math.abs(d) / ((1 - v) * Math.abs(d) + v * Math.abs(o));
}
