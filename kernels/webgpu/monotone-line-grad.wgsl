// Derivatives of a line (src/interpolation/monotone.ts), times s: by its values, and by f, below and above.

struct LineGrad { p: array<Lane, 4>, f: Lane, below: Lane, above: Lane }

// By the neighbour's difference; by d through this side's slope; by h; and m/d * rate. c is c1 or -c2, rate its derivative by f.
struct SideGrad { difference: Lane, d: Lane, length: Lane, slope: Lane }

fn sideGrad(side: Side, difference: Lane, d: Lane, c: f32, rate: f32) -> SideGrad {
  if (side.open) {
    return SideGrad(Lane(0.0), Lane(c), Lane(0.0), Lane(rate));
  }
  let size = min(abs(d), Lane(BIG));
  let a = along(difference * side.perLength, d);
  let sum = side.u * size + side.w * a;
  let live = select(Lane(0.0), Lane(1.0), min(a, size) > Lane(0.0));
  let k = live * over(a, sum);
  let j = live * over(size, sum);
  let outer = c * side.u * side.perLength * j * j;
  let sign = select(Lane(-1.0), Lane(1.0), d > Lane(0.0));
  let length = sign * (c * side.bend * size * k * (j - k) - outer * a);
  return SideGrad(outer, c * side.w * k * k, length, rate * k);
}

fn lineGrad(cell: Cell, p: array<Lane, 4>, s: Lane) -> LineGrad {
  let d = p[2] - p[1];
  let o = sideGrad(cell.below, p[1] - p[0], d, cell.c.y, cell.d.y);
  let e = sideGrad(cell.above, p[3] - p[2], d, -cell.c.z, -cell.d.z);
  let byD = cell.c.x + o.d + e.d;
  let by = array<Lane, 4>(
    -s * o.difference,
    s * (Lane(1.0) - byD + o.difference),
    s * (byD - e.difference),
    s * e.difference,
  );
  return LineGrad(by, s * d * (cell.d.x + o.slope + e.slope), s * o.length, s * e.length);
}
