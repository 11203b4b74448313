/** WavecubeMeanSquare and its gradient on WebGPU. Contract: ops/contract.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { MEAN_SQUARE, MEAN_SQUARE_GRAD } from '../../ops/contract.js';
import { laneShader } from './job.js';
import { f32, i32, launch, withScratch, zeros } from './program.js';
import type { Gpu } from './tfjs.js';

const WORKGROUP = 256;
/** Lanes an invocation squares before it makes sense to start another workgroup, and the most workgroups. */
const EACH = 16;
const MOST = 4096;

const sizeOf = (x: TensorInfo): number => x.shape.reduce((a, b) => a * b, 1);
const laneOf = (size: number): 1 | 4 => (size % 4 === 0 ? 4 : 1);

export function meanSquare(gpu: Gpu, x: TensorInfo): TensorInfo {
  const size = sizeOf(x);
  if (size === 0) return zeros(gpu, MEAN_SQUARE, []);
  const lane = laneOf(size);
  const groups = Math.min(MOST, Math.ceil(size / lane / (WORKGROUP * EACH)));
  const stage = (input: TensorInfo, power: 1 | 2, lanes: number, workgroups: number, scale: number) =>
    launch(gpu, {
      kernel: MEAN_SQUARE,
      parts: [laneShader(power === 2 ? lane : 1), 'meansquare'],
      constants: { POWER: power },
      inputs: [{ name: 'x', tensor: input, lane: power === 2 ? lane : 1 }],
      uniforms: { count: i32(lanes), stride: i32(workgroups * WORKGROUP), scale: f32(scale) },
      shape: power === 2 ? [workgroups] : [],
      invocations: workgroups * WORKGROUP,
      workgroupSize: WORKGROUP,
    });
  return withScratch(gpu, (keep) => stage(keep(stage(x, 2, size / lane, groups, 1)), 1, groups, 1, 1 / size));
}

export function meanSquareGrad(gpu: Gpu, x: TensorInfo, dy: TensorInfo): TensorInfo {
  const size = sizeOf(x);
  if (size === 0) return zeros(gpu, MEAN_SQUARE_GRAD, x.shape);
  const lane = laneOf(size);
  return launch(gpu, {
    kernel: MEAN_SQUARE_GRAD,
    parts: ['meansquareGrad'],
    inputs: [
      { name: 'x', tensor: x, lane },
      { name: 'dy', tensor: dy },
    ],
    uniforms: { count: i32(size / lane), scale: f32(2 / size) },
    shape: x.shape,
    lane,
    invocations: size / lane,
  });
}
