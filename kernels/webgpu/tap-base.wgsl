// Where the taps of an axis lie, whatever boundary they come from: slots 0 ... 3 are the nodes base - 1 ... base + 2 on the axis
// closed to a ring. Taps that were wrapped, mirrored or clamped are among them, so that rows find samples by their base.
// Contract: src/ops/tapscontract.ts.

const NO_TAPS = -1;
const IRREGULAR = -2;

fn slotOf(node: i32, base: i32, n: i32) -> i32 {
  return (node - base + 1 + n) % n;
}

// IRREGULAR where the taps do not fit into the slots of one base, NO_TAPS where there are none.
fn baseOf(nodes: vec4<i32>, n: i32) -> i32 {
  // Slot 1 is the base where it is there: mirrored outer taps say nothing of it.
  var base = 0;
  if (nodes.y >= 0) {
    base = nodes.y;
  } else if (nodes.z >= 0) {
    base = nodes.z - 1;
  } else if (nodes.w >= 0) {
    base = nodes.w - 2;
  } else if (nodes.x >= 0) {
    base = nodes.x + 1;
  } else {
    return NO_TAPS;
  }
  base = ((base % n) + n) % n;
  for (var k = 0; k < 4; k++) {
    if (nodes[k] >= 0 && slotOf(nodes[k], base, n) > 3) {
      return IRREGULAR;
    }
  }
  return base;
}
