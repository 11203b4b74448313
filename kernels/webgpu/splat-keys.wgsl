// First pass of WavecubeSplat (contract: src/ops/contract.ts): (key, sample) of each sample. The key is its base
// cell; bases run from -1 to n-1, so there are n+1 an axis. Samples without a stencil go to one bin behind all others.

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let r = coordinate(index);
  var key = uniforms.bins;
  if (isFinite(r)) {
    let g = stencilAt(r).base + 1;
    key = (g.x * (uniforms.dims.y + 1) + g.y) * (uniforms.dims.z + 1) + g.z;
  }
  result[index] = vec2<i32>(key, index);
}
