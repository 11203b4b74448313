// The stencil of src/interpolation/stencil.ts, in float32. Pure: no bindings. What the shaders of all sampling
// kernels (contract: src/ops/contract.ts) share.
//
// Two steps are said otherwise than there, with the same result: wrap and reflect split r into whole and fraction
// first and reduce the whole part as an integer, since float32 has no exact r mod n.

struct Axis { base: i32, fraction: f32, slope: f32 }
struct Stencil { base: vec3<i32>, fraction: vec3<f32>, slope: vec3<f32> }

// By bits: compilers may assume that no float is NaN and fold a comparison away.
fn isFinite(r: vec3<f32>) -> bool {
  return all((bitcast<vec3<u32>>(r) & vec3<u32>(0x7f800000u)) != vec3<u32>(0x7f800000u));
}

// whole mod n, exact for every float: beyond 2^31 it is m * 2^e, reduced one doubling at a time.
fn modulo(whole: f32, n: i32) -> i32 {
  let size = abs(whole);
  let m = u32(n);
  var x = 0u;
  if (size < 2147483648.0) {
    x = u32(size) % m;
  } else {
    let bits = bitcast<u32>(size);
    x = ((bits & 0x7fffffu) | 0x800000u) % m;
    for (var e = (bits >> 23u) - 150u; e > 0u; e--) {
      x = (2u * x) % m;
    }
  }
  return i32(select(x, (m - x) % m, whole < 0.0));
}

fn wrapAxis(r: f32, n: i32) -> Axis {
  let whole = floor(r);
  return Axis(modulo(whole, n), r - whole, 1.0);
}

fn reflectAxis(r: f32, n: i32) -> Axis {
  let period = 2 * (n - 1);
  let whole = floor(r);
  let f = r - whole;
  let m = modulo(whole, period);
  if (m < n - 1) {
    return Axis(m, f, 1.0);
  }
  // m = n-1 itself is the end of the rising half.
  return Axis(period - m - 1, 1.0 - f, select(-1.0, 1.0, m == n - 1 && f == 0.0));
}

fn zeroAxis(r: f32, n: i32) -> Axis {
  if (r < -1.0) {
    return Axis(-1, 0.0, 0.0);
  }
  if (r >= f32(n)) {
    return Axis(n - 1, 1.0, 0.0);
  }
  let base = select(i32(floor(r)), n - 2, r == f32(n - 1) && n > 1);
  return Axis(base, r - f32(base), 1.0);
}

fn extrapolateAxis(r: f32, n: i32) -> Axis {
  let base = clamp(floor(r), 0.0, f32(n - 2));
  return Axis(i32(base), r - base, 1.0);
}

fn clampAxis(r: f32, n: i32) -> Axis {
  let c = clamp(r, 0.0, f32(n - 1));
  let base = min(floor(c), f32(n - 2));
  return Axis(i32(base), c - base, select(0.0, 1.0, c == r));
}

// r is finite; code as of boundaryCode.
fn axisStencil(r: f32, n: i32, code: i32) -> Axis {
  if (code == 1) {
    return wrapAxis(r, n);
  }
  if (code == 3) {
    return zeroAxis(r, n);
  }
  if (n == 1) {
    return Axis(0, 0.0, 0.0);
  }
  if (code == 2) {
    return reflectAxis(r, n);
  }
  if (code == 4) {
    return extrapolateAxis(r, n);
  }
  return clampAxis(r, n);
}

// Tap k of eight: 0 or 1 on each axis, z fastest.
fn corner(k: i32) -> vec3<i32> {
  return vec3<i32>((k >> 2u) & 1, (k >> 1u) & 1, k & 1);
}

// Per axis 1 - f or f.
fn tapFactors(o: vec3<i32>, fraction: vec3<f32>) -> vec3<f32> {
  return select(1.0 - fraction, fraction, o == vec3<i32>(1));
}

// Per axis -s or +s: the derivative of the factor.
fn tapSlopes(o: vec3<i32>, slope: vec3<f32>) -> vec3<f32> {
  return select(-slope, slope, o == vec3<i32>(1));
}
