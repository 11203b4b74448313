/** WavecubeEase and its slopes on cpu. Contract: ops/easecontract.ts. */
import { type EaseAttrs, registerEase } from '../../ops/easecontract.js';
import { type CpuBackend, valuesOf } from './tfjs.js';

function eased(r: number, end: number, { nearest, order }: EaseAttrs): number {
  const floor = Math.floor(r);
  if (nearest) return r - floor >= 0.5 ? floor + 1 : floor;
  const base = end >= 0 && r === end ? floor - 1 : floor;
  const f = r - base;
  if (order === 0) return base + f * f * (3 - 2 * f);
  if (order === 1) return 6 * f * (1 - f);
  if (order === 2) return 6 - 12 * f;
  return order === 3 ? -12 : 0;
}

export function registerCpuEase(): void {
  registerEase('cpu', ({ inputs: { coords, by }, attrs, backend }) => {
    const cpu = backend as CpuBackend;
    const from = valuesOf(cpu, coords) as Float32Array;
    const times = by && (valuesOf(cpu, by) as Float32Array);
    const out = new Float32Array(from.length);
    for (let i = 0; i < out.length; i += 3) {
      const finite = Number.isFinite(from[i]) && Number.isFinite(from[i + 1]) && Number.isFinite(from[i + 2]);
      for (let j = 0; j < 3; j++) {
        if (!finite) out[i + j] = attrs.order === 0 ? Number.NaN : 0;
        else out[i + j] = eased(from[i + j], attrs.ends[j], attrs) * (times ? times[i + j] : 1);
      }
    }
    return cpu.makeTensorInfo(coords.shape, 'float32', out);
  });
}
