/** The cpu backend as a device (ops/device.ts): page sizes and writes in place. */
import type { Device } from '../../ops/device.js';
import { activeCpu, valuesOf } from './tfjs.js';

export const cpuDevice: Device = {
  name: 'cpu',
  // V8's typed arrays end at 2³²−1 elements or lower; a page stays below 2³¹ bytes everywhere.
  maxPageBytes: () => 2 ** 30,
  readsSync: true,
  sharesArrays: true,
  write: (target, offset, values) => valuesOf(activeCpu(), target).set(values, offset),
  copy: (target, offset, source, from = 0, count = source.size - from) =>
    valuesOf(activeCpu(), target).set(valuesOf(activeCpu(), source).subarray(from, from + count), offset),
};
