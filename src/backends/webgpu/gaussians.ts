/**
 * WavecubeGaussians and its gradient on WebGPU. Contract: ops/gaussianscontract.ts.
 *
 * Each tile looks through all components of its image: that reads M · tiles components, 256 at a time and side by side, and needs
 * neither lists nor atomics whose order could vary.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import {
  GAUSSIANS,
  GAUSSIANS_GRAD,
  type GaussianJob,
  registerGaussians,
} from '../../ops/gaussianscontract.js';
import { i32, launch, type Uniforms, zeros } from './program.js';
import { gpuOf } from './tfjs.js';

const TILE = 16;
/** Invocations that share a component's bounding box. */
const TEAM = 128;

const uniformsOf = ({ images, count, channels, height, width }: GaussianJob): Uniforms => ({
  images: i32(images),
  count: i32(count),
  channels: i32(channels),
  height: i32(height),
  width: i32(width),
});

function value(backend: unknown, job: GaussianJob, components: TensorInfo): TensorInfo {
  const { images, count, channels, height, width } = job;
  const gpu = gpuOf(backend);
  const shape = [images, height, width, channels];
  if (images * count === 0) return zeros(gpu, GAUSSIANS, shape);
  const tiles = images * Math.ceil(height / TILE) * Math.ceil(width / TILE) * Math.ceil(channels / 4);
  return launch(gpu, {
    kernel: GAUSSIANS,
    parts: ['gaussian', 'gaussians'],
    inputs: [{ name: 'components', tensor: components }],
    uniforms: uniformsOf(job),
    shape,
    invocations: tiles * TILE * TILE,
    workgroupSize: TILE * TILE,
  });
}

function grad(backend: unknown, job: GaussianJob, components: TensorInfo, dy: TensorInfo): TensorInfo {
  const { images, count, channels } = job;
  const gpu = gpuOf(backend);
  if (images * count === 0) return zeros(gpu, GAUSSIANS_GRAD, components.shape);
  return launch(gpu, {
    kernel: GAUSSIANS_GRAD,
    parts: ['gaussian', 'gaussiansGrad'],
    constants: { TEAM, QUADS: Math.ceil(channels / 4) },
    inputs: [
      { name: 'components', tensor: components },
      { name: 'dy', tensor: dy },
    ],
    uniforms: uniformsOf(job),
    shape: components.shape,
    invocations: images * count * TEAM,
    workgroupSize: TEAM,
  });
}

export function registerWebgpuGaussians(): void {
  registerGaussians('webgpu', { value, grad });
}
