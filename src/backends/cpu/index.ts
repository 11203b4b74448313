/** Entry point of the cpu backend. Importing it does nothing. */

import { checkedDevice } from '../../ops/checked.js';
import { registerDevice } from '../../ops/device.js';
import { cpuDevice } from './device.js';
import { registerKernels } from './kernels.js';

/** Registers the kernels with tfjs's cpu backend, and the device. */
export function installCpu(): void {
  registerKernels();
  registerDevice(checkedDevice(cpuDevice));
}
