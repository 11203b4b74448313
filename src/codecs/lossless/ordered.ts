/** Floats as integers of the same order, so that a difference counts the floats between: −0 is −1, +0 is 0. */

const real = new Float32Array(1);
const word = new Int32Array(real.buffer);

/** float32 bits ↔ ordered integers: its own inverse. */
export const orderedBits = (bits: number): number => (bits < 0 ? bits ^ 0x7fffffff : bits);

export function orderedOf(value: number): number {
  real[0] = value;
  return orderedBits(word[0]);
}

/** binary16 bits ↔ ordered integers. */
export const orderedHalf = (half: number): number => (half & 0x8000 ? ~(half & 0x7fff) : half);
export const halfOfOrdered = (ordered: number): number =>
  ordered < 0 ? 0x8000 | (~ordered & 0x7fff) : ordered;
