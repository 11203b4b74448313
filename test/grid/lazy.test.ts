/** Opened cubes: the same cube as the loaded one, of nodes that are read when they are needed, and not before or twice. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  BOUNDARIES,
  DisposedError,
  FormatError,
  METHODS,
  NotResidentError,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { giveTangents, makeCube } from '../support/cubes.js';
import { lazyFile } from '../support/lazyfiles.js';
import { random } from '../support/numbers.js';

function coordsOf(dims: readonly number[], n: number, seed: number, outside = 0.7): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: 3 * n }, (_, i) => {
    const u = next() * (dims[i % 3] - 1 + 2 * outside) - outside;
    // Some on nodes: of weight zero there is nothing to read.
    return next() < 0.3 ? Math.round(u) : u;
  });
}

async function close(a: tf.Tensor, b: tf.Tensor): Promise<void> {
  const [x, y] = [await a.data(), await b.data()];
  expect(a.shape).to.deep.equal(b.shape);
  let worst = 0;
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i]) && Number.isNaN(y[i])) continue;
    worst = Math.max(worst, Math.abs(x[i] - y[i]));
  }
  // Rows in other pages are added up in another order.
  expect(worst).to.be.below(2e-5);
  tf.dispose([a, b]);
}

eachBackend('opened cubes', () => {
  it('sample as the loaded cube does, by every method, boundary and policy of missing nodes', async () => {
    await withoutLeaks(async () => {
      for (const boundary of BOUNDARIES) {
        for (const missing of ['zero', 'renormalize'] as const) {
          const test = makeCube({ boundary, missing, missingPart: 0.3, dims: [4, 3, 3] });
          giveTangents(test);
          const { cube } = test;
          const file = await lazyFile(cube);
          const inside = boundary === 'error' ? 0 : 0.7;
          const coords = coordsOf([4, 3, 3], 5, 11, inside);
          for (const method of METHODS) {
            if (missing === 'renormalize' && (method === 'bspline' || method === 'monotone')) continue;
            const opened = await WavetableMatrix.open(file.bytes, { maxResidentBytes: 200 });
            await close(
              await opened.sampleBatchAsync(coords, { method }),
              cube.sampleBatch(coords, { method }),
            );
            opened.dispose();
          }
          cube.dispose();
          expect(file.open).to.equal(0);
        }
      }
    });
  });
});
