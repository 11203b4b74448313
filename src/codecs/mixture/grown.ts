/** A mixture on its way, with what it leaves. */
import type { Mixture } from './mixture.js';

/** The part of a bound that a fit may take; the rest is for quantisation. */
export const FIT_PART = 0.8;
/** Components that are refined together. */
export const TOGETHER = 32;

export interface Grown {
  mixture: Mixture;
  residual: Float64Array[];
  energy: number;
  /** partOfBounds on the lattice. */
  part: number;
  /** Of all refinements so far. */
  work: number;
}
