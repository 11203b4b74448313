/**
 * CRCs of long inputs, without tables: bytes are folded into those behind them by xor alone. A module with a memory of its own;
 * src/checksum.ts calls it, and takes in what is left. The memory: `lead` bytes that stand before the block, then the block.
 *
 * If P divides a sparse x^d + x^(d-i) + x^(d-j) + … + 1, it also divides x^(16d) + x^(16(d-i)) + … + 1: squaring over GF(2)
 * only doubles exponents. So a place of 16 bits weighs as much in the CRC as copies of it i, j, …, d places further on, xored to what
 * stands there; once it is counted there it may be forgotten. Whole vectors at a time, without shifts, for no lag is shorter
 * than a vector. What remains are the last d places.
 *
 * The lags i, j, …, d are found by search: of few terms, of low degree, and none so short that a load would wait for a store.
 * CRC-32C takes an even number of terms (x + 1 divides it), and 4 only from degree 5,275 on.
 */

const PLACE: usize = 2;
const VECTOR: usize = 16;
/** Bytes that remain: of CRC-32C, of CRC-32. Input ends as so many bytes behind the last block that was folded. */
export const castagnoliLeft: usize = 266 * PLACE;
export const zipLeft: usize = 300 * PLACE;
/** Address of the block; its bytes, a whole number of vectors, fit the first-level cache together with what it is read from. */
export const block: usize = 640;
export const blockBytes: usize = 16384;

// biome-ignore lint/complexity/noStaticOnlyClass: only methods may carry @inline in TypeScript's grammar (kernels/wasm/lanes.ts)
class Places {
  /** The vector that stands `lag` places before the one at `at`. */
  @inline static before(at: usize, lag: usize): v128 {
    return v128.load(at - lag * PLACE);
  }
  /** Moves the end of the folded block before its start. */
  @inline static carry(end: usize): void {
    memory.copy(0, end - block, block);
  }
}

/** Adds what stands `lag` places before each of the first `lag` places of the block: all that is folded into them. */
function addLast(lag: usize): void {
  const bytes = lag * PLACE;
  const end = block + bytes;
  let at = block;
  for (; at + VECTOR <= end; at += VECTOR) v128.store(at, v128.xor(v128.load(at), Places.before(at, lag)));
  for (; at < end; at += PLACE) store<u16>(at, load<u16>(at) ^ load<u16>(at - bytes));
}

/**
 * Folds the block's first `bytes`, a whole number of vectors, with what stands before them, and makes their end what stands
 * before the next block. `register` is the CRC's at the first byte of all; 0 from the second block on.
 */
export function castagnoliFold(register: u32, bytes: usize): void {
  store<u32>(block, load<u32>(block) ^ register);
  const end = block + bytes;
  for (let at = block; at < end; at += VECTOR) {
    const near = v128.xor(Places.before(at, 123), Places.before(at, 145));
    const middle = v128.xor(Places.before(at, 178), Places.before(at, 195));
    const far = v128.xor(Places.before(at, 266), v128.load(at));
    v128.store(at, v128.xor(v128.xor(near, middle), far));
  }
  Places.carry(end);
}

/** The last `castagnoliLeft` bytes of the input, in the block, take in all that was folded before them. */
export function castagnoliEnd(): void {
  addLast(123);
  addLast(145);
  addLast(178);
  addLast(195);
  addLast(266);
}

export function zipFold(register: u32, bytes: usize): void {
  store<u32>(block, load<u32>(block) ^ register);
  const end = block + bytes;
  for (let at = block; at < end; at += VECTOR) {
    const near = v128.xor(Places.before(at, 145), Places.before(at, 183));
    const far = v128.xor(Places.before(at, 211), Places.before(at, 300));
    v128.store(at, v128.xor(v128.xor(near, far), v128.load(at)));
  }
  Places.carry(end);
}

export function zipEnd(): void {
  addLast(145);
  addLast(183);
  addLast(211);
  addLast(300);
}
