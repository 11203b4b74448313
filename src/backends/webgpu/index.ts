/** Entry point of the webgpu backend. Importing it does nothing. */
import * as tf from '@tensorflow/tfjs';
import { check, DeviceError } from '../../errors.js';
import { checkedDevice } from '../../ops/checked.js';
import { registerDevice } from '../../ops/device.js';
import { inNode } from '../../ops/platform.js';
import { webgpuDevice } from './device.js';
import { registerKernels } from './kernels.js';

const hasWebGPU = (): boolean =>
  typeof navigator !== 'undefined' && Boolean((navigator as { gpu?: object }).gpu);

const NO_ADAPTER = {
  node:
    'install a Vulkan (Linux), Metal or D3D12 driver, or point VK_DRIVER_FILES to one ' +
    "(without a GPU: SwiftShader's vk_swiftshader_icd.json, as in Chromium)",
  browser: "check chrome://gpu; until then ready({ backend: 'wasm' }) runs the same cubes",
};

async function checkAdapter(): Promise<void> {
  const { gpu } = navigator as unknown as { gpu: { requestAdapter(): Promise<object | null> } };
  check(
    (await gpu.requestAdapter()) !== null,
    () =>
      new DeviceError(
        `useWebGPU: no GPU adapter was found; ${inNode() ? NO_ADAPTER.node : NO_ADAPTER.browser}`,
      ),
  );
}

/**
 * Makes tfjs's webgpu backend active, with Wavecube's kernels on it. In Node it needs the package `webgpu` (Dawn).
 * Later calls only make it active again.
 * @throws DeviceError where there is no WebGPU, no adapter, or the device cannot be created; it says what is missing.
 * The backend that was active stays so.
 */
export async function useWebGPU(): Promise<void> {
  if (!hasWebGPU()) {
    check(
      inNode(),
      () => new DeviceError('useWebGPU: this browser has no WebGPU (or the page is not served over https)'),
    );
    const { provideNavigatorGpu } = await import('./node.js');
    await provideNavigatorGpu();
  }
  const before = tf.getBackend();
  if (!tf.engine().registry.webgpu) await checkAdapter();
  // Not a static import: it looks for navigator.gpu when it is evaluated, and registers nothing without.
  await import('@tensorflow/tfjs-backend-webgpu');
  check(
    tf.findBackendFactory('webgpu') !== null,
    () =>
      new DeviceError(
        'useWebGPU: @tensorflow/tfjs-backend-webgpu was imported before there was a navigator.gpu and has registered ' +
          'nothing; call useWebGPU() before importing it',
      ),
  );
  if (!(await tf.setBackend('webgpu'))) {
    if (before) await tf.setBackend(before);
    throw new DeviceError('useWebGPU: tfjs could not create a GPU device; the console has its reason');
  }
  registerKernels();
  registerDevice(checkedDevice(webgpuDevice));
}
