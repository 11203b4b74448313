/**
 * What a cube must know of the backend that holds its banks, beyond the kernels: how large a page may be and how
 * a row is written in place. Backends announce themselves here; one that does not is served by stock ops.
 */
import * as tf from '@tensorflow/tfjs';
import { check, DeviceError } from '../errors.js';
import { registerComposition } from './composition.js';

export interface Device {
  readonly name: string;
  /** Bytes of the largest tensor that a kernel can read or write. */
  maxPageBytes(): number;
  /** Bytes of all tensors together that the backend can hold. */
  maxTotalBytes?: number;
  /** Whether slice and data give views of a tensor's own memory, which a write in place would change. */
  sharesArrays?: boolean;
  /** Whether stock ops take int32 values through float32, which holds but 24 bits of them: lanes of halves are copied instead. */
  roundsIntegers?: boolean;
  /** Whether dataSync works and does not stall a queue. */
  readonly readsSync: boolean;
  /**
   * Overwrites elements offset … offset + values.length of `target` in place. The caller has made sure that nothing
   * else holds its data. Ops queued before see the old values, ops queued after the new ones.
   */
  write(target: tf.Tensor, offset: number, values: Float32Array | Int32Array): void;
  /** A tensor whose contents are anything, where that is had for less than one of zeros. */
  unfilled?(shape: [number, number], dtype: 'float32' | 'int32'): tf.Tensor2D;
  /** As write, from a tensor of the same dtype on this backend: of `count` elements from `from` on, by default all of it. */
  copy(target: tf.Tensor, offset: number, source: tf.Tensor, from?: number, count?: number): void;
}

/** How a backend of Wavecube's own gets ready. */
export interface BackendProvider {
  /** Registers kernels and device, at the backend's first use. */
  install?(): void;
  /** Makes the backend active, its kernels and device registered. */
  start?(): Promise<unknown>;
}

const devices = new Map<string, Device>();
const providers = new Map<string, BackendProvider>();
const installed = new Set<string>();

export function registerDevice(device: Device): void {
  devices.set(device.name, device);
  installed.add(device.name);
}

export function provideBackend(name: string, provider: BackendProvider): void {
  providers.set(name, provider);
}

/** Makes a backend active. @returns false, and leaves the active one, if there is none of that name or it does not start. */
export async function startBackend(name: string): Promise<boolean> {
  const start = providers.get(name)?.start;
  if (start) {
    await start();
    return true;
  }
  if (!(name in tf.engine().registryFactory)) return false;
  const before = tf.getBackend();
  const started = await tf.setBackend(name);
  // tfjs calls a backend active that has failed to start.
  if (started) activeBackend();
  else if (before !== undefined) await tf.setBackend(before);
  return started;
}

/**
 * The active backend's name, with Wavecube's kernels for it registered: stock-op compositions where it has none.
 * @throws DeviceError if no backend is active.
 */
export function activeBackend(): string {
  const name = tf.getBackend();
  check(
    name !== undefined,
    () => new DeviceError('wavecube: no tfjs backend is active yet; await ready() first'),
  );
  if (!installed.has(name)) {
    installed.add(name);
    const install = providers.get(name)?.install;
    if (install) {
      install();
    } else {
      const own = providers.has(name);
      const way = own
        ? `await ready({ backend: '${name}' }) for its own kernels`
        : 'await ready() chooses a faster one';
      console.warn(`wavecube: '${name}' runs on stock ops, slowly; ${way}`);
      registerComposition(name);
    }
  }
  return name;
}

/** The device of the active backend; undefined if it announced none. */
export function findDevice(name: string): Device | undefined {
  return devices.get(name);
}

/** Whether nothing but `t` holds its data: no alias, no tape. */
export function isExclusive(t: tf.Tensor): boolean {
  return tf.backend().refCount(t.dataId) === 1;
}

/** Two copies of tfjs share one engine but not their classes, so tensors of one fail in the other: name it early. */
export function checkOneTfjs(): void {
  const probe = tf.engine().makeTensor(new Float32Array(1), [1], 'float32');
  const same = probe.constructor === tf.Tensor;
  probe.dispose();
  check(
    same,
    () =>
      new DeviceError(
        `wavecube: two copies of @tensorflow/tfjs-core are loaded (Wavecube sees ${tf.version['tfjs-core']}); ` +
          'have one version in the dependency tree: npm ls @tensorflow/tfjs-core',
      ),
  );
}
