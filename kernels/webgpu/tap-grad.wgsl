// WavecubeTapsGrad and, with tap-product-tangent.wgsl, WavecubeTapsGradTangent. Contract: src/ops/tapscontract.ts.
// TEAM = LINES * COLUMNS invocations of a workgroup share a sample: its 16 lines of four taps along z, and its lanes. They add up
// what they got in a fixed order.

struct Gradient { x: vec4<f32>, y: vec4<f32>, z: vec4<f32> }

var<workgroup> sharesX: array<vec4<f32>, 64>;
var<workgroup> sharesY: array<vec4<f32>, 64>;
var<workgroup> sharesZ: array<vec4<f32>, 64>;

// The products of four nodes with the sample's values, over the lanes of a column.
fn products(i: i32, rows: vec4<i32>, column: i32) -> vec4<f32> {
  var sums: array<Lane, 4>;
  for (var lane = column; lane < uniforms.lanes; lane += COLUMNS) {
    let v = values[i * uniforms.lanes + lane];
    for (var c = 0; c < 4; c++) {
      if (rows[c] >= 0) {
        sums[c] += v * node(rows[c], lane);
      }
    }
  }
  return vec4<f32>(total(sums[0]), total(sums[1]), total(sums[2]), total(sums[3]));
}

fn share(i: i32, member: i32) -> Gradient {
  var g = Gradient();
  if (isBlank(i)) {
    return g;
  }
  let t = tapsOf(i);
  for (var line = member / COLUMNS; line < 16; line += LINES) {
    let a = line >> 2u;
    let b = line & 3;
    let x = t.x[a];
    let y = t.y[b];
    let rows = vec4<i32>(rowOf(x, y, t.z.x), rowOf(x, y, t.z.y), rowOf(x, y, t.z.z), rowOf(x, y, t.z.w));
    if (all(rows < vec4<i32>(0))) {
      continue;
    }
    let dots = products(i, rows, member % COLUMNS);
    for (var c = 0; c < 4; c++) {
      let d = dots[c] * productGradient(factorsAt(t, a, b, c), directionAt(t, a, b, c));
      g.x[a] += d.x;
      g.y[b] += d.y;
      g.z[c] += d.z;
    }
  }
  return g;
}

fn main(index: i32) {
  let i = index / TEAM;
  let member = index - i * TEAM;
  var g = Gradient();
  if (i < uniforms.count) {
    g = share(i, member);
  }
  sharesX[localIndex] = g.x;
  sharesY[localIndex] = g.y;
  sharesZ[localIndex] = g.z;
  workgroupBarrier();
  for (var half = TEAM / 2; half > 0; half /= 2) {
    if (member < half) {
      sharesX[localIndex] += sharesX[localIndex + u32(half)];
      sharesY[localIndex] += sharesY[localIndex + u32(half)];
      sharesZ[localIndex] += sharesZ[localIndex + u32(half)];
    }
    workgroupBarrier();
  }
  if (member == 0 && i < uniforms.count) {
    result[3 * i] = sharesX[localIndex];
    result[3 * i + 1] = sharesY[localIndex];
    result[3 * i + 2] = sharesZ[localIndex];
  }
}
