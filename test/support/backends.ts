/** Runs a suite on every backend: cpu, wasm and webgpu, in Node and in a page alike. */
import * as tf from '@tensorflow/tfjs';
import { ready } from '../../src/index.js';

// tfjs greets on the console otherwise, in Node, and logs what a test provokes.
tf.enableProdMode();

interface TestGlobals {
  /** Set by a page that tests some backends only. */
  WAVECUBE_TEST_BACKENDS?: string[];
  WAVECUBE_WASM_PATHS?: string;
}
const globals = globalThis as TestGlobals;

export const BACKENDS = globals.WAVECUBE_TEST_BACKENDS ?? ['cpu', 'wasm', 'webgpu'];

/** A test's share of the tensor memory, of the WebGPU validation scope, and of the backend. */
export function eachBackend(title: string, define: (backend: string) => void, backends = BACKENDS): void {
  for (const backend of backends) {
    describe(`${title} [${backend}]`, function () {
      this.timeout(120_000);
      before(() => ready({ backend, wasmPaths: globals.WAVECUBE_WASM_PATHS }));
      beforeEach(() => gpu()?.pushErrorScope('validation'));
      afterEach(async () => {
        const error = await gpu()?.popErrorScope();
        if (error) throw new Error(`WebGPU validation: ${error.message}`);
      });
      define(backend);
    });
  }
}

function gpu(): GPUDevice | undefined {
  return tf.getBackend() === 'webgpu' ? (tf.backend() as unknown as { device: GPUDevice }).device : undefined;
}

/** Runs `body` and fails if it leaves tensors behind (or takes more away than it made). */
export async function withoutLeaks<T>(body: () => T | Promise<T>): Promise<T> {
  const before = tf.memory().numTensors;
  const result = await body();
  const after = tf.memory().numTensors;
  if (after !== before) throw new Error(`tensors: ${before} before, ${after} after`);
  return result;
}
