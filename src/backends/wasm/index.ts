/** Entry point of the wasm backend. Importing it does nothing. */
import * as tf from '@tensorflow/tfjs';
import { DeviceError } from '../../errors.js';
import { registerDevice } from '../../ops/device.js';
import { compile } from './binary.js';
import { registerDelegates } from './delegate.js';
import { wasmDevice } from './device.js';
import { activeWasm, flavourOf, heapOf } from './heap.js';
import { registerReferences } from './identity.js';
import { registerKernels } from './kernels.js';

export interface WasmOptions {
  /** Where tfjs's own .wasm files are, as of its setWasmPaths; Node finds them by itself. */
  paths?: string | Record<string, string>;
  /** Threads of tfjs's own ops in a cross-origin-isolated page. Wavecube's kernels run on one. */
  threads?: number;
}

const inNode = (): boolean => typeof process !== 'undefined' && Boolean(process.versions?.node);

let registered = false;

/**
 * Makes tfjs's wasm backend active, with Wavecube's kernels on its heap. Later calls only make it active again, or
 * serve a backend that tfjs has made anew. Options count until tfjs has started the backend.
 * @throws DeviceError where WebAssembly SIMD is missing or tfjs's own binary is not found. The backend that was active
 * stays so.
 */
export async function useWasm({ paths, threads }: WasmOptions = {}): Promise<void> {
  const before = tf.getBackend();
  // Not a static import: it registers a backend when it is evaluated.
  const { setThreadsCount, setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  try {
    // In Node tfjs finds its binary beside its own code, and a page's address would lead it astray.
    if (paths !== undefined && !inNode()) setWasmPaths(paths);
    if (threads !== undefined) setThreadsCount(threads);
    if (!(await tf.setBackend('wasm'))) {
      throw new DeviceError(
        'useWasm: tfjs could not start its wasm backend; its .wasm files must be served where `paths` says ' +
          "(copy them from @tensorflow/tfjs-backend-wasm/dist); the console has tfjs's reason",
      );
    }
    await compile(flavourOf(activeWasm()));
    heapOf(activeWasm());
  } catch (error) {
    if (before && before !== tf.getBackend()) await tf.setBackend(before);
    throw error;
  }
  if (!registered) {
    registered = true;
    registerKernels();
    registerReferences();
    registerDelegates();
  }
  registerDevice(wasmDevice);
}
