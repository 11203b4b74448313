/**
 * The Gaussian kernels composed from stock tfjs ops, for a backend that has none of its own. A few components at a time, each
 * over whole images: right for mixtures of tens, slow for thousands. float32, exponents included.
 */
import * as tf from '@tensorflow/tfjs';
import {
  CUT_SQUARED,
  type GaussianJob,
  MOST_LOG_SCALE,
  registerGaussians,
  SHAPE_PARAMETERS,
} from './gaussianscontract.js';

/** Elements of the largest tensor that a step makes. */
const MOST_ELEMENTS = 2 ** 22;

/** [first, count] of slices of the components. */
function steps({ images, count, height, width }: GaussianJob): [number, number][] {
  const each = Math.max(1, Math.floor(MOST_ELEMENTS / Math.max(1, images * height * width)));
  return Array.from({ length: Math.ceil(count / each) }, (_, k) => [
    k * each,
    Math.min(each, count - k * each),
  ]);
}

/** [1, 1, …, size] pixel centres along `axis` of four. */
function centres(size: number, axis: 2 | 3): tf.Tensor {
  const line = tf.div(tf.add(tf.range(0, size, 1, 'float32'), 0.5), size);
  return tf.reshape(line, axis === 2 ? [1, 1, size, 1] : [1, 1, 1, size]);
}

/** Components [N, m, 5 + C], those that are silent or not finite as zeros, and which are. */
function sorted(components: tf.Tensor) {
  const amplitudes = tf.slice(components, [0, 0, SHAPE_PARAMETERS], [-1, -1, -1]);
  const silent = tf.logicalNot(tf.any(tf.notEqual(amplitudes, 0), 2, true));
  const finite = tf.all(tf.isFinite(components), 2, true);
  const safe = tf.where(finite, components, tf.zerosLike(components));
  return { finite, broken: tf.logicalAnd(tf.logicalNot(finite), tf.logicalNot(silent)), safe };
}

/** Of components [N, m, 5 + C]: [N, m, H, W] g, u, e^p dx, and [N, m, H, 1] v, dy. */
function evaluate(safe: tf.Tensor, { height, width }: GaussianJob) {
  const parameter = (k: number) =>
    tf.reshape(tf.slice(safe, [0, 0, k], [-1, -1, 1]), [...safe.shape.slice(0, 2), 1, 1]);
  const scale = (k: number) => tf.exp(tf.clipByValue(parameter(k), -MOST_LOG_SCALE, MOST_LOG_SCALE));
  const ep = scale(2);
  const er = scale(4);
  const q = parameter(3);
  const along = tf.mul(ep, tf.sub(centres(width, 3), parameter(0)));
  const dy = tf.sub(centres(height, 2), parameter(1));
  const u = tf.add(along, tf.mul(q, dy));
  const v = tf.mul(er, dy);
  const square = tf.add(tf.square(u), tf.square(v));
  // Where it is NaN (∞ − ∞) it is beyond the cut too. Numbers without the mask would be 0 · ∞ there.
  const within = tf.lessEqual(square, CUT_SQUARED);
  const zeros = tf.zerosLike(square);
  const g = tf.where(within, tf.exp(tf.mul(tf.where(within, square, zeros), -0.5)), zeros);
  return { g, u: tf.where(within, u, zeros), along, v, dy, ep, er, q, within };
}

/** WavecubeGaussians of stock ops. */
export function gaussiansComposition(job: GaussianJob, components: tf.Tensor): tf.Tensor {
  const { images, channels, height, width } = job;
  let out: tf.Tensor = tf.zeros([images, height * width, channels]);
  for (const [first, count] of steps(job)) {
    out = tf.tidy(() => {
      const { broken, safe } = sorted(tf.slice(components, [0, first, 0], [-1, count, -1]));
      const g = tf.reshape(evaluate(safe, job).g, [images, count, height * width]);
      const amplitudes = tf.slice(safe, [0, 0, SHAPE_PARAMETERS], [-1, -1, -1]);
      const sum = tf.add(out, tf.matMul(g, amplitudes, true));
      const spoilt = tf.any(broken, 1, true);
      return tf.where(spoilt, tf.fill(sum.shape, Number.NaN), sum);
    });
  }
  return tf.reshape(out, [images, height, width, channels]);
}

function gradOf(job: GaussianJob, components: tf.Tensor, dy: tf.Tensor): tf.Tensor {
  const { images, channels, height, width } = job;
  const { finite, safe } = sorted(components);
  const count = components.shape[1]!;
  const amplitudes = tf.slice(safe, [0, 0, SHAPE_PARAMETERS], [-1, -1, -1]);
  const { g, u, along, v, dy: down, ep, er, q, within } = evaluate(safe, job);
  const pixels = tf.reshape(dy, [images, height * width, channels]);
  const dot = tf.reshape(tf.matMul(amplitudes, pixels, false, true), g.shape);
  const zeros = tf.zerosLike(g);
  const masked = (x: tf.Tensor) => tf.where(within, tf.mul(tf.onesLike(g), x), zeros);
  const w = tf.where(within, tf.mul(g, dot), zeros);
  const sum = (x: tf.Tensor) => tf.sum(x, [2, 3], true);
  const wu = tf.mul(w, u);
  const vSafe = masked(v);
  const inside = (k: number) => tf.lessEqual(tf.abs(tf.slice(safe, [0, 0, k], [-1, -1, 1])), MOST_LOG_SCALE);
  const column = (x: tf.Tensor) => tf.reshape(x, [images, count, 1]);
  const limited = (k: number, x: tf.Tensor) => tf.where(inside(k), column(x), tf.zeros([images, count, 1]));
  const total = sum(wu);
  const rows = [
    column(tf.mul(ep, total)),
    column(tf.add(tf.mul(q, total), tf.mul(er, sum(tf.mul(w, vSafe))))),
    limited(2, tf.neg(sum(tf.mul(wu, masked(along))))),
    column(tf.neg(sum(tf.mul(wu, masked(down))))),
    limited(4, tf.neg(sum(tf.mul(w, tf.square(vSafe))))),
    tf.matMul(tf.reshape(g, [images, count, height * width]), pixels),
  ];
  const all = tf.concat(rows, 2);
  return tf.where(finite, all, tf.zerosLike(all));
}

/** WavecubeGaussiansGrad of stock ops. */
export function gaussiansGradComposition(job: GaussianJob, components: tf.Tensor, dy: tf.Tensor): tf.Tensor {
  if (components.size === 0) return tf.zeros(components.shape);
  const parts = steps(job).map(([first, count]) =>
    tf.tidy(() => gradOf(job, tf.slice(components, [0, first, 0], [-1, count, -1]), dy)),
  );
  return tf.concat(parts, 1);
}

/** Registers the compositions as the kernels of a backend. */
export function registerGaussiansComposition(backendName: string): void {
  // The engine hands a kernel its input tensors themselves, and takes a tensor back.
  registerGaussians(backendName, {
    value: (_, job, components) => tf.tidy(() => gaussiansComposition(job, components as tf.Tensor)),
    grad: (_, job, components, dy) =>
      tf.tidy(() => gaussiansGradComposition(job, components as tf.Tensor, dy as tf.Tensor)),
  });
}
