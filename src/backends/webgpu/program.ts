/**
 * Runs a shader of kernels/webgpu through tfjs: joins its parts, binds tensors, checks limits first.
 *
 * tfjs generates bindings and uniforms. Tensors are passed with rank 0, whatever their shapes: the generated
 * source is then the same for all, and all sizes come from our own uniforms.
 */
import type { DataType, TensorInfo } from '@tensorflow/tfjs';
import { check, DeviceError } from '../../errors.js';
import { shaders } from './shaders.generated.js';
import type { Gpu } from './tfjs.js';

export type Shader = keyof typeof shaders;

export interface Input {
  name: string;
  tensor: TensorInfo;
  /** Elements of a lane. */
  lane?: 1 | 2 | 4;
}

export type Uniforms = Record<string, { type: 'i32' | 'vec3<i32>' | 'f32'; data: readonly number[] }>;

export interface Launch {
  /** The op, for messages. */
  kernel: string;
  parts: readonly Shader[];
  /** Names of the source's compile-time numbers. */
  constants?: Record<string, number>;
  /** At most seven, and the shader must read each of them: the generated layout drops what is not read. */
  inputs: readonly Input[];
  uniforms: Uniforms;
  shape: number[];
  /** A tensor of this shape to write to, instead of a new one. */
  into?: TensorInfo;
  dtype?: DataType;
  lane?: 1 | 2 | 4;
  invocations: number;
  workgroupSize?: number;
}

export const i32 = (value: number) => ({ type: 'i32', data: [value] }) as const;
export const f32 = (value: number) => ({ type: 'f32', data: [value] }) as const;
export const vec3 = (value: readonly number[]) => ({ type: 'vec3<i32>', data: value }) as const;

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** @throws DeviceError naming the limit, if a tensor of this shape cannot be bound. All our dtypes take four bytes. */
export function checkBinding(gpu: Gpu, kernel: string, what: string, shape: readonly number[]): void {
  const bytes = 4 * sizeOf(shape);
  const limit = gpu.device.limits.maxStorageBufferBindingSize;
  check(
    bytes <= limit,
    () =>
      new DeviceError(
        `${kernel}: ${what} must fit the GPU's maxStorageBufferBindingSize of ${limit} bytes, got ${bytes} bytes ` +
          `([${shape.join(', ')}]); use smaller batches or pages`,
      ),
  );
}

/** The tensor that the shader wrote, a new one unless `into` is given. */
export function launch(gpu: Gpu, job: Launch): TensorInfo {
  const {
    kernel,
    parts,
    constants = {},
    inputs,
    uniforms,
    shape,
    dtype = 'float32',
    workgroupSize = 64,
  } = job;
  for (const { name, tensor } of inputs) checkBinding(gpu, kernel, name, tensor.shape);
  checkBinding(gpu, kernel, 'the result', shape);
  const prefix = Object.entries(constants).map(([name, value]) => `const ${name} = ${value};\n`);
  const output = job.into ?? gpu.makeTensorInfo(shape, dtype);
  gpu.runWebGPUProgram(
    {
      variableNames: inputs.map(({ name }) => name),
      variableComponents: inputs.map(({ lane = 1 }) => lane),
      outputComponent: job.lane ?? 1,
      outputShape: [],
      uniforms: Object.entries(uniforms)
        .map(([name, { type }]) => `${name}: ${type}, `)
        .join(''),
      // tfjs adds dtypes, names and the workgroup's size.
      shaderKey: `Wavecube ${parts.join('+')} ${prefix.join('')} ${inputs.map(({ lane }) => lane)} ${job.lane}`,
      workgroupSize: [workgroupSize, 1, 1],
      // Flat: tfjs folds it into y and z above the device's limit, and hands main() the flat index.
      dispatch: [Math.ceil(job.invocations / workgroupSize), 1, 1],
      dispatchLayout: { x: [] },
      getUserCode: () => prefix.join('') + parts.map((part) => shaders[part]).join('\n'),
    },
    inputs.map(({ tensor: { dataId, dtype } }) => ({ dataId, dtype, shape: [] })),
    dtype,
    Object.values(uniforms).map(({ type, data }) => ({
      type: type === 'f32' ? 'float32' : 'int32',
      data: [...data],
    })),
    { dataId: output.dataId, dtype, shape: [] },
  );
  return output;
}

/** A float32 tensor of zeros on the device; nothing is launched for an empty one. */
export function zeros(gpu: Gpu, kernel: string, shape: number[]): TensorInfo {
  const count = sizeOf(shape);
  if (count === 0) return gpu.makeTensorInfo(shape, 'float32', new Float32Array(0));
  return launch(gpu, {
    kernel,
    parts: ['fill'],
    inputs: [],
    uniforms: { count: i32(count) },
    shape,
    invocations: count,
  });
}

/** Runs `body` and disposes what it kept as scratch, also if it throws. */
export function withScratch<T>(gpu: Gpu, body: (keep: (t: TensorInfo) => TensorInfo) => T): T {
  const scratch: TensorInfo[] = [];
  try {
    return body((t) => {
      scratch.push(t);
      return t;
    });
  } finally {
    for (const t of scratch) gpu.disposeData(t.dataId);
  }
}
