/** Values that were quantised before: the lattice fround(offset + k · step) on which all those of a channel lie. */

export interface Lattice {
  offset: number;
  step: number;
  /** Of the last point; the first is 0. */
  points: number;
}

/** More different values than this are no lattice that is worth the search. */
const MOST = 65_536;

/** The different values of a channel in order, by bits; null if they are more than `most`, or one is not finite. */
function distinct(
  values: Float32Array,
  channels: number,
  channel: number,
  most: number,
): Float32Array | null {
  const found = new Set<number>();
  for (let i = channel; i < values.length; i += channels) {
    found.add(values[i]);
    if (found.size > most) return null;
  }
  return Float32Array.from(found).sort();
}

/** The lattice of a channel's values; null where there is none, or most of its points would be unused. */
export function latticeOf(values: Float32Array, channels: number, channel: number): Lattice | null {
  const sorted = distinct(values, channels, channel, MOST);
  return sorted && latticeOfSorted(sorted);
}

/** @param sorted different values, ascending. */
export function latticeOfSorted(sorted: ArrayLike<number>): Lattice | null {
  const n = sorted.length;
  if (n < 2 || !Number.isFinite(sorted[0]) || !Number.isFinite(sorted[n - 1])) return null;
  const first = sorted[0];
  const range = sorted[n - 1] - first;
  let gap = Number.POSITIVE_INFINITY;
  for (let i = 1; i < n; i++) gap = Math.min(gap, sorted[i] - sorted[i - 1]);
  const points = Math.round(range / gap);
  if (!(points < 16 * n && points < MOST * 4)) return null;
  const step = range / points;
  // A step that is the reciprocal of a whole number (1/255) is rarely seen to the last bit: it is tried as such.
  const inverse = Math.round(1 / step);
  const candidates = Math.abs(inverse * step - 1) < 1e-5 ? [1 / inverse, step] : [step];
  for (const tried of candidates) {
    for (const offset of [Math.round(first / tried) * tried, first]) {
      if (isLattice(sorted, offset, tried)) {
        return { offset, step: tried, points };
      }
    }
  }
  return null;
}

function isLattice(sorted: ArrayLike<number>, offset: number, step: number): boolean {
  for (let i = 0; i < sorted.length; i++) {
    const k = Math.round((sorted[i] - offset) / step);
    if (!Object.is(Math.fround(offset + k * step), sorted[i])) return false;
  }
  return true;
}
