/** The two functions of the spec, thin on the same op. */
import * as tf from '@tensorflow/tfjs';
import { check, DeviceError } from '../errors.js';
import type { Coordinates } from './coordinates.js';
import type { WavetableMatrix } from './matrix.js';

/** The cube at (x, y, z), [H, W, C], on whatever backend it is. Gradients and errors: as WavetableMatrix.sample. */
export function trilinearInterpolate(matrix: WavetableMatrix, x: number, y: number, z: number): tf.Tensor3D {
  return matrix.sample(x, y, z);
}

const GPU_BACKENDS = ['webgpu', 'webgl', 'cuda'];

/**
 * The cube at coords [N, 3], [N, H, W, C], on a GPU. Gradients and errors: as WavetableMatrix.sampleBatch.
 * @throws DeviceError if the active backend is not a GPU's.
 */
export function trilinearInterpolateGpu(matrix: WavetableMatrix, coords: Coordinates): tf.Tensor4D {
  check(
    GPU_BACKENDS.includes(tf.getBackend()),
    () =>
      new DeviceError(
        `trilinearInterpolateGpu: needs a GPU backend, and '${tf.getBackend()}' is active; ` +
          "await ready({ backend: 'webgpu' }), then await matrix.toBackend('webgpu'). In Node: npm install webgpu",
      ),
  );
  return matrix.sampleBatch(coords);
}
