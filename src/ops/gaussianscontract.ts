/**
 * The contract of the two Gaussian kernels. A backend implements these names; nothing else about it is known to the op.
 *
 *   components  [N, M, 5 + C] float32: N images of M Gaussians, each [cx, cy, p, q, r, a_0 … a_{C−1}]. The frame is the unit
 *               square, cx along the width, cy along the height; centres may lie outside. Pixel (i, j) of an H × W
 *               image is at x = (j + ½)/W, y = (i + ½)/H.
 *
 *                 dx = x − cx     u = e^p · dx + q · dy     ρ² = u² + v²
 *                 dy = y − cy     v = e^r · dy              g  = exp(−½ ρ²) where ρ ≤ 6, else 0
 *
 *               [[e^p, q], [0, e^r]] is the Cholesky factor of the precision matrix, which is so positive definite
 *               whatever the parameters. Without q, σ_x = e^−p and σ_y = e^−r of the frame.
 *   dy          [N, H, W, C] float32.
 *
 *   kernel                  inputs           result            definition
 *   WavecubeGaussians       components       [N, H, W, C]      out_nijc = Σ_m a_mc · g_m(i, j)
 *   WavecubeGaussiansGrad   components, dy   [N, M, 5 + C]     d⟨WavecubeGaussians, dy⟩ / d(components)
 *
 * The cut at ρ = 6 leaves out at most e^−18 = 1.5e-8 of an amplitude, a quarter of float32's rounding of it; the gradient is that
 * of the function so cut. Pixels whose ρ rounds across the cut may fall on either side. Gradients of the cut function
 * with respect to parameters, per component, with w = g · Σ_c a_c dy_c and sums over pixels:
 *
 *   cx: e^p Σ w u    cy: q Σ w u + e^r Σ w v    p: −Σ w u e^p dx    q: −Σ w u dy    r: −Σ w v²    a_c: Σ g dy_c
 *
 * Edges. p and r count within ±40 (a Gaussian 10¹⁷ times narrower or wider than the frame) and have the gradient 0
 * beyond. A component whose amplitudes are all zero adds exactly nothing, whatever else it holds, NaN included. Any other
 * component with a number that is not finite makes its whole image NaN. A component with such a number has the gradient 0
 * in all its entries. A dy that is not finite may make any gradient of its image NaN, also of components that do not reach
 * it. Repeated calls give the same bits. N and M may be 0.
 */
import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from './register.js';

export const GAUSSIANS = 'WavecubeGaussians';
export const GAUSSIANS_GRAD = 'WavecubeGaussiansGrad';

/** cx, cy, p, q, r come before the amplitudes. */
export const SHAPE_PARAMETERS = 5;
/** ρ² of the cut: kernels/wasm/gaussian.ts and kernels/webgpu/gaussian.wgsl repeat it. */
export const CUT_SQUARED = 36;
/** p and r count within ± this. */
export const MOST_LOG_SCALE = 40;

/** The size of the images: dy tells it to the gradient. */
export interface GaussianAttrs extends NamedAttrMap {
  height: number;
  width: number;
}

/** What all kernels work on: N images, M components an image, C channels, H rows, W columns. */
export interface GaussianJob {
  images: number;
  count: number;
  channels: number;
  height: number;
  width: number;
}

export interface GaussianKernels {
  /** @returns [N, H, W, C] */
  value(backend: unknown, job: GaussianJob, components: TensorInfo): TensorInfo;
  /** @returns [N, M, 5 + C] */
  grad(backend: unknown, job: GaussianJob, components: TensorInfo, dy: TensorInfo): TensorInfo;
}

/** Registers both kernels of a backend. */
export function registerGaussians(backendName: string, kernels: GaussianKernels): void {
  const jobOf = ({ shape }: TensorInfo, height: number, width: number): GaussianJob => ({
    images: shape[0],
    count: shape[1],
    channels: shape[2] - SHAPE_PARAMETERS,
    height,
    width,
  });
  replaceKernel(backendName, GAUSSIANS, ({ inputs, attrs, backend }) => {
    const { height, width } = attrs as unknown as GaussianAttrs;
    const components = inputs.components as TensorInfo;
    return kernels.value(backend, jobOf(components, height, width), components);
  });
  replaceKernel(backendName, GAUSSIANS_GRAD, ({ inputs, backend }) => {
    const { components, dy } = inputs as Record<string, TensorInfo>;
    return kernels.grad(backend, jobOf(components, dy.shape[1], dy.shape[2]), components, dy);
  });
}
