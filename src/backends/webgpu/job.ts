/** What the sampling kernels have in common: how a payload is cut into lanes, which shader parts and uniforms they take. */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { SamplingAttrs } from '../../ops/contract.js';
import { type Input, i32, type Shader, type Uniforms, vec3 } from './program.js';
import type { Gpu } from './tfjs.js';

export type SamplingTensors = Record<'nodes' | 'values' | 'grid' | 'coords' | 'tangent', TensorInfo>;

export interface SamplingJob {
  kernel: string;
  gpu: Gpu;
  tensors: SamplingTensors;
  attrs: SamplingAttrs;
  /** Samples. */
  count: number;
  /** Elements that an invocation loads at once. */
  lane: 1 | 4;
  /** Lanes of a node. */
  lanes: number;
  /** Most lanes an invocation works on, so that a stencil is resolved once for them. */
  per: number;
  /** Invocations that share a row. */
  parts: number;
}

/** Four sums of four elements stay in registers on every GPU. */
const PER = 4;

export function samplingJob(
  kernel: string,
  gpu: Gpu,
  tensors: SamplingTensors,
  attrs: SamplingAttrs,
): SamplingJob {
  const lane = attrs.payload % 4 === 0 ? 4 : 1;
  const lanes = attrs.payload / lane;
  return {
    kernel,
    gpu,
    tensors,
    attrs,
    count: tensors.coords.shape[0],
    lane,
    lanes,
    per: Math.min(lanes, PER),
    parts: Math.ceil(lanes / PER),
  };
}

export function samplingUniforms({ tensors, attrs, count, lanes }: SamplingJob): Uniforms {
  return {
    dims: vec3(tensors.grid.shape),
    boundary: vec3(attrs.boundary),
    firstRow: i32(attrs.firstRow),
    rows: i32(attrs.rows),
    count: i32(count),
    lanes: i32(lanes),
  };
}

export const laneShader = (lane: 1 | 4): Shader => (lane === 4 ? 'lane4' : 'lane1');

/** From coordinates to stencils and weights. */
export const stencilShaders = (tangent: boolean): Shader[] => [
  'stencil',
  'coords',
  tangent ? 'direction' : 'directionNone',
];

export const weightShader = (tangent: boolean): Shader => (tangent ? 'weightTangent' : 'weight');

export const coordInputs = ({ tensors: { coords, tangent } }: SamplingJob): Input[] => [
  { name: 'points', tensor: coords },
  ...(tangent ? [{ name: 'tangent', tensor: tangent }] : []),
];

/** What says how a page's lanes are stored. */
type Storage = Pick<SamplingJob, 'lane'> & { attrs: { half: boolean } };

export function nodeShader({ attrs, lane }: Storage): Shader {
  if (!attrs.half) return 'node';
  return lane === 4 ? 'nodeHalf4' : 'nodeHalf1';
}

export function nodeInput({ attrs, lane }: Storage, nodes: TensorInfo): Input {
  const halfLane = lane === 4 ? 2 : 1;
  return { name: 'nodes', tensor: nodes, lane: attrs.half ? halfLane : lane };
}
