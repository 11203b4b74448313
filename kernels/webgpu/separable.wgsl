// One axis of WavecubeSeparable (contract: src/ops/separablecontract.ts): x seen as [outer, terms, inner] times a matrix. A
// workgroup makes 32 rows of 32 columns, a column being (outer, inner); 16 terms at a time lie in its memory. An
// invocation adds up four rows of four columns.

const TILE = 32;
const TERMS = 16;

var<workgroup> factors: array<vec4<f32>, 128>;
var<workgroup> values: array<vec4<f32>, 128>;

fn factor(i: i32, k: i32) -> f32 {
  if (i >= uniforms.rows || k >= uniforms.terms) {
    return 0.0;
  }
  return matrix[i * uniforms.strideOut + k * uniforms.strideIn];
}

// Where a column begins in an array whose axis has `size` places.
fn columnAt(q: i32, size: i32) -> i32 {
  let outer = q / uniforms.inner;
  return (outer * size - outer) * uniforms.inner + q;
}

fn value(at: i32, q: i32, k: i32) -> f32 {
  if (q >= uniforms.columns || k >= uniforms.terms) {
    return 0.0;
  }
  return x[at + k * uniforms.inner];
}

fn main(index: i32) {
  let local = i32(localIndex);
  let group = index / 64;
  let tileRow = group / uniforms.tiles;
  let i0 = tileRow * TILE;
  let q0 = (group - tileRow * uniforms.tiles) * TILE;
  // What this invocation loads: four rows, and four columns, of terms 8 apart.
  let four = (local % 8) * 4;
  let term = local / 8;
  let at = vec4<i32>(
    columnAt(q0 + four, uniforms.terms),
    columnAt(q0 + four + 1, uniforms.terms),
    columnAt(q0 + four + 2, uniforms.terms),
    columnAt(q0 + four + 3, uniforms.terms));
  var sums: array<vec4<f32>, 4>;
  for (var k0 = 0; k0 < uniforms.terms; k0 += TERMS) {
    for (var t = term; t < TERMS; t += 8) {
      let k = k0 + t;
      let i = i0 + four;
      let q = q0 + four;
      factors[t * 8 + local % 8] = vec4<f32>(factor(i, k), factor(i + 1, k), factor(i + 2, k), factor(i + 3, k));
      values[t * 8 + local % 8] = vec4<f32>(
        value(at.x, q, k), value(at.y, q + 1, k), value(at.z, q + 2, k), value(at.w, q + 3, k));
    }
    workgroupBarrier();
    for (var t = 0; t < TERMS; t++) {
      let f = factors[t * 8 + local / 8];
      let v = values[t * 8 + local % 8];
      sums[0] += f.x * v;
      sums[1] += f.y * v;
      sums[2] += f.z * v;
      sums[3] += f.w * v;
    }
    workgroupBarrier();
  }
  for (var b = 0; b < 4; b++) {
    let q = q0 + four + b;
    if (q < uniforms.columns) {
      let out = columnAt(q, uniforms.rows);
      for (var a = 0; a < 4; a++) {
        let i = i0 + (local / 8) * 4 + a;
        if (i < uniforms.rows) {
          result[out + i * uniforms.inner] = sums[a][b];
        }
      }
    }
  }
}
