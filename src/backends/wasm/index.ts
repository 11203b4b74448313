/** Entry point of the wasm backend. Importing it does nothing. */
import * as tf from '@tensorflow/tfjs';
import { DeviceError } from '../../errors.js';
import { checkedDevice } from '../../ops/checked.js';
import { registerDevice } from '../../ops/device.js';
import { inNode } from '../../ops/platform.js';
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

const NOT_STARTED =
  'ready: the wasm backend did not start; in a page, serve the .wasm files of @tensorflow/tfjs-backend-wasm/dist, say ' +
  "where with ready({ wasmPaths: '/wasm/' }), and reload the page: tfjs tries once";

/** @throws DeviceError unless tfjs's binary lies where `paths` says. */
async function checkServed(paths: string | Record<string, string>): Promise<void> {
  const kind = globalThis.crossOriginIsolated ? 'threaded-simd' : 'simd';
  const name = `tfjs-backend-wasm-${kind}.wasm`;
  const url = typeof paths === 'string' ? `${paths}${name}` : paths[name];
  const answer = url === undefined ? undefined : await fetch(url, { method: 'HEAD' }).catch(() => undefined);
  const type = answer?.headers.get('content-type') ?? '';
  if (answer?.ok && !type.startsWith('text/')) return;
  const said = !answer
    ? 'is not answered'
    : answer.ok
      ? 'is a web page'
      : `is answered with ${answer.status}`;
  throw new DeviceError(
    `ready: wasmPaths must lead to ${name} (copy it from @tensorflow/tfjs-backend-wasm/dist), but ${url} ${said}`,
  );
}

let registered = false;

/**
 * Makes tfjs's wasm backend active, with Wavecube's kernels on its heap. Later calls only make it active again, or
 * serve a backend that tfjs has made anew. Options count until tfjs has started the backend.
 * @throws DeviceError where WebAssembly SIMD is missing or tfjs's own binary is not found. The backend that was active
 * stays so.
 */
export async function useWasm({ paths, threads }: WasmOptions = {}): Promise<void> {
  const before = tf.getBackend();
  const started = tf.engine().registry?.wasm !== undefined;
  // tfjs gives a start that failed no second try before the page is loaded anew: look first.
  if (paths !== undefined && !started && !inNode()) await checkServed(paths);
  // Not a static import: it registers a backend when it is evaluated.
  const { setThreadsCount, setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  try {
    if (!started) {
      // In Node tfjs finds its binary beside its own code, and a page's address would lead it astray.
      if (paths !== undefined && !inNode()) setWasmPaths(paths);
      if (threads !== undefined) setThreadsCount(threads);
    }
    if (!(await tf.setBackend('wasm'))) throw new DeviceError(NOT_STARTED);
    await compile(flavourOf(activeWasm()));
    heapOf(activeWasm());
  } catch (cause) {
    await tf.setBackend(before ?? 'cpu');
    if (cause instanceof DeviceError) throw cause;
    throw new DeviceError(`${NOT_STARTED} (${cause instanceof Error ? cause.message : cause})`, { cause });
  }
  if (!registered) {
    registered = true;
    registerKernels();
    registerReferences();
    registerDelegates();
  }
  registerDevice(checkedDevice(wasmDevice));
}
