/** Public names, nothing else. */
import { installCpu } from './backends/cpu/index.js';
import { provideBackend } from './ops/device.js';

export { type ReadyOptions, ready } from './backends/ready.js';
export * from './errors.js';
export { BOUNDARIES, type Boundary } from './interpolation/stencil.js';
export { meanSquare } from './ops/meansquare.js';

provideBackend('cpu', installCpu);
