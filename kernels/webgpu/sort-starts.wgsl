// Where each key 0 ... keys begins in sorted pairs, by binary search: [keys + 1].

fn main(index: i32) {
  if (index > uniforms.keys) {
    return;
  }
  var a = 0;
  var z = uniforms.count;
  while (a < z) {
    let m = a + (z - a) / 2;
    if (pairs[m].x < index) {
      a = m + 1;
    } else {
      z = m;
    }
  }
  result[index] = a;
}
