import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { monotoneComposition } from '../../src/ops/monotonecomposition.js';
import {
  MONOTONE,
  MONOTONE_PLACE_GRAD,
  MONOTONE_SPLAT,
  type MonotoneCall,
} from '../../src/ops/monotonecontract.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { makeProblem, problems, spaceOf, stretch } from '../support/monotonecases.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

/** The stock-op composition must equal the kernels everywhere: they are one contract. */
eachBackend(
  'the stock-op composition of monotone sampling equals the kernels',
  (backend) => {
    for (const [name, options] of problems()) {
      if (options.payload > 5) continue;
      // Stencils are given: of boundaries only what is open, or absent, comes this far.
      if (/^(wrap|reflect|error), axes of one node/.test(name)) continue;
      it(name, () =>
        withoutLeaks(async () => {
          const p = makeProblem({ ...options, samples: Math.min(options.samples, 6) });
          if (options.samples % 2) stretch(p, random(1));
          if (p.n > 3) p.place[17] = Number.NaN;
          const { attrs, nodes, grid } = p.c;
          const { taps, place } = spaceOf(p);
          const values = tf.tensor2d(randomArray(p.n * attrs.payload, random(2)), [p.n, attrs.payload]);
          const inputs = { nodes, grid, taps, place, values } as unknown as MonotoneCall['inputs'];
          const kernels = [
            ['value', MONOTONE],
            ['splat', MONOTONE_SPLAT],
            ['placeGrad', MONOTONE_PLACE_GRAD],
          ] as const;
          for (const [part, kernel] of kernels) {
            const call: MonotoneCall = { kernel, inputs, attrs, backend };
            const stock = tf.tidy(() => monotoneComposition[part](call));
            const own = tf
              .engine()
              .runKernel(kernel, inputs as unknown as tf.NamedTensorMap, attrs) as tf.Tensor;
            expect(stock.shape).to.deep.equal(own.shape);
            const want = await own.data();
            const finite = want.filter((v) => Number.isFinite(v));
            expectClose(await stock.data(), want, 2e-5 * Math.max(1, magnitude(finite)), part);
            tf.dispose([stock, own]);
          }
          tf.dispose([taps, place, values]);
          p.c.dispose();
        }),
      );
    }
  },
  ['cpu'],
);
