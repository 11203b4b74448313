/** The Fourier kernels of ops/waves.ts on cpu, in float64. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { WAVES, WAVES_ADJOINT, type WavesAttrs } from '../../ops/waves.js';
import { analyseWaves, sumWaves } from '../../ops/waveshost.js';
import { type CpuBackend, valuesOf } from './tfjs.js';

export function registerFourier(): void {
  replaceKernel('cpu', WAVES, ({ inputs, attrs, backend }) => {
    const { rows, columns } = attrs as unknown as WavesAttrs;
    const y = inputs.y as TensorInfo;
    const [count, , , parts] = y.shape;
    const shape = [count, rows.size, columns.size, parts / 2];
    const out = new Float32Array(count * rows.size * columns.size * (parts / 2));
    const cpu = backend as unknown as CpuBackend;
    sumWaves(valuesOf(cpu, y) as Float32Array, out, count, { rows, columns }, parts / 2);
    return cpu.makeTensorInfo(shape, 'float32', out);
  });
  replaceKernel('cpu', WAVES_ADJOINT, ({ inputs, attrs, backend }) => {
    const { rows, columns } = attrs as unknown as WavesAttrs;
    const x = inputs.x as TensorInfo;
    const [count, , , channels] = x.shape;
    const shape = [count, rows.entries, columns.entries, 2 * channels];
    const out = new Float32Array(2 * count * rows.entries * columns.entries * channels);
    const cpu = backend as unknown as CpuBackend;
    analyseWaves(valuesOf(cpu, x) as Float32Array, out, count, { rows, columns }, channels);
    return cpu.makeTensorInfo(shape, 'float32', out);
  });
}
