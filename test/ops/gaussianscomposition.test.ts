import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { gaussians, gaussiansGrad } from '../../src/ops/gaussians.js';
import {
  gaussiansComposition,
  gaussiansGradComposition,
  registerGaussiansComposition,
} from '../../src/ops/gaussianscomposition.js';
import { GAUSSIANS, GAUSSIANS_GRAD } from '../../src/ops/gaussianscontract.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { type MixtureShape, mixtureTolerance, randomMixture } from '../support/gaussians.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

const CASES: [string, MixtureShape, number | null][] = [
  ['one channel', { images: 2, count: 5, channels: 1, height: 9, width: 12 }, null],
  ['five channels', { images: 1, count: 40, channels: 5, height: 13, width: 8 }, null],
  ['a NaN', { images: 3, count: 4, channels: 2, height: 6, width: 7 }, Number.NaN],
  ['an infinity', { images: 2, count: 3, channels: 3, height: 5, width: 4 }, Number.POSITIVE_INFINITY],
  ['a centre at 1e30', { images: 2, count: 3, channels: 1, height: 5, width: 4 }, 1e30],
  ['components in several steps', { images: 1, count: 6, channels: 2, height: 1100, width: 1100 }, null],
  ['no images', { images: 0, count: 3, channels: 2, height: 4, width: 4 }, null],
  ['no components', { images: 2, count: 0, channels: 2, height: 4, width: 4 }, null],
];

/** The stock-op composition must equal the kernels: they are one contract. */
eachBackend('the stock-op composition of gaussians equals the kernels', () => {
  for (const [name, s, odd] of CASES) {
    it(name, () =>
      withoutLeaks(async () => {
        const values = randomMixture(s, random(s.height));
        const tolerance = 4 * mixtureTolerance(values, s, false);
        // A silent component with a number that is not finite, and one that is not silent.
        if (odd !== null) {
          values.set([odd, 0, 1, 0, 1, ...new Array(s.channels).fill(0)]);
          values[(s.count + 1) * (5 + s.channels)] = odd;
        }
        const components = tf.tensor3d(values, [s.images, s.count, 5 + s.channels]);
        const size = s.images * s.height * s.width * s.channels;
        const dy = tf.tensor4d(randomArray(size, random(3)), [s.images, s.height, s.width, s.channels]);
        const pairs: [tf.Tensor, tf.Tensor, number][] = [
          [
            tf.tidy(() => gaussiansComposition(s, components)),
            gaussians(components, s.height, s.width),
            tolerance,
          ],
          [
            tf.tidy(() => gaussiansGradComposition(s, components, dy)),
            gaussiansGrad(components, dy),
            Number.NaN,
          ],
        ];
        for (const [stock, own, most] of pairs) {
          expect(stock.shape).to.deep.equal(own.shape);
          const want = await own.data();
          expectClose(await stock.data(), want, Number.isNaN(most) ? 2e-5 * magnitude(want) : most);
        }
        tf.dispose([components, dy, ...pairs.flat()]);
      }),
    );
  }
}, ['cpu']);

describe('a backend without Gaussian kernels of its own', () => {
  it('gets both as compositions', async () => {
    const backendName = 'foreignGaussians';
    registerGaussiansComposition(backendName);
    for (const name of [GAUSSIANS, GAUSSIANS_GRAD]) {
      expect(tf.getKernel(name, backendName)).to.be.an('object');
      tf.unregisterKernel(name, backendName);
    }
  });
});
