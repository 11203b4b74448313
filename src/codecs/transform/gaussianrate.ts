/** What it costs to correct errors of a normal distribution. */

/** Bits a value that round(e / 2) takes, e of deviation `sigma`: about what a residual takes of bounds 1. */
export function gaussianRate(sigma: number): number {
  const beyond = (x: number) => erfc(x / (sigma * Math.SQRT2));
  let outside = beyond(1);
  if (!(outside > 1e-9)) return 0;
  let bits = outside < 1 ? -(1 - outside) * Math.log2(1 - outside) : 0;
  for (let k = 1; outside > 1e-9 && k < 4096; k++) {
    const next = beyond(2 * k + 1);
    const p = (outside - next) / 2;
    if (p > 0) bits -= 2 * p * Math.log2(p);
    outside = next;
  }
  return bits;
}

/** M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions" (1964), 7.1.26: to 1.5e-7. */
function erfc(x: number): number {
  const t = 1 / (1 + 0.3275911 * x);
  const sum = (((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592;
  return sum * t * Math.exp(-x * x);
}
