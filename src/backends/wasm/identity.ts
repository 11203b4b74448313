/**
 * Identity and same-dtype Cast as references. tfjs's own copy, so that every tensor a gradient saves would be a second
 * cube: 10 ms per 64 MB.
 */
import * as tf from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { delegate } from './delegate.js';
import type { WasmBackend } from './heap.js';

const reference = (x: tf.TensorInfo, backend: WasmBackend): tf.TensorInfo => {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
};

export function registerReferences(): void {
  replaceKernel('wasm', 'Identity', ({ inputs, backend }) =>
    reference(inputs.x as tf.TensorInfo, backend as WasmBackend),
  );
  const cast = tf.getKernel('Cast', 'wasm').kernelFunc;
  const castOnCpu = delegate(tf.getKernel('Cast', 'cpu').kernelFunc);
  replaceKernel('wasm', 'Cast', (call) => {
    const x = call.inputs.x as tf.TensorInfo;
    const dtype = call.attrs?.dtype as tf.DataType;
    if (x.dtype === dtype) return reference(x, call.backend as WasmBackend);
    // tfjs's cast has no view for complex64.
    const plain = dtype !== 'complex64' && x.dtype !== 'complex64';
    return plain ? cast(call) : castOnCpu(call);
  });
}
