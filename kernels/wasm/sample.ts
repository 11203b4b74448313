/**
 * WavecubeSample and WavecubeSampleTangent: out_i = Σ_k w_k(r_i) · node_k, with w or D_h w. Contract:
 * src/ops/contract.ts.
 */
import { blend, blendHalf } from './blend';
import { blendFew, gatherPresent } from './blendfew';
import { BLOCK, FUSED, open, TILE_BYTES, take, takeAbsent, WIDE } from './layout';
import { sampleEights, sampleFours, sampleThrees } from './samplequads';
import { sampleRows } from './samplerows';
import { COUNTS_BYTES, sortByKey } from './sort';
import { absent, clamped, fill, metAbsent, ordered, RECORD_BYTES, setRows, TANGENT, VALUE } from './stencil';

/** `tangent` 0: weights are values. The grid is that of the last setGrid. */
export function sample(
  out: usize,
  nodes: usize,
  coords: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  half: bool,
  scratch: usize,
): void {
  if (n === 0 || payload === 0) return;
  if (clamped && ordered && !half && tangent === 0 && payload < FUSED) {
    if (payload === 3) sampleThrees(out, nodes, coords, n);
    else if (payload === 4) sampleFours(out, nodes, coords, n);
    else if (payload === 8) sampleEights(out, nodes, coords, n);
    else sampleRows(out, nodes, coords, n, payload);
    return;
  }
  open(scratch);
  const rowBytes: usize = half ? ((<usize>payload + 1) >> 1) << 2 : (<usize>payload) << 2;
  const none = payload < WIDE ? take(rowBytes) : takeAbsent(coords, n, rowBytes);
  setRows(nodes, <u32>rowBytes, none);
  if (payload < WIDE) narrow(out, coords, tangent, n, payload, half, rowBytes);
  else wide(out, coords, tangent, n, payload, half, rowBytes);
}

function narrow(
  out: usize,
  coords: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  half: bool,
  rowBytes: usize,
): void {
  const taps = take(<usize>BLOCK * RECORD_BYTES);
  const weights = take(<usize>BLOCK * RECORD_BYTES);
  const outBytes = (<usize>payload) << 2;
  memory.fill(absent, 0, rowBytes);
  for (let first = 0; first < n; first += BLOCK) {
    const count = min(BLOCK, n - first);
    fill(taps, weights, 0, coords, tangent, count, tangent ? TANGENT : VALUE);
    for (let i: usize = 0, end = <usize>count * RECORD_BYTES; i < end; i += RECORD_BYTES) {
      if (half) blendHalf(out, taps + i, weights + i, 0, outBytes);
      else blend(out, taps + i, weights + i, 0, outBytes);
      out += outBytes;
    }
    coords += <usize>BLOCK * 12;
    tangent += tangent ? <usize>BLOCK * 12 : 0;
  }
}

function wide(
  out: usize,
  coords: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  half: bool,
  rowBytes: usize,
): void {
  const taps = take(<usize>n * RECORD_BYTES);
  const weights = take(<usize>n * RECORD_BYTES);
  const keys = take((<usize>n) << 2);
  const perm = take((<usize>n) << 2);
  const spare = take((<usize>n) << 2);
  const counts = take(COUNTS_BYTES);
  fill(taps, weights, keys, coords, tangent, n, tangent ? TANGENT : VALUE);
  // Only where it will be read: of one sample of long rows this would be a ninth of the work.
  const few = metAbsent && !half;
  const present = few ? take((<usize>n) << 2) : 0;
  if (metAbsent) memory.fill(absent, 0, rowBytes);
  if (few) gatherPresent(taps, weights, present, n, absent);
  const order = sortByKey(keys, perm, spare, counts, n);
  const outBytes = (<usize>payload) << 2;
  for (let from: usize = 0; from < outBytes; from += TILE_BYTES) {
    const to = min(from + TILE_BYTES, outBytes);
    for (let i = 0; i < n; i++) {
      const s = <usize>load<u32>(order + ((<usize>i) << 2));
      const at = s * RECORD_BYTES;
      if (half) blendHalf(out + s * outBytes, taps + at, weights + at, from, to);
      else if (few) {
        const count = load<i32>(present + (s << 2));
        blendFew(out + s * outBytes, taps + at, weights + at, count, from, to);
      } else blend(out + s * outBytes, taps + at, weights + at, from, to);
    }
  }
}
