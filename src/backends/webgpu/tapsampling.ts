/** WavecubeTaps, WavecubeTapsGrad and their tangents on WebGPU. Contract: ops/tapscontract.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { laneShader, nodeInput, nodeShader } from './job.js';
import { type Input, launch, type Shader, withScratch, zeros } from './program.js';
import { directionShader, productShader, stencilInputs, type TapJob, tapUniforms, WIDE } from './tapjob.js';

/** The grid is not read where rows are cells, nor where there are no rows. */
const readsGrid = ({ attrs }: TapJob): boolean => !attrs.ordered && attrs.rows > 0;

function shadersOf(job: TapJob): Shader[] {
  const tangent = Boolean(job.tensors.tangent);
  return [
    'tapBlank',
    directionShader(tangent),
    'tapStencil',
    productShader(tangent),
    readsGrid(job) ? 'tapRow' : 'tapRowOrdered',
    laneShader(job.lane),
    nodeShader(job),
  ];
}

function inputsOf(job: TapJob, nodes: TensorInfo): Input[] {
  return [
    nodeInput(job, nodes),
    ...(readsGrid(job) ? [{ name: 'grid', tensor: job.tensors.grid }] : []),
    ...stencilInputs(job),
  ];
}

export function sampleTaps(job: TapJob): TensorInfo {
  const { gpu, kernel, tensors, attrs, count, per, tile, tiles } = job;
  const shape = [count, attrs.payload];
  if (count * attrs.payload === 0) return zeros(gpu, kernel, shape);
  return withScratch(gpu, (keep) => {
    // An empty page still gives NaN where weights are, but cannot be bound: a row nobody reads can.
    const empty = tensors.nodes.shape[0] === 0;
    const dtype = tensors.nodes.dtype;
    const nodes = empty
      ? keep(gpu.makeTensorInfo([4], dtype, dtype === 'int32' ? new Int32Array(4) : new Float32Array(4)))
      : tensors.nodes;
    return launch(gpu, {
      kernel,
      parts: [...shadersOf(job), 'tapTile', tile === WIDE ? 'tapSampleWide' : 'tapSample'],
      constants: { PER: per, TILE: tile },
      inputs: inputsOf(job, nodes),
      uniforms: tapUniforms(job),
      shape,
      lane: job.lane,
      invocations: count * tile * tiles,
      workgroupSize: WIDE,
    });
  });
}

/** Invocations that share a sample's lines of taps, and its lanes: of those two each at least. */
function teamOf(lanes: number): { lines: number; columns: number } {
  if (lanes >= 128) return { lines: 1, columns: 64 };
  return lanes >= 16 ? { lines: 4, columns: 8 } : { lines: 4, columns: 1 };
}

export function weightGrad(job: TapJob): TensorInfo {
  const { gpu, kernel, tensors, attrs, count, lane, lanes } = job;
  const shape = [count, 3, 4];
  if (count * attrs.payload * tensors.nodes.shape[0] === 0) return zeros(gpu, kernel, shape);
  const { lines, columns } = teamOf(lanes);
  return launch(gpu, {
    kernel,
    parts: [...shadersOf(job), 'tapGrad'],
    constants: { LINES: lines, COLUMNS: columns, TEAM: lines * columns },
    inputs: [{ name: 'values', tensor: tensors.values, lane }, ...inputsOf(job, tensors.nodes)],
    uniforms: tapUniforms(job),
    shape,
    lane: 4,
    invocations: count * lines * columns,
    workgroupSize: WIDE,
  });
}
