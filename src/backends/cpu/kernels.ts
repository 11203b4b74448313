/** Wavecube's kernels for tfjs's cpu backend. Contract: ops/contract.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { type OpCall, registerOps } from '../../ops/register.js';
import { registerSeparable } from '../../ops/separablecontract.js';
import { registerTaps, type TapsCall } from '../../ops/tapscontract.js';
import { registerAddBox } from './addbox.js';
import { registerCpuEase } from './ease.js';
import { registerFourier } from './fourier.js';
import { registerCpuGaussians } from './gaussians.js';
import type { Job, Nodes } from './job.js';
import { registerCpuMonotone } from './monotone.js';
import { coordGrad, sample } from './sampling.js';
import { separable } from './separable.js';
import { splat } from './splat.js';
import { stencil, stencilTaps } from './stencils.js';
import { registerSumRows } from './sumrows.js';
import { Taps } from './taps.js';
import { sampleTaps, splatTaps, type TapJob, weightGrad } from './tapsampling.js';
import { type CpuBackend, valuesOf } from './tfjs.js';
import { registerCpuTridiagonal } from './tridiagonal.js';
import { registerWavelet } from './wavelet.js';

const floats = (backend: CpuBackend, x: TensorInfo) => valuesOf(backend, x) as Float32Array;

function jobOf({ inputs: { coords, grid, tangent }, attrs }: OpCall, backend: CpuBackend): Job {
  const cells = valuesOf(backend, grid) as Int32Array;
  return {
    taps: new Taps(floats(backend, coords), cells, grid.shape, attrs),
    n: coords.shape[0],
    payload: attrs.payload,
    tangent: tangent ? floats(backend, tangent) : null,
  };
}

function nodesOf(
  { inputs: { nodes }, attrs }: Pick<OpCall, 'inputs'> & { attrs: { half: boolean } },
  backend: CpuBackend,
): Nodes {
  const data = valuesOf(backend, nodes);
  return attrs.half ? { half: true, data: data as Int32Array } : { half: false, data: data as Float32Array };
}

function tapJobOf(
  { inputs: { taps, weights, grid, tangent }, attrs }: TapsCall,
  backend: CpuBackend,
): TapJob {
  return {
    taps: valuesOf(backend, taps) as Int32Array,
    weights: floats(backend, weights),
    tangent: tangent ? floats(backend, tangent) : null,
    grid: valuesOf(backend, grid) as Int32Array,
    dims: grid.shape,
    attrs,
    n: weights.shape[0],
  };
}

/** Runs a kernel that fills a float32 result of the shape it names. */
const on =
  <Call extends { backend: unknown } = OpCall>(
    shapeOf: (call: Call) => number[],
    run: (call: Call, backend: CpuBackend, out: Float32Array) => void,
  ): ((call: Call) => TensorInfo) =>
  (call) => {
    const backend = call.backend as CpuBackend;
    const shape = shapeOf(call);
    const out = new Float32Array(shape.reduce((a, b) => a * b, 1));
    run(call, backend, out);
    return backend.makeTensorInfo(shape, 'float32', out);
  };

export function registerKernels(): void {
  registerAddBox();
  registerSumRows();
  registerFourier();
  registerCpuGaussians();
  registerOps('cpu', {
    sample: on(
      ({ inputs, attrs }) => [inputs.coords.shape[0], attrs.payload],
      (call, backend, out) => sample(jobOf(call, backend), nodesOf(call, backend), out),
    ),
    splat: on(
      ({ attrs }) => [attrs.rows, attrs.payload],
      (call, backend, out) => splat(jobOf(call, backend), floats(backend, call.inputs.values), out),
    ),
    coordGrad: on(
      ({ inputs }) => [inputs.coords.shape[0], 3],
      (call, backend, out) =>
        coordGrad(jobOf(call, backend), nodesOf(call, backend), floats(backend, call.inputs.values), out),
    ),
    meanSquare: on(
      () => [],
      ({ inputs }, backend, out) => {
        const x = floats(backend, inputs.x);
        let sum = 0;
        for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
        out[0] = x.length ? sum / x.length : 0;
      },
    ),
    meanSquareGrad: on(
      ({ inputs }) => inputs.x.shape,
      ({ inputs }, backend, out) => {
        const x = floats(backend, inputs.x);
        const scale = (2 * floats(backend, inputs.dy)[0]) / x.length;
        for (let i = 0; i < out.length; i++) out[i] = scale * x[i];
      },
    ),
  });
  registerTaps('cpu', {
    stencil: on(
      ({ inputs }) => [inputs.coords.shape[0], 3, 4],
      ({ inputs, attrs }, backend, out) => stencil(floats(backend, inputs.coords), attrs, out),
    ),
    stencilTaps({ inputs, attrs, backend }) {
      const cpu = backend as CpuBackend;
      const out = new Int32Array(inputs.coords.shape[0] * 12);
      stencilTaps(floats(cpu, inputs.coords), attrs, out);
      return cpu.makeTensorInfo([inputs.coords.shape[0], 3, 4], 'int32', out);
    },
    sample: on<TapsCall>(
      ({ inputs, attrs }) => [inputs.weights.shape[0], attrs.payload],
      (call, backend, out) => sampleTaps(tapJobOf(call, backend), nodesOf(call, backend), out),
    ),
    splat: on<TapsCall>(
      ({ attrs }) => [attrs.rows, attrs.payload],
      (call, backend, out) => splatTaps(tapJobOf(call, backend), floats(backend, call.inputs.values), out),
    ),
    weightGrad: on<TapsCall>(
      ({ inputs }) => [inputs.weights.shape[0], 3, 4],
      (call, backend, out) =>
        weightGrad(tapJobOf(call, backend), nodesOf(call, backend), floats(backend, call.inputs.values), out),
    ),
  });
  registerSeparable('cpu', separable);
  registerCpuTridiagonal();
  registerCpuEase();
  registerWavelet();
  registerCpuMonotone();
}
