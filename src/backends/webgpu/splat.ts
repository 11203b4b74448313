/**
 * WavecubeSplat and its tangent on WebGPU, without atomics. Contract: ops/contract.ts.
 *
 *   1  (base cell, sample) pairs, sorted by cell (stable), and where each cell's samples begin
 *   2  fraction and rate of each sample, in that order
 *   3  sums of whole chunks of 256 samples that share a cell
 *   4  each row gathers from its eight base cells
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import {
  coordInputs,
  laneShader,
  type SamplingJob,
  samplingUniforms,
  stencilShaders,
  weightShader,
} from './job.js';
import { checkBinding, type Input, i32, launch, withScratch, zeros } from './program.js';
import { sortPairs, startsOf } from './sort.js';

/** Sorted samples that one invocation walks; more than that in a cell is summed ahead. */
export const CHUNK = 256;
const TAPS = 8;

/** What runs a splat: a SamplingJob, or a TapJob. */
type Job = Pick<SamplingJob, 'gpu' | 'kernel'> & {
  tensors: { grid: TensorInfo };
  attrs: { firstRow: number; rows: number };
};
export type Keep = (t: TensorInfo) => TensorInfo;

/** Sorted (key, item) pairs of keys 0 … keys and where each key begins. */
export function sorted(job: Job, keep: Keep, pairs: TensorInfo, keys: number): [TensorInfo, TensorInfo] {
  const order = keep(sortPairs(job.gpu, job.kernel, pairs, keys));
  return [order, keep(startsOf(job.gpu, job.kernel, order, keys))];
}

function samplesByCell(job: SamplingJob, keep: Keep, bins: number): [TensorInfo, TensorInfo] {
  const pairs = keep(
    launch(job.gpu, {
      kernel: job.kernel,
      parts: ['stencil', 'coords', 'splatKeys'],
      inputs: [{ name: 'points', tensor: job.tensors.coords }],
      uniforms: { ...samplingUniforms(job), bins: i32(bins) },
      shape: [job.count, 2],
      dtype: 'int32',
      lane: 2,
      invocations: job.count,
    }),
  );
  return sorted(job, keep, pairs, bins);
}

/** Which cells name each row: several may, and their order must be the same each time. */
export function cellsByRow(job: Job, keep: Keep): [TensorInfo, TensorInfo] {
  const { gpu, kernel, tensors, attrs } = job;
  const cells = tensors.grid.shape.reduce((a, b) => a * b, 1);
  const pairs = keep(
    launch(gpu, {
      kernel,
      parts: ['splatCells'],
      inputs: [{ name: 'grid', tensor: tensors.grid }],
      uniforms: { count: i32(cells), firstRow: i32(attrs.firstRow), rows: i32(attrs.rows) },
      shape: [cells, 2],
      dtype: 'int32',
      lane: 2,
      invocations: cells,
    }),
  );
  return sorted(job, keep, pairs, attrs.rows);
}

function recordsOf(job: SamplingJob, order: TensorInfo, record: number): TensorInfo {
  return launch(job.gpu, {
    kernel: job.kernel,
    parts: [...stencilShaders(Boolean(job.tensors.tangent)), 'splatRecords'],
    constants: { RECORD: record },
    inputs: [{ name: 'order', tensor: order, lane: 2 }, ...coordInputs(job)],
    uniforms: samplingUniforms(job),
    shape: [job.count, record],
    invocations: job.count,
  });
}

export function splat(job: SamplingJob): TensorInfo {
  const { gpu, kernel, tensors, attrs, count, lane, lanes, per, parts } = job;
  const shape = [attrs.rows, attrs.payload];
  if (count * attrs.payload * attrs.rows === 0) return zeros(gpu, kernel, shape);
  const tangent = Boolean(tensors.tangent);
  const record = tangent ? 6 : 3;
  // One more base than nodes an axis: −1 … n−1.
  const bins = tensors.grid.shape.reduce((a, n) => a * (n + 1), 1);
  const chunks = Math.max(1, Math.floor(count / CHUNK));
  checkBinding(gpu, kernel, "the samples' stencils", [count, record]);
  checkBinding(gpu, kernel, "the cells' table", [bins + 1]);
  checkBinding(gpu, kernel, 'the result', shape);
  return withScratch(gpu, (keep) => {
    const [order, starts] = samplesByCell(job, keep, bins);
    const weights = [laneShader(lane), 'stencil', weightShader(tangent), 'splatRecord'] as const;
    const samples: Input[] = [
      { name: 'values', tensor: tensors.values, lane },
      { name: 'order', tensor: order, lane: 2 },
      { name: 'records', tensor: keep(recordsOf(job, order, record)) },
    ];
    const chunkSums = keep(
      launch(gpu, {
        kernel,
        parts: [...weights, 'splatChunks'],
        constants: { CHUNK, TAPS, RECORD: record },
        inputs: samples,
        uniforms: { count: i32(count), lanes: i32(lanes), bins: i32(bins), chunks: i32(chunks) },
        shape: [chunks, TAPS, attrs.payload],
        lane,
        invocations: chunks * lanes,
      }),
    );
    const inputs = [
      ...samples,
      { name: 'starts', tensor: starts },
      { name: 'chunks', tensor: chunkSums, lane },
    ];
    if (!attrs.ordered) {
      const [cells, cellStarts] = cellsByRow(job, keep);
      inputs.push({ name: 'cells', tensor: cells, lane: 2 }, { name: 'cellStarts', tensor: cellStarts });
    }
    return launch(gpu, {
      kernel,
      parts: [...weights, attrs.ordered ? 'splatOrdered' : 'splatListed', 'splatGather', 'splat'],
      constants: { CHUNK, TAPS, RECORD: record, PER: per },
      inputs,
      uniforms: samplingUniforms(job),
      shape,
      lane,
      invocations: attrs.rows * parts,
    });
  });
}
