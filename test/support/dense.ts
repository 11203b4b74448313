/** Dense linear algebra in float64: the reference of banded solves. */

/** M x = y by Gauss's elimination with pivots; M [n][n]. */
export function solveDense(matrix: number[][], y: ArrayLike<number>): Float64Array {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, y[i]]);
  for (let i = 0; i < n; i++) {
    let best = i;
    for (let k = i + 1; k < n; k++) if (Math.abs(rows[k][i]) > Math.abs(rows[best][i])) best = k;
    [rows[i], rows[best]] = [rows[best], rows[i]];
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const factor = rows[k][i] / rows[i][i];
      for (let j = i; j <= n; j++) rows[k][j] -= factor * rows[i][j];
    }
  }
  return Float64Array.from(rows, (row, i) => row[n] / row[i]);
}

/** [n][n] of bands [n, 3], as ops/tridiagonalcontract.ts says. */
export function bandedMatrix(
  bands: ArrayLike<number>,
  n: number,
  cyclic: boolean,
  adjoint: boolean,
): number[][] {
  const out = Array.from({ length: n }, () => Array<number>(n).fill(0));
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < 3; k++) {
      let j = i + k - 1;
      if (cyclic) j = (j + n) % n;
      if (j < 0 || j >= n) continue;
      if (adjoint) out[j][i] += bands[3 * i + k];
      else out[i][j] += bands[3 * i + k];
    }
  }
  return out;
}
