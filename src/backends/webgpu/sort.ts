/** Stable radix sort of (key, item) pairs on the device, 4 bits a pass: the order in which splats gather. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { i32, launch, withScratch } from './program.js';
import type { Gpu } from './tfjs.js';

const THREADS = 128;
const EACH = 16;

/**
 * @param pairs [count, 2] int32 with keys 0 … keys, count ≥ 1.
 * @returns the pairs in the order of their keys; equal keys keep theirs.
 */
export function sortPairs(gpu: Gpu, kernel: string, pairs: TensorInfo, keys: number): TensorInfo {
  const bits = Math.max(1, 32 - Math.clz32(keys));
  let sorted = pairs;
  for (let shift = 0; shift < bits; shift += 4) {
    const next = sortDigit(gpu, kernel, sorted, shift);
    if (sorted !== pairs) gpu.disposeData(sorted.dataId);
    sorted = next;
  }
  return sorted;
}

function sortDigit(gpu: Gpu, kernel: string, pairs: TensorInfo, shift: number): TensorInfo {
  const count = pairs.shape[0];
  const blocks = Math.ceil(count / (THREADS * EACH));
  const constants = { THREADS, EACH };
  const uniforms = { count: i32(count), blocks: i32(blocks), shift: i32(shift) };
  const input = { name: 'pairs', tensor: pairs, lane: 2 } as const;
  const common = { kernel, dtype: 'int32' } as const;
  return withScratch(gpu, (keep) => {
    const counts = keep(
      launch(gpu, {
        ...common,
        parts: ['sortCount'],
        constants,
        inputs: [input],
        uniforms,
        shape: [16, blocks],
        invocations: blocks * THREADS,
        workgroupSize: THREADS,
      }),
    );
    const places = keep(
      launch(gpu, {
        ...common,
        parts: ['sortScan'],
        inputs: [{ name: 'counts', tensor: counts }],
        uniforms: { count: i32(16 * blocks) },
        shape: [16, blocks],
        invocations: 256,
        workgroupSize: 256,
      }),
    );
    return launch(gpu, {
      ...common,
      parts: ['sortMove'],
      constants,
      inputs: [input, { name: 'places', tensor: places }],
      uniforms,
      shape: [count, 2],
      lane: 2,
      invocations: blocks * THREADS,
      workgroupSize: THREADS,
    });
  });
}

/** [keys + 1] int32: where each key, and key `keys`, begins in sorted pairs. */
export function startsOf(gpu: Gpu, kernel: string, pairs: TensorInfo, keys: number): TensorInfo {
  return launch(gpu, {
    kernel,
    parts: ['sortStarts'],
    inputs: [{ name: 'pairs', tensor: pairs, lane: 2 }],
    uniforms: { count: i32(pairs.shape[0]), keys: i32(keys) },
    shape: [keys + 1],
    dtype: 'int32',
    invocations: keys + 1,
  });
}
