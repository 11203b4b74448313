// WavecubeMonotonePlaceGrad. Contract: src/ops/monotonecontract.ts. TEAM invocations of a workgroup share a sample's lanes and
// add up what they got, in a fixed order.

var<workgroup> shares: array<mat3x3<f32>, 64>;

fn totals(g: LineGrad) -> vec3<f32> {
  return vec3<f32>(total(g.f), total(g.below), total(g.above));
}

fn share(i: i32, member: i32) -> mat3x3<f32> {
  let t = Taps(tapsOf(i, 0), tapsOf(i, 1), tapsOf(i, 2));
  let cx = cellAt(i, 0);
  let cy = cellAt(i, 1);
  let cz = cellAt(i, 2);
  var sum = mat3x3<f32>();
  for (var lane = member; lane < uniforms.lanes; lane += TEAM) {
    var alongZ = array<array<Lane, 4>, 4>();
    var alongY = array<Lane, 4>();
    for (var a = 0; a < 4; a++) {
      for (var b = 0; b < 4; b++) {
        let p = lineAt(t, a, b, lane);
        alongZ[a][b] = lineValue(cz, p[0], p[1], p[2], p[3]);
      }
      alongY[a] = lineValue(cy, alongZ[a][0], alongZ[a][1], alongZ[a][2], alongZ[a][3]);
    }
    var byX = lineGrad(cx, alongY, values[i * uniforms.lanes + lane]);
    sum[0] += totals(byX);
    for (var a = 0; a < 4; a++) {
      var byY = lineGrad(cy, alongZ[a], byX.p[a]);
      sum[1] += totals(byY);
      for (var b = 0; b < 4; b++) {
        sum[2] += totals(lineGrad(cz, lineAt(t, a, b, lane), byY.p[b]));
      }
    }
  }
  return sum;
}

fn main(index: i32) {
  let i = index / TEAM;
  let member = index - i * TEAM;
  var sum = mat3x3<f32>();
  if (i < uniforms.count) {
    if (hasPlace(i)) {
      sum = share(i, member);
    }
  }
  shares[localIndex] = sum;
  workgroupBarrier();
  for (var half = TEAM / 2; half > 0; half /= 2) {
    if (member < half) {
      shares[localIndex] += shares[localIndex + u32(half)];
    }
    workgroupBarrier();
  }
  if (member == 0 && i < uniforms.count) {
    for (var j = 0; j < 3; j++) {
      let by = shares[localIndex][j];
      result[12 * i + 4 * j] = by.x;
      result[12 * i + 4 * j + 1] = by.y;
      result[12 * i + 4 * j + 2] = by.z;
      result[12 * i + 4 * j + 3] = 0.0;
    }
  }
}
