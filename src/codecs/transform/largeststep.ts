/** The largest step, to 2 %, of which `holds` is true, null where none is; it is expected near `guess`. */
export function largestStep(
  smallest: number,
  guess: number,
  tries: number,
  holds: (step: number) => boolean,
): number | null {
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let step = Math.max(smallest, guess);
  for (let i = 0; i < tries && high > 1.02 * low; i++) {
    if (holds(step)) low = step;
    else high = step;
    if (high <= smallest) break;
    step =
      low === 0
        ? Math.max(smallest, high / 1.6)
        : high === Number.POSITIVE_INFINITY
          ? low * 1.6
          : Math.sqrt(low * high);
  }
  return low || null;
}
