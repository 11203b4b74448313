// WavecubeGaussians (contract: src/ops/gaussianscontract.ts). A workgroup of 256 has a tile of 16 x 16 pixels and up to four
// channels. It takes 256 components at a time: each invocation looks at one and keeps it in shared memory if it reaches the
// tile; then each goes over those that do, in their order, for its own pixel.

const TILE = 16;
const CHUNK = 256;

var<workgroup> hits: array<atomic<u32>, 8>;
var<workgroup> broken: atomic<u32>;
var<workgroup> centres: array<vec4<f32>, CHUNK>;
var<workgroup> factors: array<vec3<f32>, CHUNK>;
var<workgroup> amplitudes: array<vec4<f32>, CHUNK>;

// Keeps component m of image n as the `slot`th if the tile must know of it.
fn keep(n: i32, m: i32, slot: u32, corner: vec2<i32>, channel: i32) {
  let at = (n * uniforms.count + m) * (SHAPE_PARAMETERS + uniforms.channels);
  var silent = true;
  for (var k = 0; k < uniforms.channels; k++) {
    silent = silent && isZero(components[at + SHAPE_PARAMETERS + k]);
  }
  if (silent) {
    return;
  }
  if (!allFinite(at)) {
    atomicStore(&broken, 1u);
    return;
  }
  let g = gaussianAt(at);
  let box = boxOf(g, corner, corner + vec2<i32>(TILE - 1));
  if (any(box.xy > box.zw)) {
    return;
  }
  centres[slot] = vec4<f32>(g.coarse, g.rest);
  factors[slot] = vec3<f32>(g.step, g.shear, g.rise);
  var a = vec4<f32>(0.0);
  for (var k = 0; k < min(uniforms.channels - channel, 4); k++) {
    a[k] = components[at + SHAPE_PARAMETERS + channel + k];
  }
  amplitudes[slot] = a;
  atomicOr(&hits[slot / 32u], 1u << (slot % 32u));
}

fn sumAt(pixel: vec2<i32>) -> vec4<f32> {
  var sum = vec4<f32>(0.0);
  for (var word = 0u; word < 8u; word++) {
    var bits = atomicLoad(&hits[word]);
    while (bits != 0u) {
      let slot = word * 32u + firstTrailingBit(bits);
      bits &= bits - 1u;
      let c = centres[slot];
      let f = factors[slot];
      let d = offset(Gaussian(c.xy, c.zw, f.x, f.y, f.z), pixel);
      let u = f.x * d.x + f.y * d.y;
      let v = f.z * d.y;
      let square = u * u + v * v;
      if (square <= CUT_SQUARED) {
        sum += exp(-0.5 * square) * amplitudes[slot];
      }
    }
  }
  return sum;
}

fn main(index: i32) {
  let tile = index / CHUNK;
  let tilesX = (uniforms.width + TILE - 1) / TILE;
  let tilesY = (uniforms.height + TILE - 1) / TILE;
  let groups = (uniforms.channels + 3) / 4;
  let n = tile / (tilesX * tilesY * groups);
  let part = tile - n * tilesX * tilesY * groups;
  let place = part / groups;
  let channel = (part - place * groups) * 4;
  let corner = vec2<i32>(place % tilesX, place / tilesX) * TILE;
  let pixel = corner + vec2<i32>(i32(localIndex) % TILE, i32(localIndex) / TILE);
  if (localIndex == 0u) {
    atomicStore(&broken, 0u);
  }
  var sum = vec4<f32>(0.0);
  for (var chunk = 0; chunk < uniforms.count; chunk += CHUNK) {
    if (localIndex < 8u) {
      atomicStore(&hits[localIndex], 0u);
    }
    workgroupBarrier();
    let m = chunk + i32(localIndex);
    if (m < uniforms.count && n < uniforms.images) {
      keep(n, m, localIndex, corner, channel);
    }
    workgroupBarrier();
    sum += sumAt(pixel);
    workgroupBarrier();
  }
  if (n >= uniforms.images || pixel.x >= uniforms.width || pixel.y >= uniforms.height) {
    return;
  }
  if (atomicLoad(&broken) != 0u) {
    sum = vec4<f32>(uniforms.NAN);
  }
  let to = ((n * uniforms.height + pixel.y) * uniforms.width + pixel.x) * uniforms.channels + channel;
  for (var k = 0; k < min(uniforms.channels - channel, 4); k++) {
    result[to + k] = sum[k];
  }
}
