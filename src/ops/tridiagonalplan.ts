/**
 * What elimination makes of the bands of WavecubeTridiagonal (ops/tridiagonalcontract.ts) before it sees a line. Pure, in float64;
 * kernels/webgpu/tridiagonal-plan.wgsl repeats it.
 *
 * L. H. Thomas's elimination (1949) of the first m unknowns, m = n, or n − 1 where cyclic: there the last unknown borders the rest,
 * which stays dominant where the whole is (a rank-one update, as Sherman and Morrison's, does not). The plan is [n, 4]: rows i < m are
 * (M, L, C, Q), the last row of a cyclic one (S, F, E, 0), and a line is solved by
 *
 *   w_i = M_i x_i − L_i w_{i−1}     i = 0 … m − 1
 *   w_i −= C_i w_{i+1}              i = m − 2 … 0
 *   y_m = S x_m − F w_0 − E w_{m−1};   y_i = w_i − Q_i y_m     where cyclic, else y = w
 */
import type { TridiagonalAttrs } from './tridiagonalcontract.js';

export const PLAN = 4;

/** l, d, u of row i of the matrix, or of its transpose, neighbours mod n. */
function rowOf(bands: ArrayLike<number>, i: number, n: number, adjoint: boolean): [number, number, number] {
  if (!adjoint) return [bands[3 * i], bands[3 * i + 1], bands[3 * i + 2]];
  const before = (i + n - 1) % n;
  const after = (i + 1) % n;
  return [bands[3 * before + 2], bands[3 * i + 1], bands[3 * after]];
}

/** The plan of bands [n, 3]. */
export function tridiagonalPlan(
  bands: ArrayLike<number>,
  n: number,
  { cyclic, adjoint }: TridiagonalAttrs,
): Float64Array {
  const plan = new Float64Array(PLAN * n);
  const m = cyclic ? n - 1 : n;
  const [left, middle, right] = rowOf(bands, n - 1, n, adjoint);
  // The border's column in rows 0 and m − 1, solved with the rest.
  for (let i = 0; i < m; i++) {
    const [l, d, u] = rowOf(bands, i, n, adjoint);
    const p = PLAN * i;
    const pivot = 1 / (i > 0 ? d - l * plan[p - PLAN + 2] : d);
    plan[p] = pivot;
    plan[p + 1] = i > 0 ? l * pivot : 0;
    plan[p + 2] = i < m - 1 ? u * pivot : 0;
    if (!cyclic) continue;
    const column = (i === 0 ? l : 0) + (i === m - 1 ? u : 0);
    plan[p + 3] = pivot * column - (i > 0 ? plan[p + 1] * plan[p - PLAN + 3] : 0);
  }
  if (!cyclic) return plan;
  for (let i = m - 2; i >= 0; i--) plan[PLAN * i + 3] -= plan[PLAN * i + 2] * plan[PLAN * (i + 1) + 3];
  const p = PLAN * m;
  const rest = m > 0 ? right * plan[3] + left * plan[p - 1] : -(left + right);
  plan[p] = 1 / (middle - rest);
  plan[p + 1] = m > 0 ? right * plan[p] : 0;
  plan[p + 2] = m > 0 ? left * plan[p] : 0;
  return plan;
}
