/** Choosing a backend: the one asynchronous call before the first cube. */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, checkOptionNames, DeviceError } from '../errors.js';
import { activeBackend, checkOneTfjs, startBackend } from '../ops/device.js';
import { inNode } from '../ops/platform.js';

export interface ReadyOptions {
  /**
   * 'auto' (default) takes WebGPU where the browser has a GPU adapter, else wasm, else cpu; in Node it takes wasm.
   * 'webgpu' in Node needs the package `webgpu` (Dawn). Any other name of a registered tfjs backend works too,
   * on stock ops.
   */
  backend?: 'auto' | 'webgpu' | 'wasm' | 'cpu' | (string & {});
  /** Where tfjs's own .wasm files are served from, as of its setWasmPaths; Node finds them by itself. */
  wasmPaths?: string | Record<string, string>;
}

/** Whether the browser offers a GPU adapter that is not a software fallback. */
async function hasGpu(): Promise<boolean> {
  if (inNode() || typeof navigator === 'undefined' || !('gpu' in navigator)) return false;
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) return false;
  // The flag moved from the adapter to its info; the pinned types know neither place.
  const said = adapter as { isFallbackAdapter?: boolean; info?: { isFallbackAdapter?: boolean } };
  return !(said.info?.isFallbackAdapter ?? said.isFallbackAdapter);
}

async function use(name: string, options: ReadyOptions): Promise<void> {
  if (name === 'webgpu') {
    const { useWebGPU } = await import('./webgpu/index.js');
    await useWebGPU();
  } else if (name === 'wasm') {
    const { useWasm } = await import('./wasm/index.js');
    await useWasm({ paths: options.wasmPaths });
  } else {
    check(
      tf.engine().registryFactory[name] !== undefined,
      () =>
        new ArgumentError(
          `ready: backend must be 'auto', 'webgpu', 'wasm', 'cpu' or a registered tfjs backend, got '${name}'`,
        ),
    );
    check(
      await startBackend(name),
      () => new DeviceError(`ready: tfjs could not start its backend '${name}'`),
    );
  }
}

/**
 * Makes a tfjs backend active with Wavecube's kernels on it.
 * @returns the backend's name.
 * @throws DeviceError if the backend asked for cannot start (with 'auto', only if none can), or if two copies of
 * tfjs are loaded; ArgumentError for a name nobody registered. The backend that was active stays so.
 */
export async function ready(options: ReadyOptions = {}): Promise<string> {
  checkOptionNames('ready', options, ['backend', 'wasmPaths']);
  const wanted = options.backend ?? 'auto';
  if (wanted !== 'auto') {
    await use(wanted, options);
  } else {
    const order = (await hasGpu()) ? ['webgpu', 'wasm', 'cpu'] : ['wasm', 'cpu'];
    const failures: unknown[] = [];
    for (const name of order) {
      try {
        await use(name, options);
        break;
      } catch (error) {
        failures.push(error);
      }
    }
    check(failures.length < order.length, () => {
      const reasons = failures.map((f, i) => `${order[i]}: ${f instanceof Error ? f.message : f}`);
      return new DeviceError(`ready: no backend could start (${reasons.join('; ')})`, { cause: failures });
    });
    if (failures.length) {
      const reason = failures[0] instanceof Error ? failures[0].message : failures[0];
      console.warn(`wavecube: running on '${tf.getBackend()}', since '${order[0]}' did not start: ${reason}`);
    }
  }
  await tf.ready();
  checkOneTfjs();
  return activeBackend();
}
