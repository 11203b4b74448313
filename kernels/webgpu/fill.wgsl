// Zeros, on the device: a recycled buffer holds what was there before.

fn main(index: i32) {
  if (index < uniforms.count) {
    result[index] = 0.0;
  }
}
