/**
 * Rows of a batch taken out and put back: what lets a part of the samples be worked on alone. Each is the other's adjoint, so that
 * gradients of any order are of these two.
 *
 *   takeRows    x [N, F], places                      → [K, F]    out_k = x[places_k]
 *   sumRows     parts [K_b, F], places of each        → [N, F]    out_i = Σ_b Σ_{k: places_bk = i} part_b[k]
 *
 * WavecubeSumRows: inputs p0, p1, … float32 [K_b, F]; attrs n, payload, sources: of each part [N] its row for each sample, −1 for none.
 */
import * as tf from '@tensorflow/tfjs';
import { activeBackend } from './device.js';
import { SUM_ROWS } from './sumrowscontract.js';

/** Rows that a part of a batch has: distinct numbers of samples, ascending; null for all of them. */
export type Places = Int32Array | null;

/** Gradients: x. */
export function takeRows(x: tf.Tensor2D, places: Places): tf.Tensor2D {
  if (!places) return x;
  return tf.customGrad((given: unknown) => {
    const shape: [number, number] = [places.length, x.shape[1]];
    return {
      // Of a tensor without elements stock gather gives another shape on wasm.
      value: x.size ? tf.gather(given as tf.Tensor2D, tf.tensor1d(places, 'int32')) : tf.zeros(shape),
      gradFunc: (dy: tf.Tensor) => sumRows([dy as tf.Tensor2D], [places], x.shape[0]),
    };
  })(x) as tf.Tensor2D;
}

/** Gradients: the parts. There is at least one. */
export function sumRows(parts: readonly tf.Tensor2D[], places: readonly Places[], n: number): tf.Tensor2D {
  if (parts.length === 1 && !places[0]) return parts[0];
  activeBackend();
  const payload = parts[0].shape[1];
  const sources = places.map((rows) => {
    const source = new Int32Array(n).fill(-1);
    if (rows) for (let k = 0; k < rows.length; k++) source[rows[k]] = k;
    else for (let i = 0; i < n; i++) source[i] = i;
    return source;
  });
  return tf.customGrad((...args: unknown[]) => {
    const given = args.slice(0, parts.length) as tf.Tensor[];
    const inputs = Object.fromEntries(given.map((part, b) => [`p${b}`, part]));
    return {
      value: tf
        .engine()
        .runKernel(SUM_ROWS, inputs, { n, payload, sources } as unknown as tf.NamedAttrMap) as tf.Tensor,
      gradFunc: (dy: tf.Tensor) => places.map((rows) => taken(dy as tf.Tensor2D, rows)),
    };
  })(...parts) as tf.Tensor2D;
}

/** takeRows that is a tensor of its own also where it takes all. */
const taken = (dy: tf.Tensor2D, places: Places): tf.Tensor2D =>
  places ? takeRows(dy, places) : tf.clone(dy);
