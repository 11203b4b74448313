// The last pass of the splats: sums over sorted samples that share a base cell, and so the rows of their TAPS taps, one by one
// and by chunks. weightAt, counts and sampleAt come from splat-record.wgsl or tap-splat-record.wgsl.

// Lanes of a row that one invocation sums, up to PER of them.
struct Lanes { first: i32, step: i32 }

fn addSamples(sums: ptr<function, array<Lane, PER>>, a: i32, z: i32, k: i32, lanes: Lanes) {
  for (var p = a; p < z; p++) {
    let w = weightAt(p, k);
    if (!counts(w)) {
      continue;
    }
    let at = sampleAt(p) * uniforms.lanes;
    for (var j = 0; j < PER; j++) {
      let lane = lanes.first + j * lanes.step;
      if (lane < uniforms.lanes) {
        (*sums)[j] += w * values[at + lane];
      }
    }
  }
}

// Chunks are summed in groups: thousands of small terms added to one large sum would lose their low bits.
const GROUP = 64;

fn addChunks(sums: ptr<function, array<Lane, PER>>, a: i32, z: i32, k: i32, lanes: Lanes) {
  for (var first = a; first < z; first += GROUP) {
    var part = array<Lane, PER>(); // said: Dawn zeroes a plain declaration in a loop only once
    for (var chunk = first; chunk < min(first + GROUP, z); chunk++) {
      let at = (chunk * TAPS + k) * uniforms.lanes;
      for (var j = 0; j < PER; j++) {
        let lane = lanes.first + j * lanes.step;
        if (lane < uniforms.lanes) {
          part[j] += chunks[at + lane];
        }
      }
    }
    for (var j = 0; j < PER; j++) {
      (*sums)[j] += part[j];
    }
  }
}

// The samples at sorted positions a ... z: one by one up to a chunk's border, by chunks, one by one to the end.
fn addSegment(sums: ptr<function, array<Lane, PER>>, a: i32, z: i32, k: i32, lanes: Lanes) {
  let head = min((a + CHUNK - 1) / CHUNK * CHUNK, z);
  let tail = max(z / CHUNK * CHUNK, head);
  addSamples(sums, a, head, k, lanes);
  addChunks(sums, head / CHUNK, tail / CHUNK, k, lanes);
  addSamples(sums, tail, z, k, lanes);
}
