// A Gaussian in units of pixels. Contract: src/ops/gaussianscontract.ts.

const CUT_SQUARED = 36.0;
const CUT = 6.0;
const MOST_LOG_SCALE = 40.0;
const SHAPE_PARAMETERS = 5;

struct Gaussian {
  // The centre, coarse and the rest (x, y): coarse * size is exact, so that pixels beside a centre see it to the last bit.
  coarse: vec2<f32>,
  rest: vec2<f32>,
  // e^p, q and e^r a pixel.
  step: f32,
  shear: f32,
  rise: f32,
}

fn finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// Of a float32 as it came: bits, as a shader may take x == 0 for true where x is subnormal, and x != x for false.
fn isZero(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) == 0u;
}

fn allFinite(at: i32) -> bool {
  for (var k = 0; k < SHAPE_PARAMETERS + uniforms.channels; k++) {
    if (!finite(components[at + k])) {
      return false;
    }
  }
  return true;
}

// e^x for x within +-MOST_LOG_SCALE to a rounding or two: the built-in one may be off by 2 |x| of them, which shows where
// e^p dx and q dy cancel.
fn scaleOf(x: f32) -> f32 {
  let c = clamp(x, -MOST_LOG_SCALE, MOST_LOG_SCALE);
  let n = round(c * 1.44269504);
  let r = (c - n * 0.693359375) + n * 2.12194440e-4;
  var sum = 1.0;
  for (var k = 8.0; k > 0.0; k -= 1.0) {
    sum = 1.0 + sum * r / k;
  }
  return ldexp(sum, i32(n));
}

fn gaussianAt(at: i32) -> Gaussian {
  let size = vec2<f32>(f32(uniforms.width), f32(uniforms.height));
  let centre = vec2<f32>(components[at], components[at + 1]);
  let coarse = bitcast<vec2<f32>>(bitcast<vec2<u32>>(centre) & vec2<u32>(0xfffff000u));
  return Gaussian(
    coarse * size,
    (centre - coarse) * size,
    scaleOf(components[at + 2]) / size.x,
    components[at + 3] / size.y,
    scaleOf(components[at + 4]) / size.y,
  );
}

// From the centre to the pixel (column, row).
fn offset(g: Gaussian, pixel: vec2<i32>) -> vec2<f32> {
  return ((vec2<f32>(pixel) + vec2<f32>(0.5)) - g.coarse) - g.rest;
}

// First (x, y) and last (z, w) column and row within the cut; columns clipped to low ... high and rows alike. Empty where
// the first is beyond the last.
fn boxOf(g: Gaussian, low: vec2<i32>, high: vec2<i32>) -> vec4<i32> {
  let lean = min(abs(g.shear / g.rise), 1e15);
  let reach = min(CUT * vec2<f32>(sqrt(1.0 + lean * lean) / g.step, 1.0 / g.rise), vec2<f32>(1e30));
  let middle = g.coarse + g.rest - vec2<f32>(0.5);
  // A pixel more each way, as the centre is rounded here. Clipped as floats: only what is in the image becomes an integer.
  let a = vec2<f32>(low);
  let z = vec2<f32>(high);
  let first = clamp(ceil(middle - reach) - 1.0, a, z + 1.0);
  let last = clamp(floor(middle + reach) + 1.0, a - 1.0, z);
  return vec4<i32>(vec2<i32>(first), vec2<i32>(last));
}
