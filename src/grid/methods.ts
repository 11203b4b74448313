/**
 * The methods of interpolation, and what each asks of the nodes. A method that is linear in the nodes is a basis on each axis
 * (interpolation/taps.ts) of the nodes themselves, or of rows made of them:
 *
 *   linear        the fused kernels of ops/contract.ts, straight from coordinates
 *   nearest       the same, at the nearest node (upwards from the middle); no gradient to coordinates
 *   smoothstep    the same, with the fraction eased: 3f² − 2f³; flat at nodes, C1
 *   cardinal      through the nodes, C1, with slopes −2a · (central difference); a ∈ [−1, 0], default −1/2
 *   catmull-rom   cardinal of a = −1/2: exact for parabolas
 *   bspline       through the nodes, C2: of the coefficients whose spline takes the nodes' values (the prefilter), not of the nodes
 *   hermite       through the nodes with the tangents that were given (setTangents), C1; zero twists (J. Ferguson,
 *                 "Multivariable curve interpolation", 1964)
 *   monotone      through the nodes, C1, no overshoot: not linear in them. Along z, then y, then x
 *                 (F. Fritsch, J. Butland, "A method for constructing local monotone piecewise cubic interpolants", 1984)
 */
import { ArgumentError, check, shown } from '../errors.js';

export const METHODS = [
  'linear',
  'nearest',
  'smoothstep',
  'bspline',
  'cardinal',
  'catmull-rom',
  'hermite',
  'monotone',
] as const;
export type InterpolationMethod = (typeof METHODS)[number];

/** A method with its parameter. */
export interface MethodChoice {
  method: InterpolationMethod;
  /** Of 'cardinal' and 'catmull-rom'; else not used. */
  a: number;
}

const CATMULL_ROM = -0.5;

/** @throws ArgumentError for a method that is none, an `a` outside [−1, 0], or one that the method does not take. */
export function checkMethod(where: string, method: unknown = 'linear', a?: unknown): MethodChoice {
  check(
    METHODS.includes(method as InterpolationMethod),
    () =>
      new ArgumentError(
        `${where}: method must be one of ${METHODS.map((m) => `'${m}'`).join(', ')}, got ${shown(method)}`,
      ),
  );
  check(
    a === undefined || method === 'cardinal',
    () => new ArgumentError(`${where}: a is the parameter of method 'cardinal', got it with '${method}'`),
  );
  check(
    a === undefined || (typeof a === 'number' && a >= -1 && a <= 0),
    () =>
      new ArgumentError(
        `${where}: a must be in [-1, 0] (Catmull-Rom is -0.5, PyTorch's bicubic -0.75), got ${shown(a)}`,
      ),
  );
  return { method: method as InterpolationMethod, a: (a as number | undefined) ?? CATMULL_ROM };
}
