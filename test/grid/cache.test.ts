import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { DecodedCache } from '../../src/grid/cache.js';
import { ready } from '../../src/index.js';
import { withoutLeaks } from '../support/backends.js';
import { random } from '../support/numbers.js';

describe('the cache of decoded rows', () => {
  before(() => ready({ backend: 'cpu' }));

  it('allocates no more than its limit, or the eight nodes of a call, whatever their shapes', async () => {
    for (const limit of [0, 5000, 20_000]) {
      await withoutLeaks(() => {
        const next = random(1);
        const cache = new DecodedCache([6, 6, 6], limit);
        const held = new Map<number, number>();
        for (let i = 0; i < 60; i++) {
          const size = [8, 10, 14][Math.floor(i / 6) % 3];
          const touched = new Set(
            Array.from({ length: 1 + Math.floor(8 * next()) }, () => Math.floor(216 * next())),
          );
          for (const cell of touched) {
            if (cache.has(cell)) cache.drop(cell);
            tf.tidy(() => cache.put(cell, tf.fill([size, size, 1], i), touched));
            held.set(cell, i);
          }
          expect([...touched].every((cell) => cache.has(cell))).to.equal(true);
          expect(cache.residentBytes).to.be.at.most(Math.max(limit, 2 * 8 * 4 * size * size));
          if (i % 10 < 9) continue;
          for (const bank of cache.banks) {
            for (const cell of bank.cells()) {
              const row = bank.read(cell);
              expect(row.dataSync()[0]).to.equal(held.get(cell));
              row.dispose();
            }
          }
        }
        cache.clear();
      });
    }
  });
});
