// Stable radix sort, 2 of 3: the running sum of the counts, by one workgroup of 256.

var<workgroup> parts: array<i32, 256>;

fn main(index: i32) {
  let each = (uniforms.count + 255) / 256;
  let a = min(i32(localIndex) * each, uniforms.count);
  let z = min(a + each, uniforms.count);
  var sum = 0;
  for (var i = a; i < z; i++) {
    sum += counts[i];
  }
  parts[localIndex] = sum;
  workgroupBarrier();
  if (localIndex == 0u) {
    var before = 0;
    for (var i = 0; i < 256; i++) {
      let part = parts[i];
      parts[i] = before;
      before += part;
    }
  }
  workgroupBarrier();
  sum = parts[localIndex];
  for (var i = a; i < z; i++) {
    result[i] = sum;
    sum += counts[i];
  }
}
