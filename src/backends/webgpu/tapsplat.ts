/**
 * WavecubeTapsSplat and its tangent on WebGPU, without atomics. Contract: ops/tapscontract.ts.
 *
 *   1  (base cell, sample) pairs, sorted by cell (stable), and where each cell's samples begin. Whatever the boundary, the four
 *      taps of an axis are nodes base − 1 … base + 2 on the axis closed to a ring; a sample whose taps are not (ops may be given
 *      any) has a bin of its own kind, which every row reads
 *   2  what those nodes weigh, of each sample, in that order
 *   3  sums of whole chunks of 256 samples that share a cell
 *   4  each row gathers from its 64 base cells
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import { laneShader } from './job.js';
import { checkBinding, type Input, i32, launch, withScratch, zeros } from './program.js';
import { CHUNK, cellsByRow, type Keep, sorted } from './splat.js';
import { directionShader, productShader, stencilInputs, type TapJob, tapUniforms, WIDE } from './tapjob.js';

const TAPS = 64;

function samplesByCell(job: TapJob, keep: Keep, bins: number): [TensorInfo, TensorInfo] {
  const pairs = keep(
    launch(job.gpu, {
      kernel: job.kernel,
      parts: ['tapBlank', 'tapBase', 'tapSplatKeys'],
      inputs: stencilInputs(job, false),
      uniforms: { ...tapUniforms(job), bins: i32(bins) },
      shape: [job.count, 2],
      dtype: 'int32',
      lane: 2,
      invocations: job.count,
    }),
  );
  return sorted(job, keep, pairs, bins + 1);
}

function recordsOf(job: TapJob, order: TensorInfo, record: number, bins: number): TensorInfo {
  return launch(job.gpu, {
    kernel: job.kernel,
    parts: [directionShader(Boolean(job.tensors.tangent)), 'tapBase', 'tapSplatRecords'],
    constants: { RECORD: record },
    inputs: [{ name: 'order', tensor: order, lane: 2 }, ...stencilInputs(job)],
    uniforms: { ...tapUniforms(job), bins: i32(bins) },
    shape: [job.count, record],
    dtype: 'int32',
    invocations: job.count * record,
  });
}

export function splatTaps(job: TapJob): TensorInfo {
  const { gpu, kernel, tensors, attrs, count, lane, lanes, per, tile, tiles } = job;
  const shape = [attrs.rows, attrs.payload];
  if (count * attrs.payload * attrs.rows === 0) return zeros(gpu, kernel, shape);
  const tangent = Boolean(tensors.tangent);
  // Three axes of four nodes, and the sample.
  const record = tangent ? 25 : 13;
  const bins = tensors.grid.shape.reduce((a, n) => a * n, 1);
  const chunks = Math.max(1, Math.floor(count / CHUNK));
  checkBinding(gpu, kernel, "the samples' stencils", [count, record]);
  checkBinding(gpu, kernel, "the cells' table", [bins + 2]);
  checkBinding(gpu, kernel, 'the result', shape);
  return withScratch(gpu, (keep) => {
    const [order, starts] = samplesByCell(job, keep, bins);
    const weights = [laneShader(lane), productShader(tangent), 'tapSplatRecord'] as const;
    const samples: Input[] = [
      { name: 'values', tensor: tensors.values, lane },
      { name: 'records', tensor: keep(recordsOf(job, order, record, bins)) },
    ];
    const chunkSums = keep(
      launch(gpu, {
        kernel,
        parts: [...weights, 'tapSplatChunks'],
        constants: { CHUNK, TAPS, RECORD: record },
        inputs: [...samples, { name: 'order', tensor: order, lane: 2 }],
        uniforms: { count: i32(count), lanes: i32(lanes), bins: i32(bins), chunks: i32(chunks) },
        shape: [chunks, TAPS, attrs.payload],
        lane,
        invocations: chunks * 4 * lanes,
      }),
    );
    const inputs = [
      ...samples,
      { name: 'taps', tensor: tensors.taps, lane: 4 } as const,
      { name: 'starts', tensor: starts },
      { name: 'chunks', tensor: chunkSums, lane },
    ];
    if (!attrs.ordered) {
      const [cells, cellStarts] = cellsByRow(job, keep);
      inputs.push({ name: 'cells', tensor: cells, lane: 2 }, { name: 'cellStarts', tensor: cellStarts });
    }
    return launch(gpu, {
      kernel,
      parts: [
        ...weights,
        attrs.ordered ? 'splatOrdered' : 'splatListed',
        'splatGather',
        'tapTile',
        'tapSplat',
      ],
      constants: { CHUNK, TAPS, RECORD: record, PER: per, TILE: tile },
      inputs,
      uniforms: { ...tapUniforms(job), bins: i32(bins) },
      shape,
      lane,
      invocations: attrs.rows * tile * tiles,
      workgroupSize: WIDE,
    });
  });
}
