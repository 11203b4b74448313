/** WavecubeTridiagonal on cpu, in float64. Contract: ops/tridiagonalcontract.ts. */
import { registerTridiagonal } from '../../ops/tridiagonalcontract.js';
import { PLAN, tridiagonalPlan } from '../../ops/tridiagonalplan.js';
import { type CpuBackend, valuesOf } from './tfjs.js';

/** Solves the B lines of y [n, B] in place. */
function solve(y: Float64Array, plan: Float64Array, n: number, width: number, cyclic: boolean): void {
  const m = cyclic ? n - 1 : n;
  for (let i = 0; i < m; i++) {
    const [pivot, lower] = [plan[PLAN * i], plan[PLAN * i + 1]];
    const at = i * width;
    for (let b = at; b < at + width; b++) y[b] = pivot * y[b] - (i > 0 ? lower * y[b - width] : 0);
  }
  for (let i = m - 2; i >= 0; i--) {
    const upper = plan[PLAN * i + 2];
    const at = i * width;
    for (let b = at; b < at + width; b++) y[b] -= upper * y[b + width];
  }
  if (!cyclic) return;
  const [scale, first, last] = plan.subarray(PLAN * m);
  for (let b = 0; b < width; b++) {
    const at = m * width + b;
    y[at] *= scale;
    if (m > 0) y[at] -= first * y[b] + last * y[at - width];
    for (let i = 0; i < m; i++) y[i * width + b] -= plan[PLAN * i + 3] * y[at];
  }
}

export function registerCpuTridiagonal(): void {
  registerTridiagonal('cpu', ({ inputs: { x, bands }, attrs, backend }) => {
    const cpu = backend as CpuBackend;
    const [outer, n, width] = x.shape;
    const values = valuesOf(cpu, x) as Float32Array;
    const plan = tridiagonalPlan(valuesOf(cpu, bands) as Float32Array, n, attrs);
    const out = new Float32Array(values.length);
    const lines = new Float64Array(n * width);
    for (let a = 0; a < outer; a++) {
      lines.set(values.subarray(a * lines.length, (a + 1) * lines.length));
      solve(lines, plan, n, width, attrs.cyclic);
      out.set(lines, a * lines.length);
    }
    return cpu.makeTensorInfo(x.shape, 'float32', out);
  });
}
