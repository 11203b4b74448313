/** Dense symmetric systems in float64, row-major. */

/** Lower Cholesky factor of a [n, n], in place; false where it is not positive definite. */
export function factor(a: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j <= i; j++) {
      const other = j * n;
      let sum = a[row + j];
      for (let k = 0; k < j; k++) sum -= a[row + k] * a[other + k];
      if (i === j) {
        if (!(sum > 0)) return false;
        a[row + i] = Math.sqrt(sum);
      } else a[row + j] = sum / a[other + j];
    }
  }
  return true;
}

/** Solves L y = b in place, of the lower factor; b from `at` on. */
export function forward(l: Float64Array, n: number, b: Float64Array, at = 0): void {
  for (let i = 0; i < n; i++) {
    let sum = b[at + i];
    for (let k = 0; k < i; k++) sum -= l[i * n + k] * b[at + k];
    b[at + i] = sum / l[i * n + i];
  }
}

/** Solves Lᵀ x = y in place. */
export function backward(l: Float64Array, n: number, b: Float64Array, at = 0): void {
  for (let i = n - 1; i >= 0; i--) {
    const x = (b[at + i] /= l[i * n + i]);
    for (let k = 0; k < i; k++) b[at + k] -= l[i * n + k] * x;
  }
}

export function solve(l: Float64Array, n: number, b: Float64Array, at = 0): void {
  forward(l, n, b, at);
  backward(l, n, b, at);
}
