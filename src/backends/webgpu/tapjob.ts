/** What the kernels of given weights have in common: how a payload is cut into lanes and tiles, which shader parts they take. */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { TapsAttrs, TapsCall } from '../../ops/tapscontract.js';
import { type Input, i32, type Shader, type Uniforms, vec3 } from './program.js';
import { type Gpu, gpuOf } from './tfjs.js';

export type TapTensors = Record<'nodes' | 'values' | 'grid' | 'taps' | 'weights' | 'tangent', TensorInfo>;

export interface TapJob {
  kernel: string;
  gpu: Gpu;
  tensors: TapTensors;
  attrs: TapsAttrs;
  /** Samples. */
  count: number;
  /** Elements that an invocation loads at once. */
  lane: 1 | 4;
  /** Lanes of a node. */
  lanes: number;
  /** Most lanes an invocation works on. */
  per: number;
  /** Invocations that share a tile, of tile · per lanes. */
  tile: number;
  /** Tiles of a node. */
  tiles: number;
}

/** Four sums of four elements stay in registers on every GPU. */
const PER = 4;
/** A workgroup. */
export const WIDE = 64;

export function tapJob({ kernel, inputs, attrs, backend }: TapsCall): TapJob {
  const lane = attrs.payload % 4 === 0 ? 4 : 1;
  const lanes = attrs.payload / lane;
  const per = Math.min(lanes, PER);
  const tile = Math.min(Math.ceil(lanes / PER), WIDE);
  return {
    kernel,
    gpu: gpuOf(backend),
    tensors: inputs as TapTensors,
    attrs,
    count: inputs.weights.shape[0],
    lane,
    lanes,
    per,
    tile,
    tiles: Math.ceil(lanes / (tile * per)),
  };
}

export function tapUniforms({ tensors, attrs, count, lanes }: TapJob): Uniforms {
  return {
    dims: vec3(tensors.grid.shape),
    firstRow: i32(attrs.firstRow),
    rows: i32(attrs.rows),
    count: i32(count),
    lanes: i32(lanes),
  };
}

export const productShader = (tangent: boolean): Shader => (tangent ? 'tapProductTangent' : 'tapProduct');

export const directionShader = (tangent: boolean): Shader => (tangent ? 'tapDirection' : 'tapDirectionNone');

/** Without the tangent where a shader does not read it. */
export const stencilInputs = ({ tensors }: TapJob, tangent = Boolean(tensors.tangent)): Input[] => [
  { name: 'taps', tensor: tensors.taps, lane: 4 },
  { name: 'weights', tensor: tensors.weights, lane: 4 },
  ...(tangent ? [{ name: 'tangent', tensor: tensors.tangent, lane: 4 } as const] : []),
];
