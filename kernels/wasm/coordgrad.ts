/**
 * WavecubeCoordGrad and WavecubeCoordGradTangent: out_ij = Σ_k ∂w_k/∂r_j · ⟨node_k, values_i⟩, with w or D_h w. Contract:
 * src/ops/contract.ts.
 */
import { coordGradThrees } from './coordgradquads';
import { coordGradEights, coordGradFours } from './coordgradrows';
import { addDots, addDotsHalf, gradient } from './dots';
import { BLOCK, open, TILE_BYTES, take, takeAbsent, WIDE } from './layout';
import { COUNTS_BYTES, sortByKey } from './sort';
import { AXES, absent, clamped, fill, metAbsent, ordered, RECORD_BYTES, setRows } from './stencil';

/** `tangent` 0: the gradient of the value. The grid is that of the last setGrid. */
export function coordGrad(
  out: usize,
  nodes: usize,
  coords: usize,
  values: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  half: bool,
  scratch: usize,
): void {
  if (n === 0) return;
  if (clamped && ordered && !half && tangent === 0) {
    if (payload === 3) {
      coordGradThrees(out, nodes, coords, values, n);
      return;
    }
    if (payload === 4) {
      coordGradFours(out, nodes, coords, values, n);
      return;
    }
    if (payload === 8) {
      coordGradEights(out, nodes, coords, values, n);
      return;
    }
  }
  open(scratch);
  const rowBytes: usize = half ? ((<usize>payload + 1) >> 1) << 2 : (<usize>payload) << 2;
  const none = payload < WIDE ? take(rowBytes) : takeAbsent(coords, n, rowBytes);
  setRows(nodes, <u32>rowBytes, none);
  if (payload < WIDE) narrow(out, coords, values, tangent, n, payload, half, rowBytes);
  else wide(out, coords, values, tangent, n, payload, half, rowBytes);
}

function narrow(
  out: usize,
  coords: usize,
  values: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  half: bool,
  rowBytes: usize,
): void {
  const taps = take(<usize>BLOCK * RECORD_BYTES);
  const axes = take(<usize>BLOCK * RECORD_BYTES);
  const dots = take(64);
  const valueBytes = (<usize>payload) << 2;
  memory.fill(absent, 0, rowBytes);
  for (let first = 0; first < n; first += BLOCK) {
    const count = min(BLOCK, n - first);
    fill(taps, axes, 0, coords, 0, count, AXES);
    for (let i: usize = 0, end = <usize>count * RECORD_BYTES; i < end; i += RECORD_BYTES) {
      memory.fill(dots, 0, 64);
      if (half) addDotsHalf(dots, values, taps + i, 0, valueBytes);
      else addDots(dots, values, taps + i, 0, valueBytes);
      gradient(out, dots, axes + i, tangent);
      values += valueBytes;
      out += 12;
      tangent += tangent ? 12 : 0;
    }
    coords += <usize>BLOCK * 12;
  }
}

function wide(
  out: usize,
  coords: usize,
  values: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  half: bool,
  rowBytes: usize,
): void {
  const taps = take(<usize>n * RECORD_BYTES);
  const axes = take(<usize>n * RECORD_BYTES);
  const keys = take((<usize>n) << 2);
  const perm = take((<usize>n) << 2);
  const spare = take((<usize>n) << 2);
  const counts = take(COUNTS_BYTES);
  const dots = take((<usize>n) << 6);
  fill(taps, axes, keys, coords, 0, n, AXES);
  if (metAbsent) memory.fill(absent, 0, rowBytes);
  const order = sortByKey(keys, perm, spare, counts, n);
  memory.fill(dots, 0, (<usize>n) << 6);
  const valueBytes = (<usize>payload) << 2;
  for (let from: usize = 0; from < valueBytes; from += TILE_BYTES) {
    const to = min(from + TILE_BYTES, valueBytes);
    for (let i = 0; i < n; i++) {
      const s = <usize>load<u32>(order + ((<usize>i) << 2));
      const at = taps + s * RECORD_BYTES;
      if (half) addDotsHalf(dots + (s << 6), values + s * valueBytes, at, from, to);
      else addDots(dots + (s << 6), values + s * valueBytes, at, from, to);
    }
  }
  for (let i: usize = 0; i < <usize>n; i++) {
    gradient(out + i * 12, dots + (i << 6), axes + i * RECORD_BYTES, tangent ? tangent + i * 12 : 0);
  }
}
