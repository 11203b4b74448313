/** The typed boundary to tfjs's MathBackendCPU: what is used of it. */
import * as tf from '@tensorflow/tfjs';

export interface CpuBackend {
  data: { get(dataId: object): { values: Float32Array | Int32Array } };
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: Float32Array | Int32Array): tf.TensorInfo;
  disposeData(dataId: object): boolean;
}

/** The array that holds a tensor, not a copy. */
export function valuesOf(backend: CpuBackend, x: tf.TensorInfo): Float32Array | Int32Array {
  return backend.data.get(x.dataId).values;
}

export function activeCpu(): CpuBackend {
  return tf.backend() as unknown as CpuBackend;
}
