// Stands for tap-splat.wgsl where a workgroup of 64 is on one row: each invocation looks into one of the 64 base cells for all,
// and only those with samples are walked. Contract: src/ops/tapscontract.ts.

var<workgroup> cellRange: vec2<i32>;
var<workgroup> ranges: array<vec2<i32>, 64>;
// The cells with samples, and how many.
var<workgroup> filled: array<i32, 64>;
var<workgroup> filledCount: i32;

fn main(index: i32) {
  let own = shareOf(index, uniforms.rows);
  let member = i32(localIndex);
  let row = own.item;
  let empty = own.first - member >= uniforms.lanes;
  if (member == 0) {
    cellRange = vec2<i32>(0);
    if (!empty) {
      cellRange = vec2<i32>(firstCell(row), endCell(row));
    }
  }
  let cellsOfRow = workgroupUniformLoad(&cellRange);
  let lanes = Lanes(own.first, TILE);
  var sums: array<Lane, PER>;
  for (var q = cellsOfRow.x; q < cellsOfRow.y; q++) {
    let c = placeOfCell(cellAt(q));
    ranges[member] = rangeOf(c, member);
    workgroupBarrier();
    if (member == 0) {
      var count = 0;
      for (var k = 0; k < TAPS; k++) {
        if (ranges[k].x < ranges[k].y) {
          filled[count] = k;
          count++;
        }
      }
      filledCount = count;
    }
    let count = workgroupUniformLoad(&filledCount);
    for (var m = 0; m < count; m++) {
      let k = filled[m];
      addSegment(&sums, ranges[k].x, ranges[k].y, k, lanes);
    }
    addIrregular(&sums, c, lanes);
    workgroupBarrier();
  }
  if (empty) {
    return;
  }
  for (var j = 0; j < PER; j++) {
    let lane = lanes.first + j * lanes.step;
    if (lane < uniforms.lanes) {
      result[row * uniforms.lanes + lane] = sums[j];
    }
  }
}
