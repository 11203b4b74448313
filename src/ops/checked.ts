import type * as tf from '@tensorflow/tfjs';
import { ArgumentError, check } from '../errors.js';
import type { Device } from './device.js';

function checkRange(what: string, target: tf.Tensor, offset: number, count: number): void {
  check(
    Number.isInteger(offset) && offset >= 0 && offset + count <= target.size,
    () =>
      new ArgumentError(
        `${what}: elements ${offset} … ${offset + count} must lie in ${target.size} elements`,
      ),
  );
}

/**
 * A device whose write and copy throw ArgumentError, before anything is changed, where the target does not hold the
 * whole range, or the source: of itself a backend would cut it, overwrite a neighbour, or note it asynchronously.
 */
export function checkedDevice(device: Device): Device {
  return {
    ...device,
    write(target, offset, values) {
      checkRange('write', target, offset, values.length);
      device.write(target, offset, values);
    },
    copy(target, offset, source, from = 0, count = source.size - from) {
      checkRange('copy', source, from, count);
      checkRange('copy', target, offset, count);
      device.copy(target, offset, source, from, count);
    },
  };
}
