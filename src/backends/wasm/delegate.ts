/**
 * Kernels that tfjs's cpu backend has and its wasm backend lacks (FFT, Conv2DBackpropFilter, UnsortedSegmentSum, Einsum,
 * …), served by cpu's: inputs are copied off the heap, outputs back onto it, and nothing is left behind.
 */
import * as tf from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { type CpuBackend, cpuBackend, type Values, type WasmBackend } from './heap.js';

/** Not computations on tensors: they draw to a canvas. */
const UNABLE = new Set(['Draw']);

type Input = tf.TensorInfo | Input[] | undefined | null;

/** Copies wasm tensors to cpu, and remembers them. */
class Loan {
  private readonly held: tf.TensorInfo[] = [];
  constructor(
    private readonly wasm: WasmBackend,
    private readonly cpu: CpuBackend,
  ) {}

  take(x: Input): Input {
    if (!x) return x;
    if (Array.isArray(x)) return x.map((each) => this.take(each));
    const values = this.wasm.readSync(x.dataId);
    const info =
      x.dtype === 'complex64' ? this.complex(x.shape, values as Float32Array) : this.real(x, values);
    this.held.push(info);
    return info;
  }

  private real(x: tf.TensorInfo, values: Values): tf.TensorInfo {
    return this.cpu.makeTensorInfo(x.shape, x.dtype, values);
  }

  /** cpu holds a complex tensor as two real ones, which only its kernel can make. */
  private complex(shape: number[], interleaved: Float32Array): tf.TensorInfo {
    const parts = tf.backend_util.splitRealAndImagArrays(interleaved);
    const real = this.cpu.makeTensorInfo(shape, 'float32', parts.real);
    const imag = this.cpu.makeTensorInfo(shape, 'float32', parts.imag);
    const { kernelFunc } = tf.getKernel('Complex', 'cpu');
    const complex = kernelFunc({ inputs: { real, imag }, backend: this.cpu }) as tf.TensorInfo;
    this.cpu.disposeData(real.dataId);
    this.cpu.disposeData(imag.dataId);
    return complex;
  }

  end(): void {
    for (const info of this.held) this.cpu.disposeData(info.dataId);
  }
}

/** A kernel for wasm that runs cpu's `kernelFunc`. */
export function delegate(kernelFunc: tf.KernelFunc): tf.KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const wasm = backend as WasmBackend;
    const cpu = cpuBackend();
    const loan = new Loan(wasm, cpu);
    const bring = (info: tf.TensorInfo): tf.TensorInfo => {
      const values = cpu.readSync(info.dataId);
      cpu.disposeData(info.dataId);
      return wasm.makeOutput(info.shape, info.dtype, undefined, values);
    };
    try {
      const entries = Object.entries(inputs as Record<string, Input>).map(([k, x]) => [k, loan.take(x)]);
      // Einsum takes its tensors as an array.
      const lent = Array.isArray(inputs) ? entries.map(([, x]) => x) : Object.fromEntries(entries);
      const result = kernelFunc({ inputs: lent as tf.NamedTensorInfoMap, attrs, backend: cpu });
      return Array.isArray(result) ? result.map(bring) : bring(result);
    } finally {
      loan.end();
    }
  };
}

export function registerDelegates(): void {
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('cpu')) {
    // Our own ops have their own answer to a kernel that is not there.
    if (kernelName.startsWith('Wavecube') || UNABLE.has(kernelName)) continue;
    if (!tf.getKernel(kernelName, 'wasm')) replaceKernel('wasm', kernelName, delegate(kernelFunc));
  }
}
