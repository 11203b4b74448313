// Monotone interpolation along one axis (definition: src/interpolation/monotone.ts), a Lane of elements at a time.
// Secants count up to BIG, so that no sum of two overflows; what is smaller than TINY divides nothing.

const BIG = 1e38;
const TINY = 1.17549435e-38;

// u, v, 1/h and 1/(3(1 + h)^2) of a neighbour of length h.
struct Side { u: f32, w: f32, perLength: f32, bend: f32, open: bool }

// c0, c1, c2 and their derivatives by f.
struct Cell { c: vec3<f32>, d: vec3<f32>, below: Side, above: Side, outside: bool }

fn sideOf(h: f32, open: bool) -> Side {
  let sum = 3.0 * (1.0 + h);
  return Side((2.0 + h) / sum, (1.0 + 2.0 * h) / sum, 1.0 / h, 1.0 / (sum * (1.0 + h)), open);
}

fn cellOf(f: f32, below: Side, above: Side) -> Cell {
  if (f < 0.0 || f > 1.0) {
    return Cell(vec3<f32>(f, 0.0, 0.0), vec3<f32>(1.0, 0.0, 0.0), below, above, true);
  }
  let e = 1.0 - f;
  let c = vec3<f32>(f * f * (3.0 - 2.0 * f), f * e * e, f * f * e);
  let d = vec3<f32>(6.0 * f * e, e * (1.0 - 3.0 * f), f * (2.0 - 3.0 * f));
  return Cell(c, d, below, above, false);
}

// The size of the neighbour's secant o where it has the direction of d, else 0.
fn along(o: Lane, d: Lane) -> Lane {
  return min(select(Lane(0.0), abs(o), (o > Lane(0.0)) == (d > Lane(0.0))), Lane(BIG));
}

fn over(a: Lane, b: Lane) -> Lane {
  return a / max(b, Lane(TINY));
}

// m/d, where d is not 0.
fn ratio(side: Side, difference: Lane, d: Lane) -> Lane {
  if (side.open) {
    return Lane(1.0);
  }
  let a = along(difference * side.perLength, d);
  return over(a, side.u * min(abs(d), Lane(BIG)) + side.w * a);
}

fn lineValue(cell: Cell, p0: Lane, p1: Lane, p2: Lane, p3: Lane) -> Lane {
  let d = p2 - p1;
  let g = cell.c.x + ratio(cell.below, p1 - p0, d) * cell.c.y - ratio(cell.above, p3 - p2, d) * cell.c.z;
  let v = p1 * (Lane(1.0) - g) + p2 * g;
  if (cell.outside) {
    return v;
  }
  return min(max(v, min(p1, p2)), max(p1, p2));
}
