/** The wasm backend as a device (ops/device.ts): page sizes and writes in place. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../ops/device.js';
import { activeWasm, heapOf } from './heap.js';
import { MOST_BYTES } from './malloc.js';

/** Elements of `t` from `offset` on as bytes, through a view that is valid now. All dtypes written have four bytes. */
function place(t: tf.Tensor, offset: number, count: number): Uint8Array {
  const heap = heapOf(activeWasm());
  return heap.bytes(heap.offsetOf(t) + 4 * offset, 4 * count);
}

export const wasmDevice: Device = {
  name: 'wasm',
  readsSync: true,
  maxPageBytes: () => MOST_BYTES,
  maxTotalBytes: 2 ** 32,

  write(target, offset, values) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    place(target, offset, values.length).set(bytes);
  },

  unfilled: (shape, dtype) =>
    tf.engine().makeTensorFromTensorInfo(heapOf(activeWasm()).output(shape, dtype)) as tf.Tensor2D,

  copy(target, offset, source, from = 0, count = source.size - from) {
    // Finding the source first: it may lie on another backend, and moving it here can grow the heap.
    place(source, from, count);
    const to = place(target, offset, count);
    to.set(place(source, from, count));
  },
};
