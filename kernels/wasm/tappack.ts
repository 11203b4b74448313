/**
 * Rows of a block of samples side by side, tile by tile. Wide rows often lie whole powers of two apart, where the tiles of more than a
 * few of them never are in a cache together, however small; copied next to each other they are, and each is read many times.
 */
import { take } from './layout';
import { pageRows, tapRowBytes, tapRowsAt } from './taplist';

/** Bytes of a row's tile: those of a sample's 64 rows stay in the first-level cache. */
export const PACKED_TILE: usize = 576;
/** Rows of a block: their tiles stay in the second-level cache. */
const PACKED_ROWS: i32 = 2048;
/** Entries of lists for each row copied, from which copies pay. */
const LEAST_USES: i32 = 3;

let start: usize;
let rowBytes: u32;
/** Of each row of the page: its place in the block, where that is `serial`'s. */
let places: usize;
/** Addresses of the block's rows, and their tiles. */
let addresses: usize;
let tiles: usize;
let count: i32;
let entries: i32;

/** Bytes of scratch for packing rows of a page of so many. */
export function packScratch(rows: i32): f64 {
  const most = <f64>min(rows, PACKED_ROWS + 64);
  return <f64>rows * 4 + most * <f64>(PACKED_TILE + 4) + 256;
}

/** Of the rows of the last setTapRows, in scratch. */
export function setPack(): void {
  const rows = pageRows();
  start = tapRowsAt();
  rowBytes = <u32>tapRowBytes();
  places = take((<usize>rows) << 2);
  const most = <usize>min(rows, PACKED_ROWS + 64);
  addresses = take(most << 2);
  tiles = take(most * PACKED_TILE);
  memory.fill(places, 0xff, (<usize>rows) << 2);
  count = 0;
  entries = 0;
}

/** Starts another block. */
export function clearPack(): void {
  for (let i: usize = 0; i < <usize>count; i++) store<i32>(placeOf(load<u32>(addresses + (i << 2))), -1);
  count = 0;
  entries = 0;
}

function placeOf(address: u32): usize {
  return places + <usize>(((address - <u32>start) / rowBytes) << 2);
}

/** Adds the rows of a list. @returns whether there is room for another. */
export function addToPack(list: usize, length: i32): bool {
  const end = list + ((<usize>length) << 2);
  for (let at = list; at < end; at += 4) {
    const address = load<u32>(at);
    const place = placeOf(address);
    if (load<i32>(place) >= 0) continue;
    store<i32>(place, count);
    store<u32>(addresses + ((<usize>count) << 2), address);
    count++;
  }
  entries += length;
  return count <= PACKED_ROWS;
}

/** Whether the block's rows are read so often that copies pay. */
export function packPays(): bool {
  return entries >= LEAST_USES * count;
}

/** Turns the rows of a list into their tiles. */
export function toTiles(list: usize, length: i32): void {
  const end = list + ((<usize>length) << 2);
  for (let at = list; at < end; at += 4) {
    store<u32>(at, <u32>tiles + load<u32>(placeOf(load<u32>(at))) * <u32>PACKED_TILE);
  }
}

/** Copies the bytes from … to of the block's rows, at most a tile; what is read behind them does not matter. */
export function pack(from: usize, to: usize): void {
  const whole = to - from;
  for (let i: usize = 0; i < <usize>count; i++) {
    const at = <usize>load<u32>(addresses + (i << 2)) + from;
    const tile = tiles + i * PACKED_TILE;
    let b: usize = 0;
    for (; b + 64 <= whole; b += 64) {
      v128.store(tile + b, v128.load(at + b));
      v128.store(tile + b, v128.load(at + b, 16), 16);
      v128.store(tile + b, v128.load(at + b, 32), 32);
      v128.store(tile + b, v128.load(at + b, 48), 48);
    }
    for (; b < whole; b += 16) v128.store(tile + b, v128.load(at + b));
  }
}
