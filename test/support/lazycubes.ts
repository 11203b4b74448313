/** What tests of opened cubes and hierarchies have in common. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { random } from './numbers.js';

/** [N, 3] within a grid and `outside` beyond it; some on nodes, whose neighbours then weigh nothing. */
export function mixedCoords(dims: readonly number[], n: number, seed: number, outside = 0.7): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: 3 * n }, (_, i) => {
    const u = next() * (dims[i % 3] - 1 + 2 * outside) - outside;
    return next() < 0.3 ? Math.round(u) : u;
  });
}

/** Nodes lie in other rows of an opened cube, which are added up in another order: a few roundings of values of about 1. */
const OTHER_ORDER = 2e-5;

/** Expects two results to be equal, and disposes them. */
export async function same(a: tf.Tensor, b: tf.Tensor): Promise<void> {
  try {
    expect(a.shape).to.deep.equal(b.shape);
    const [x, y] = [await a.data(), await b.data()];
    for (let i = 0; i < x.length; i++) {
      if (Number.isNaN(y[i])) expect(x[i], `value ${i}`).to.be.NaN;
      else expect(Math.abs(x[i] - y[i]), `value ${i}`).to.be.at.most(OTHER_ORDER);
    }
  } finally {
    tf.dispose([a, b]);
  }
}

/** What a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    const made = await promise;
    tf.dispose(made as tf.Tensor);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not fail');
}
