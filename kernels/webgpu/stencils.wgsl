// One axis of src/interpolation/taps.ts, in float32: four nodes, and the derivatives of their weights. Pure: no bindings.
// After stencil.wgsl, whose remainder it takes. As there, the whole part of a coordinate is reduced as an integer.

const LINEAR = 0;
const CARDINAL = 1;
const BSPLINE = 2;
const HERMITE = 3;
const HERMITE_TANGENT = 4;
const PLACE = 5;

const WRAP = 1;
const REFLECT = 2;
const ZERO = 3;
const EXTRAPOLATE = 4;

// The derivative of order `order` of c.x + c.y f + c.z f^2 + c.w f^3.
fn cubic(f: f32, order: i32, c: vec4<f32>) -> f32 {
  switch (order) {
    case 0: {
      return ((c.w * f + c.z) * f + c.y) * f + c.x;
    }
    case 1: {
      return (3.0 * c.w * f + 2.0 * c.z) * f + c.y;
    }
    case 2: {
      return 6.0 * c.w * f + 2.0 * c.z;
    }
    case 3: {
      return 6.0 * c.w;
    }
    default: {
      return 0.0;
    }
  }
}

// The values are factored, so that on a node three of them are zero for every a, though a + 2 and a + 3 are rounded.
fn cardinalWeights(f: f32, a: f32, order: i32) -> vec4<f32> {
  let e = 1.0 - f;
  if (order == 0) {
    return vec4<f32>(
      a * f * e * e,
      e * (1.0 + f * (1.0 - (a + 2.0) * f)),
      f * (1.0 + e * (1.0 - (a + 2.0) * e)),
      a * e * f * f,
    );
  }
  let outer = vec4<f32>(0.0, a, -2.0 * a, a);
  let inner = vec4<f32>(1.0, 0.0, -(a + 3.0), a + 2.0);
  let mirrored = select(1.0, -1.0, (order & 1) == 1);
  return vec4<f32>(
    cubic(f, order, outer),
    cubic(f, order, inner),
    mirrored * cubic(e, order, inner),
    mirrored * cubic(e, order, outer),
  );
}

fn bsplineWeights(f: f32, order: i32) -> vec4<f32> {
  let mirrored = select(1.0, -1.0, (order & 1) == 1);
  let outer = vec4<f32>(0.0, 0.0, 0.0, 1.0 / 6.0);
  return vec4<f32>(
    mirrored * cubic(1.0 - f, order, outer),
    cubic(f, order, vec4<f32>(4.0 / 6.0, 0.0, -1.0, 0.5)),
    cubic(f, order, vec4<f32>(1.0 / 6.0, 0.5, 0.5, -0.5)),
    cubic(f, order, outer),
  );
}

fn basisWeights(f: f32, basis: i32, a: f32, order: i32) -> vec4<f32> {
  if (basis == CARDINAL) {
    return cardinalWeights(f, a, order);
  }
  if (basis == BSPLINE) {
    return bsplineWeights(f, order);
  }
  // The others have no outer arms.
  var second = vec4<f32>(1.0, -1.0, 0.0, 0.0);
  var third = vec4<f32>(0.0, 1.0, 0.0, 0.0);
  if (basis == PLACE) {
    let length = select(0.0, 1.0, order == 0);
    return vec4<f32>(cubic(f, order, third), length, length, 0.0);
  }
  if (basis == HERMITE) {
    second = vec4<f32>(1.0, 0.0, -3.0, 2.0);
    third = vec4<f32>(0.0, 0.0, 3.0, -2.0);
  } else if (basis == HERMITE_TANGENT) {
    second = vec4<f32>(0.0, 1.0, -2.0, 1.0);
    third = vec4<f32>(0.0, 0.0, -1.0, 1.0);
  }
  return vec4<f32>(0.0, cubic(f, order, second), cubic(f, order, third), 0.0);
}

fn remainder(whole: i32, n: i32) -> i32 {
  return ((whole % n) + n) % n;
}

// The node of a tap, -1 for none.
fn nodeOfTap(tap: i32, n: i32, code: i32) -> i32 {
  if (tap >= 0 && tap < n) {
    return tap;
  }
  switch (code) {
    case WRAP: {
      return remainder(tap, n);
    }
    case REFLECT: {
      let m = remainder(tap, max(2 * (n - 1), 1));
      return select(2 * (n - 1) - m, m, m < n);
    }
    case ZERO, EXTRAPOLATE: {
      return -1;
    }
    default: {
      return select(n - 1, 0, tap < 0);
    }
  }
}

