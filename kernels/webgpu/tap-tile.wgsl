// Which lanes of which sample (or row) an invocation has: up to PER, TILE apart, so that neighbouring invocations read
// neighbouring memory. Tiles of TILE * PER lanes come one after the other for all samples: what many samples read of a tile is
// then still in the cache, where whole rows of a wide payload would long be gone.

struct Share { item: i32, first: i32 }

// first is beyond the lanes where there is nothing to do.
fn shareOf(index: i32, items: i32) -> Share {
  let group = index / TILE;
  let tile = group / items;
  return Share(group - tile * items, tile * (TILE * PER) + index - group * TILE);
}
