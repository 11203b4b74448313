// WavecubeTapsSplat and, with tap-product-tangent.wgsl, WavecubeTapsSplatTangent: the last pass. Each row gathers from the base
// cells whose slots it may be in, then from the samples without a base, in a fixed order: no atomics, so the same sum bit by bit
// in each run. Contract: src/ops/tapscontract.ts.

fn main(index: i32) {
  let own = shareOf(index, uniforms.rows);
  if (own.first >= uniforms.lanes) {
    return;
  }
  let row = own.item;
  let lanes = Lanes(own.first, TILE);
  var sums: array<Lane, PER>;
  for (var q = firstCell(row); q < endCell(row); q++) {
    let c = placeOfCell(cellAt(q));
    for (var k = 0; k < TAPS; k++) {
      let range = rangeOf(c, k);
      if (range.x < range.y) {
        addSegment(&sums, range.x, range.y, k, lanes);
      }
    }
    addIrregular(&sums, c, lanes);
  }
  for (var j = 0; j < PER; j++) {
    let lane = lanes.first + j * lanes.step;
    if (lane < uniforms.lanes) {
      result[row * uniforms.lanes + lane] = sums[j];
    }
  }
}
