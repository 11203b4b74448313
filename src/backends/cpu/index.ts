/** Registers Wavecube's kernels with tfjs's cpu backend. */
import * as tf from '@tensorflow/tfjs';
import {
  COORD_GRAD,
  COORD_GRAD_TANGENT,
  MEAN_SQUARE,
  MEAN_SQUARE_GRAD,
  SAMPLE,
  SAMPLE_TANGENT,
  type SamplingAttrs,
  SPLAT,
  SPLAT_TANGENT,
} from '../../ops/contract.js';
import { registerDevice } from '../../ops/device.js';
import { replaceKernel } from '../../ops/kernels.js';
import { coordGrad, type Job, type Nodes, sample, splat } from './kernels.js';
import { Taps } from './taps.js';

/** What is used of tfjs's MathBackendCPU: the typed boundary to its internals. */
interface CpuBackend {
  data: { get(dataId: object): { values: Float32Array | Int32Array } };
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: Float32Array): tf.TensorInfo;
}

type Inputs = Record<string, tf.TensorInfo>;
type Kernel = (inputs: Inputs, attrs: SamplingAttrs, backend: CpuBackend) => tf.TensorInfo;

function register(kernelName: string, kernel: Kernel): void {
  replaceKernel('cpu', kernelName, ({ inputs, attrs, backend }) =>
    kernel(inputs as Inputs, attrs as unknown as SamplingAttrs, backend as unknown as CpuBackend),
  );
}

const read = (backend: CpuBackend, x: tf.TensorInfo) => backend.data.get(x.dataId).values as Float32Array;

function jobOf(inputs: Inputs, attrs: SamplingAttrs, backend: CpuBackend): Job {
  const { coords, grid, tangent } = inputs;
  const cells = backend.data.get(grid.dataId).values as Int32Array;
  return {
    taps: new Taps(read(backend, coords), cells, grid.shape, attrs),
    n: coords.shape[0],
    payload: attrs.payload,
    tangent: tangent ? read(backend, tangent) : null,
  };
}

function nodesOf(inputs: Inputs, attrs: SamplingAttrs, backend: CpuBackend): Nodes {
  const data = backend.data.get(inputs.nodes.dataId).values;
  return attrs.half ? { half: true, data: data as Int32Array } : { half: false, data: data as Float32Array };
}

const sampleKernel: Kernel = (inputs, attrs, backend) => {
  const job = jobOf(inputs, attrs, backend);
  const out = new Float32Array(job.n * job.payload);
  sample(job, nodesOf(inputs, attrs, backend), out);
  return backend.makeTensorInfo([job.n, job.payload], 'float32', out);
};

const splatKernel: Kernel = (inputs, attrs, backend) => {
  const job = jobOf(inputs, attrs, backend);
  const out = new Float32Array(attrs.rows * job.payload);
  splat(job, read(backend, inputs.values), out);
  return backend.makeTensorInfo([attrs.rows, job.payload], 'float32', out);
};

const coordGradKernel: Kernel = (inputs, attrs, backend) => {
  const job = jobOf(inputs, attrs, backend);
  const out = new Float32Array(job.n * 3);
  coordGrad(job, nodesOf(inputs, attrs, backend), read(backend, inputs.values), out);
  return backend.makeTensorInfo([job.n, 3], 'float32', out);
};

const meanSquareKernel: Kernel = ({ x }, _, backend) => {
  const values = read(backend, x);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return backend.makeTensorInfo([], 'float32', Float32Array.of(values.length ? sum / values.length : 0));
};

const meanSquareGradKernel: Kernel = ({ x, dy }, _, backend) => {
  const values = read(backend, x);
  const scale = (2 * read(backend, dy)[0]) / values.length;
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = scale * values[i];
  return backend.makeTensorInfo(x.shape, 'float32', out);
};

/** The backend's own arrays, for writes in place. */
function valuesOf(t: tf.Tensor): Float32Array | Int32Array {
  return (tf.backend() as unknown as CpuBackend).data.get(t.dataId).values;
}

/** Registers the kernels and the device. */
export function installCpu(): void {
  register(SAMPLE, sampleKernel);
  register(SAMPLE_TANGENT, sampleKernel);
  register(SPLAT, splatKernel);
  register(SPLAT_TANGENT, splatKernel);
  register(COORD_GRAD, coordGradKernel);
  register(COORD_GRAD_TANGENT, coordGradKernel);
  register(MEAN_SQUARE, meanSquareKernel);
  register(MEAN_SQUARE_GRAD, meanSquareGradKernel);
  registerDevice({
    name: 'cpu',
    // V8's typed arrays end at 2³²−1 elements or lower; a page stays below 2³¹ bytes everywhere.
    maxPageBytes: () => 2 ** 30,
    readsSync: true,
    write: (target, offset, values) => valuesOf(target).set(values, offset),
    copy: (target, offset, source) => valuesOf(target).set(valuesOf(source), offset),
  });
}
