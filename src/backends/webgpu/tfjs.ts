/**
 * The typed boundary to tfjs-backend-webgpu 4.22.0: what is used of its backend object, private members included.
 * Nothing else in this folder knows its internals.
 */
import * as tf from '@tensorflow/tfjs';

/** A GPUBuffer, opaque. */
export interface Buffer {
  readonly size: number;
}

interface TensorData {
  values: tf.backend_util.TypedArray | null;
  resource?: Buffer;
}

export interface Program {
  variableNames: string[];
  variableComponents: number[];
  outputComponent: number;
  outputShape: number[];
  uniforms: string;
  shaderKey: string;
  workgroupSize: [number, number, number];
  dispatch: [number, number, number];
  dispatchLayout: { x: number[] };
  getUserCode: () => string;
}

export interface UniformData {
  type: 'int32' | 'float32';
  data: number[];
}

export interface Gpu {
  readonly device: { readonly limits: { maxStorageBufferBindingSize: number; maxBufferSize: number } };
  readonly queue: {
    writeBuffer(buffer: Buffer, offsetBytes: number, data: tf.backend_util.TypedArray): void;
  };
  readonly tensorMap: { get(dataId: object): TensorData };
  readonly commandEncoder: CommandEncoder | null;
  readonly commandQueueOwnedIds: WeakSet<object>;
  endComputePassEncoder(): void;
  ensureCommandEncoderReady(): void;
  submitQueue(): void;
  uploadToGPU(dataId: object): void;
  makeTensorInfo(shape: number[], dtype: tf.DataType, values?: Float32Array | Int32Array): tf.TensorInfo;
  disposeData(dataId: object): boolean;
  runWebGPUProgram(
    program: Program,
    inputs: tf.TensorInfo[],
    dtype: tf.DataType,
    uniforms: UniformData[],
    output: tf.TensorInfo,
  ): tf.TensorInfo;
}

interface CommandEncoder {
  copyBufferToBuffer(from: Buffer, fromBytes: number, to: Buffer, toBytes: number, sizeBytes: number): void;
}

/** The backend that a kernel was given. */
export function gpuOf(backend: unknown): Gpu {
  return backend as Gpu;
}

export function activeGpu(): Gpu {
  return gpuOf(tf.backend());
}

/** The tensor's buffer, uploaded first if its data is still on the host. */
export function bufferOf(gpu: Gpu, t: tf.TensorInfo): Buffer {
  gpu.uploadToGPU(t.dataId);
  return gpu.tensorMap.get(t.dataId).resource!;
}

/** Hands all that is recorded to the queue: what goes to the queue directly then comes after it. */
export function submitRecorded(gpu: Gpu): void {
  if (!gpu.commandEncoder) return;
  gpu.endComputePassEncoder();
  gpu.submitQueue();
}

/** Records a copy behind all that is recorded. */
export function recordCopy(
  gpu: Gpu,
  from: tf.TensorInfo,
  to: tf.TensorInfo,
  toBytes: number,
  sizeBytes: number,
  fromBytes = 0,
): void {
  const source = bufferOf(gpu, from);
  const target = bufferOf(gpu, to);
  gpu.ensureCommandEncoderReady();
  gpu.endComputePassEncoder();
  gpu.commandEncoder!.copyBufferToBuffer(source, fromBytes, target, toBytes, sizeBytes);
  // Neither buffer may be recycled before the copy is submitted.
  gpu.commandQueueOwnedIds.add(from.dataId);
  gpu.commandQueueOwnedIds.add(to.dataId);
}

/**
 * tfjs caches on the host what it has read. For a tensor that is written in place the cache would be wrong: now, and
 * once more when a read that is under way now puts its (old) values there. So such a tensor has none from here on.
 */
export function dropHostCache(gpu: Gpu, t: tf.TensorInfo): void {
  const data = gpu.tensorMap.get(t.dataId);
  Object.defineProperty(data, 'values', {
    get: () => null,
    set: () => {},
    configurable: true,
    enumerable: true,
  });
}
