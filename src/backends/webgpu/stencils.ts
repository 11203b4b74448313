/** WavecubeStencil and WavecubeStencilTaps on WebGPU. Contract: ops/tapscontract.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { StencilAttrs, TapsCall } from '../../ops/tapscontract.js';
import { f32, i32, launch, type Shader, type Uniforms, vec3 } from './program.js';
import { gpuOf } from './tfjs.js';

type Call = TapsCall<StencilAttrs>;

/** One axis of a sample an invocation, four elements of the result at once. */
function resolve(
  { kernel, inputs, backend }: Call,
  dtype: 'float32' | 'int32',
  shader: Shader,
  uniforms: Uniforms,
): TensorInfo {
  const gpu = gpuOf(backend);
  const count = 3 * inputs.coords.shape[0];
  const shape = [inputs.coords.shape[0], 3, 4];
  if (count === 0) {
    return gpu.makeTensorInfo(shape, dtype, dtype === 'int32' ? new Int32Array(0) : new Float32Array(0));
  }
  return launch(gpu, {
    kernel,
    parts: ['stencil', 'stencils', shader],
    inputs: [{ name: 'points', tensor: inputs.coords }],
    uniforms: { ...uniforms, count: i32(count) },
    shape,
    dtype,
    lane: 4,
    invocations: count,
  });
}

/** [N, 3, 4] float32. */
export const stencil = (call: Call): TensorInfo => {
  const { dims, boundary, basis, a, order } = call.attrs;
  return resolve(call, 'float32', 'stencilWeights', {
    dims: vec3(dims),
    boundary: vec3(boundary),
    basis: vec3(basis),
    a: f32(a),
    order: i32(order),
  });
};

/** [N, 3, 4] int32. */
export const stencilTaps = (call: Call): TensorInfo =>
  resolve(call, 'int32', 'stencilTaps', {
    dims: vec3(call.attrs.dims),
    boundary: vec3(call.attrs.boundary),
    basis: vec3(call.attrs.basis),
  });
