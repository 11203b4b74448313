/** WavecubeSeparable on WebGPU: a tiled product an axis. Contract: ops/separablecontract.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import {
  IDENTITY,
  SEPARABLE,
  type SeparableCall,
  type SeparableSizes,
  sizesOf,
  widthFirst,
} from '../../ops/separablecontract.js';
import { i32, launch, withScratch, zeros } from './program.js';
import { type Gpu, gpuOf } from './tfjs.js';

/** Rows and columns that a workgroup makes, and its invocations: kernels/webgpu/separable.wgsl. */
const TILE = 32;
const WORKGROUP = 64;

interface Axis {
  matrix: TensorInfo;
  adjoint: boolean;
  /** 1 or 2. */
  axis: number;
  to: number;
}

function multiply(gpu: Gpu, x: TensorInfo, { matrix, adjoint, axis, to }: Axis): TensorInfo {
  const [n, h, w, channels] = x.shape;
  const from = x.shape[axis];
  const outer = axis === 1 ? n : n * h;
  const inner = axis === 1 ? w * channels : channels;
  const shape = axis === 1 ? [n, to, w, channels] : [n, h, to, channels];
  const tiles = Math.ceil((outer * inner) / TILE);
  return launch(gpu, {
    kernel: SEPARABLE,
    parts: ['separable'],
    inputs: [
      { name: 'matrix', tensor: matrix },
      { name: 'x', tensor: x },
    ],
    uniforms: {
      rows: i32(to),
      terms: i32(from),
      inner: i32(inner),
      columns: i32(outer * inner),
      tiles: i32(tiles),
      strideOut: i32(adjoint ? 1 : from),
      strideIn: i32(adjoint ? to : 1),
    },
    shape,
    invocations: tiles * Math.ceil(to / TILE) * WORKGROUP,
    workgroupSize: WORKGROUP,
  });
}

/** The axes that have a matrix, in the order that multiplies less. */
function axesOf({ inputs, attrs }: SeparableCall, sizes: SeparableSizes): Axis[] {
  const { adjoint } = attrs;
  const height = { matrix: inputs.left, adjoint, axis: 1, to: sizes.toH };
  const width = { matrix: inputs.right, adjoint, axis: 2, to: sizes.toW };
  if (attrs.leftSymmetry === IDENTITY) return [width];
  if (attrs.rightSymmetry === IDENTITY) return [height];
  return widthFirst(sizes) ? [width, height] : [height, width];
}

export function separable(call: SeparableCall): TensorInfo {
  const gpu = gpuOf(call.backend);
  const sizes = sizesOf(call);
  const { n, channels, toH, toW } = sizes;
  if (n * channels === 0) return zeros(gpu, SEPARABLE, [n, toH, toW, channels]);
  const [first, second] = axesOf(call, sizes);
  const { x } = call.inputs;
  if (!second) return multiply(gpu, x, first);
  return withScratch(gpu, (keep) => multiply(gpu, keep(multiply(gpu, x, first)), second));
}
