/** Mixtures of Gaussians as images, straight from their parameters at any size. Contract: ops/gaussianscontract.ts. */
import * as tf from '@tensorflow/tfjs';
import { check, ShapeError, WavecubeError } from '../errors.js';
import { activeBackend } from './device.js';
import { GAUSSIANS, GAUSSIANS_GRAD, type GaussianAttrs, SHAPE_PARAMETERS } from './gaussianscontract.js';
import { checkFloatTensor } from './tensors.js';

let registered = false;

function registerGradients(): void {
  if (registered) return;
  registered = true;
  tf.registerGradient({
    kernelName: GAUSSIANS,
    inputsToSave: ['components'],
    gradFunc: (dy, [components]) => ({
      components: () =>
        tf.engine().runKernel(GAUSSIANS_GRAD, { components, dy: dy as tf.Tensor }) as tf.Tensor,
    }),
  });
  const none = () => {
    throw new WavecubeError(
      'gaussiansGrad: must not be differentiated, got a second derivative of gaussians; it has the first one only',
    );
  };
  tf.registerGradient({
    kernelName: GAUSSIANS_GRAD,
    inputsToSave: [],
    gradFunc: () => ({ components: none, dy: none }),
  });
}

function checkComponents(where: string, components: unknown): asserts components is tf.Tensor3D {
  checkFloatTensor(where, 'components', components);
  check(
    components.rank === 3 && components.shape[2]! > SHAPE_PARAMETERS,
    () => new ShapeError(where, 'components', '[N, M, 5 + C] with C ≥ 1', components.shape),
  );
}

/**
 * Evaluates mixtures of Gaussians on pixel grids: out[n, i, j, c] = Σ_m a_mc · exp(−½ (u² + v²)) with
 * u = e^p · (x − cx) + q · (y − cy), v = e^r · (y − cy), at x = (j + ½)/width, y = (i + ½)/height of the unit square.
 * What lies beyond √(u² + v²) = 6 is left out: at most 1.5e-8 of an amplitude.
 * @param components [N, M, 5 + C] float32, each [cx, cy, p, q, r, a_0 … a_{C−1}]: centre (along the width, along the height) as
 * parts of the frame, log-Cholesky factor of the precision matrix, amplitudes. Zero amplitudes add exactly nothing; other
 * numbers that are not finite make their image NaN. N and M may be 0.
 * @param height, width of the images, in pixels.
 * @returns [N, height, width, C] float32 in the amplitudes' units.
 * Gradients: components, first order only; a second one throws WavecubeError.
 * @throws ArgumentError or ShapeError unless components is [N, M, 5 + C] float32 and the sizes positive integers; DisposedError.
 */
export function gaussians(components: tf.Tensor3D, height: number, width: number): tf.Tensor4D {
  checkComponents('gaussians', components);
  check(
    [height, width].every((n) => Number.isInteger(n) && n >= 1),
    () => new ShapeError('gaussians', 'height and width', 'positive integers', [height, width]),
  );
  activeBackend();
  registerGradients();
  const attrs: GaussianAttrs = { height, width };
  return tf.engine().runKernel(GAUSSIANS, { components }, attrs) as tf.Tensor4D;
}

/**
 * d⟨gaussians(components, H, W), dy⟩ / d(components), exact for the function as it is cut.
 * @param components [N, M, 5 + C] float32, as of gaussians.
 * @param dy [N, H, W, C] float32; what is not finite may make all gradients of its image NaN.
 * @returns [N, M, 5 + C] float32; zeros for a component that holds a number that is not finite.
 * Not differentiable: throws WavecubeError.
 * @throws ArgumentError or ShapeError unless the shapes are these; DisposedError.
 */
export function gaussiansGrad(components: tf.Tensor3D, dy: tf.Tensor4D): tf.Tensor3D {
  checkComponents('gaussiansGrad', components);
  checkFloatTensor('gaussiansGrad', 'dy', dy);
  const [n, , parameters] = components.shape;
  const channels = parameters - SHAPE_PARAMETERS;
  check(
    dy.rank === 4 && dy.shape[0] === n && dy.shape[1] > 0 && dy.shape[2] > 0 && dy.shape[3] === channels,
    () => new ShapeError('gaussiansGrad', 'dy', `[${n}, H, W, ${channels}]`, dy.shape),
  );
  activeBackend();
  registerGradients();
  return tf.engine().runKernel(GAUSSIANS_GRAD, { components, dy }) as tf.Tensor3D;
}
