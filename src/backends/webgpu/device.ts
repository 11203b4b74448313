/** The webgpu backend as a device (ops/device.ts): page sizes and writes in place, in the order of the calls. */
import type { Device } from '../../ops/device.js';
import { activeGpu, bufferOf, dropHostCache, recordCopy, submitRecorded } from './tfjs.js';

export const webgpuDevice: Device = {
  name: 'webgpu',
  readsSync: false,
  roundsIntegers: true,

  maxPageBytes() {
    const { maxStorageBufferBindingSize, maxBufferSize } = activeGpu().device.limits;
    // Whole lanes of four; a page stays below 2³¹ bytes everywhere.
    return Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize, 2 ** 31 - 16) / 16) * 16;
  },

  write(target, offset, values) {
    if (values.length === 0) return;
    const gpu = activeGpu();
    const buffer = bufferOf(gpu, target);
    // writeBuffer goes to the queue at once and would overtake what is recorded but not submitted.
    submitRecorded(gpu);
    gpu.queue.writeBuffer(buffer, 4 * offset, values);
    dropHostCache(gpu, target);
  },

  copy(target, offset, source, from = 0, count = source.size - from) {
    if (count === 0) return;
    const gpu = activeGpu();
    recordCopy(gpu, source, target, 4 * offset, 4 * count, 4 * from);
    dropHostCache(gpu, target);
  },
};
