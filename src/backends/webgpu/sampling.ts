/** WavecubeSample, WavecubeCoordGrad and their tangents on WebGPU. Contract: ops/contract.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import {
  coordInputs,
  laneShader,
  nodeInput,
  nodeShader,
  type SamplingJob,
  samplingUniforms,
  stencilShaders,
  weightShader,
} from './job.js';
import { type Input, launch, type Shader, withScratch, zeros } from './program.js';

/** The page and, unless rows are cells, the grid. */
function nodeInputs(job: SamplingJob, nodes: TensorInfo): Input[] {
  const { tensors, attrs } = job;
  return [nodeInput(job, nodes), ...(attrs.ordered ? [] : [{ name: 'grid', tensor: tensors.grid }])];
}

function shadersOf(job: SamplingJob): Shader[] {
  const tangent = Boolean(job.tensors.tangent);
  return [
    ...stencilShaders(tangent),
    weightShader(tangent),
    job.attrs.ordered ? 'rowOrdered' : 'row',
    laneShader(job.lane),
    nodeShader(job),
  ];
}

export function sample(job: SamplingJob): TensorInfo {
  const { gpu, kernel, tensors, attrs, count, per, parts } = job;
  const shape = [count, attrs.payload];
  if (count * attrs.payload === 0) return zeros(gpu, kernel, shape);
  return withScratch(gpu, (keep) => {
    // An empty page still gives NaN where coordinates are not finite, but cannot be bound: a row nobody reads can.
    const empty = tensors.nodes.shape[0] === 0;
    const dtype = tensors.nodes.dtype;
    const nodes = empty
      ? keep(gpu.makeTensorInfo([4], dtype, dtype === 'int32' ? new Int32Array(4) : new Float32Array(4)))
      : tensors.nodes;
    return launch(gpu, {
      kernel,
      parts: [...shadersOf(job), 'sample'],
      constants: { PER: per },
      inputs: [...nodeInputs(job, nodes), ...coordInputs(job)],
      uniforms: samplingUniforms(job),
      shape,
      lane: job.lane,
      invocations: count * parts,
    });
  });
}

/** Invocations that share a sample's lanes: two lanes each at least, else they would mostly add up zeros. */
function teamOf(lanes: number): number {
  if (lanes >= 128) return 64;
  return lanes >= 16 ? 8 : 1;
}

export function coordGrad(job: SamplingJob): TensorInfo {
  const { gpu, kernel, tensors, attrs, count, lane, lanes } = job;
  const shape = [count, 3];
  if (count * attrs.payload * tensors.nodes.shape[0] === 0) return zeros(gpu, kernel, shape);
  const team = teamOf(lanes);
  return launch(gpu, {
    kernel,
    parts: [...shadersOf(job), 'coordgrad'],
    constants: { TEAM: team },
    inputs: [
      ...nodeInputs(job, tensors.nodes),
      { name: 'values', tensor: tensors.values, lane },
      ...coordInputs(job),
    ],
    uniforms: samplingUniforms(job),
    shape,
    invocations: count * team,
  });
}
