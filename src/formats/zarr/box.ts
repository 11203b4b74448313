/** Boxes of arrays of any rank: copied between layouts. */

/** Numbers as arrays of integers of 64 bits have them too. */
export type Values = ArrayLike<number> | ArrayLike<bigint>;

export type Target = Float32Array | Float64Array | Uint16Array;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** In C order. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let j = shape.length - 2; j >= 0; j--) strides[j] = strides[j + 1] * shape[j + 1];
  return strides;
}

/** The place of the i-th element in C order. */
export function unravel(i: number, shape: readonly number[]): number[] {
  const at = shape.map(() => 0);
  let rest = i;
  for (let j = shape.length - 1; j >= 0; j--) {
    at[j] = rest % shape[j];
    rest = Math.floor(rest / shape[j]);
  }
  return at;
}

/** Whether elements of a box lie one behind the other in C order. */
export function isContiguous(strides: readonly number[], extent: readonly number[]): boolean {
  const own = stridesOf(extent);
  return extent.every((n, j) => n === 1 || strides[j] === own[j]);
}

interface Side<T> {
  data: T;
  strides: readonly number[];
  /** Where the box begins. */
  start: readonly number[];
}

/** Copies a box; numbers are rounded as the target's type does. */
export function copyBox(from: Side<Values>, to: Side<Target>, extent: readonly number[]): void {
  // The axes from `inner` on lie alike on both sides, in one run.
  let inner = extent.length;
  let run = 1;
  while (inner > 0 && from.strides[inner - 1] === run && to.strides[inner - 1] === run)
    run *= extent[--inner];
  const outer = extent.slice(0, inner);
  const dot = (at: readonly number[], strides: readonly number[]) =>
    at.reduce((sum, n, j) => sum + n * strides[j], 0);
  const source = dot(from.start, from.strides);
  const target = dot(to.start, to.strides);
  // A typed array of the same kind is copied at once, the others number by number.
  const sameKind = from.data.constructor === to.data.constructor;
  const runs = sizeOf(outer);
  for (let i = 0; i < runs; i++) {
    const at = unravel(i, outer);
    const s = source + dot(at, from.strides);
    const t = target + dot(at, to.strides);
    if (sameKind) to.data.set((from.data as Float32Array).subarray(s, s + run), t);
    else for (let k = 0; k < run; k++) to.data[t + k] = Number(from.data[s + k]);
  }
}