// Where finite r lies; the base is that of slot 1.
fn placeOf(r: f32, n: i32, code: i32) -> Axis {
  if (code == WRAP) {
    return wrapAxis(r, n);
  }
  if (code == ZERO) {
    // So far out that no tap is a node, the base is kept small, and the fraction finite.
    if (r < -2.0) {
      return Axis(-4, 0.0, 0.0);
    }
    if (r >= f32(n + 1)) {
      return Axis(n + 2, 0.0, 0.0);
    }
    let base = select(i32(floor(r)), n - 2, r == f32(n - 1) && n > 1);
    return Axis(base, r - f32(base), 1.0);
  }
  if (n == 1) {
    return Axis(0, 0.0, 0.0);
  }
  if (code == REFLECT) {
    return reflectAxis(r, n);
  }
  if (code == EXTRAPOLATE) {
    return extrapolateAxis(r, n);
  }
  return clampAxis(r, n);
}

// One node alone, which has no neighbours and no derivative.
fn isAlone(n: i32, code: i32) -> bool {
  return n == 1 && code != WRAP && code != ZERO;
}

// r is finite.
fn axisNodes(r: f32, n: i32, code: i32, basis: i32) -> vec4<i32> {
  if (isAlone(n, code)) {
    return vec4<i32>(-1, 0, -1, -1);
  }
  let base = placeOf(r, n, code).base;
  // Bases of two taps have them in slots 1 and 2.
  let narrow = basis == LINEAR || basis == HERMITE || basis == HERMITE_TANGENT;
  return vec4<i32>(
    select(nodeOfTap(base - 1, n, code), -1, narrow),
    nodeOfTap(base, n, code),
    nodeOfTap(base + 1, n, code),
    select(nodeOfTap(base + 2, n, code), -1, narrow),
  );
}

// Beyond an extrapolated axis: along the tangent at the outermost node, on it and the one beside it.
fn outerWeights(f: f32, basis: i32, a: f32, order: i32) -> vec4<f32> {
  if (basis == PLACE || basis == LINEAR) {
    return basisWeights(f, basis, a, order);
  }
  let below = f < 0.0;
  let distance = select(f - 1.0, f, below);
  // Derivatives of one and of the distance.
  let one = select(0.0, 1.0, order == 0);
  let run = cubic(distance, order, vec4<f32>(0.0, 1.0, 0.0, 0.0));
  var edge = one;
  var beside = 0.0;
  if (basis == HERMITE_TANGENT) {
    edge = run;
  } else if (basis != HERMITE) {
    // That much of the step between the two nodes a unit, outwards.
    let steep = select(1.0, -2.0 * a, basis == CARDINAL);
    beside = select(-steep, steep, below) * run;
    edge -= beside;
  }
  return select(vec4<f32>(0.0, beside, edge, 0.0), vec4<f32>(0.0, edge, beside, 0.0), below);
}

// Of finite r: the derivative of order `order` with respect to r of the weights of axisNodes.
fn axisWeights(r: f32, n: i32, code: i32, basis: i32, a: f32, order: i32) -> vec4<f32> {
  if (isAlone(n, code)) {
    if (order > 0 || basis == HERMITE_TANGENT) {
      return vec4<f32>(0.0);
    }
    return vec4<f32>(0.0, 1.0, select(0.0, 1.0, basis == PLACE), 0.0);
  }
  let place = placeOf(r, n, code);
  let f = place.fraction;
  var w = vec4<f32>(0.0);
  if (code == EXTRAPOLATE && (f < 0.0 || f > 1.0)) {
    w = outerWeights(f, basis, a, order);
  } else {
    w = basisWeights(f, basis, a, order);
  }
  if (order > 0) {
    w *= select(abs(place.slope), place.slope, (order & 1) == 1);
  }
  if (code == EXTRAPOLATE && basis != PLACE) {
    if (place.base < 1) {
      w = vec4<f32>(0.0, w.y + 2.0 * w.x, w.z - w.x, w.w);
    }
    if (place.base + 2 >= n) {
      w = vec4<f32>(w.x, w.y - w.w, w.z + 2.0 * w.w, 0.0);
    }
  }
  return w;
}
