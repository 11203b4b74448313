import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  ArgumentError,
  adaptiveResolution,
  type HostWavetable,
  type Quality,
  ready,
  resample,
  ShapeError,
} from '../../src/index.js';
import { resampleMatrix } from '../../src/ops/resample.js';
import { withoutLeaks } from '../support/backends.js';
import { discs, fieldOf, noise, smooth } from '../support/fields.js';
import fc from '../support/properties.js';

type Wraps = { h: boolean; w: boolean };

/** What is lost by [h, w]: down and up again with the matrices of resampling, in float64. */
function lost({ values, shape }: HostWavetable, [h, w]: readonly number[], periodic: Wraps): Float64Array {
  const [H, W, C] = shape;
  const projection = (n: number, k: number, wraps: boolean) => {
    const [down, up] = [resampleMatrix(n, k, wraps), resampleMatrix(k, n, wraps)];
    return (i: number, j: number) => {
      let sum = 0;
      for (let m = 0; m < k; m++) sum += up[i * k + m] * down[m * n + j];
      return sum;
    };
  };
  const along = (x: Float64Array, n: number, inner: number, at: (i: number, j: number) => number) => {
    const matrix = Float64Array.from({ length: n * n }, (_, i) => at(Math.floor(i / n), i % n));
    const out = new Float64Array(x.length);
    for (let l = 0; l < x.length / n; l++) {
      const start = Math.floor(l / inner) * n * inner + (l % inner);
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += matrix[i * n + j] * x[start + j * inner];
        out[start + i * inner] = sum;
      }
    }
    return out;
  };
  const rows = along(Float64Array.from(values), W, C, projection(W, w, periodic.w));
  return along(rows, H, W * C, projection(H, h, periodic.h)).map((v, i) => values[i] - v);
}

/** The bound on what `lost` gave, from the definition of Quality. */
function keeps({ values }: HostWavetable, error: Float64Array, quality: Quality): boolean {
  const norm = (x: ArrayLike<number>) => Math.hypot(...Array.from(x));
  if (typeof quality === 'number') return norm(error) <= (1 - quality) * norm(values);
  if ('maxAbs' in quality) return error.every((e) => Math.abs(e) <= quality.maxAbs);
  throw new Error('not asked here');
}

function smallestByTrying(field: HostWavetable, quality: Quality, periodic: Wraps): number {
  const [H, W] = field.shape;
  let best = H * W;
  for (let h = 1; h <= H; h++) {
    for (let w = 1; w <= W && h * w < best; w++) {
      if (keeps(field, lost(field, [h, w], periodic), quality)) best = h * w;
    }
  }
  return best;
}

const wave = (shape: [number, number, number]) =>
  fieldOf(shape, (y, x, c) => Math.sin(2 * Math.PI * (3 * x + y) + c) + 0.2 * Math.cos(14 * Math.PI * x));
const PERIODIC: Wraps[] = [
  { h: false, w: false },
  { h: false, w: true },
  { h: true, w: true },
];
const FIELDS: [string, HostWavetable][] = [
  ['smooth [12, 15, 2]', smooth([12, 15, 2])],
  ['a wave [9, 16, 1]', wave([9, 16, 1])],
  ['discs [16, 13, 2]', discs([16, 13, 2])],
  ['noise [8, 9, 1]', noise([8, 9, 1], 3)],
  ['a row [1, 17, 1]', smooth([1, 17, 1])],
  ['a column [14, 1, 3]', smooth([14, 1, 3])],
];

describe('adaptiveResolution', function () {
  this.timeout(60_000);
  before(() => ready({ backend: 'cpu' }));

  for (const [name, field] of FIELDS) {
    it(`is the smallest of all sizes for a bound on the squared error, mirrored and periodic: ${name}`, async () => {
      for (const periodic of PERIODIC) {
        for (const quality of [0.8, 0.95, 0.99]) {
          const { resolution, achieved } = await adaptiveResolution(field, quality, { periodic });
          expect(achieved.relativeError).to.be.at.most(1 - quality);
          expect(resolution[0] * resolution[1]).to.equal(smallestByTrying(field, quality, periodic));
        }
      }
    });

    it(`keeps a bound on the largest error with at most 10 % more samples than the smallest size: ${name}`, async () => {
      for (const periodic of PERIODIC) {
        for (const maxAbs of [0.02, 0.2]) {
          const { resolution, achieved } = await adaptiveResolution(field, { maxAbs }, { periodic });
          expect(achieved.maxError).to.be.at.most(maxAbs);
          const best = smallestByTrying(field, { maxAbs }, periodic);
          expect(resolution[0] * resolution[1]).to.be.at.most(1.1 * best);
        }
      }
    });
  }

  it('measures what resampling does: the error of the wavetable down and up again', async () => {
    const field = discs([16, 13, 2]);
    const { resolution, achieved } = await adaptiveResolution(field, { psnr: 20 });
    expect(achieved.psnr).to.be.at.least(20);
    const error = lost(field, resolution, { h: false, w: false });
    expect(achieved.maxError).to.be.closeTo(Math.max(...error.map(Math.abs)), 1e-5);
  });

  it('finds any band: k cosines an axis need k + 1 samples, and a wave of frequency k along a periodic one 2k + 1', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }), async (a, b) => {
        const cosines = fieldOf([15, 16, 1], (y, x) => Math.cos(Math.PI * a * y) * Math.cos(Math.PI * b * x));
        const { resolution } = await adaptiveResolution(cosines, 0.999);
        expect(resolution).to.deep.equal([a + 1, b + 1]);
        const phase = fieldOf(
          [15, 16, 1],
          (y, x) => Math.cos(Math.PI * a * y) * Math.cos(2 * Math.PI * b * x + 0.7),
        );
        const wrapped = await adaptiveResolution(phase, 0.999, { periodic: { w: true } });
        expect(wrapped.resolution).to.deep.equal([a + 1, 2 * b + 1]);
      }),
      { numRuns: 12 },
    );
  });

  it('leaves the resolution where every bit is asked for, and where noise needs it; one value needs one sample', async () => {
    expect((await adaptiveResolution(smooth([6, 7, 1]), 1)).resolution).to.deep.equal([6, 7]);
    expect((await adaptiveResolution(noise([6, 7, 1], 1), 0.9999)).resolution).to.deep.equal([6, 7]);
    expect((await adaptiveResolution(fieldOf([9, 8, 2], (_y, _x, c) => c + 1))).resolution).to.deep.equal([
      1, 1,
    ]);
    expect((await adaptiveResolution(fieldOf([9, 8, 1], () => 0))).resolution).to.deep.equal([1, 1]);
  });

  it('takes a tensor, keeps nothing, and hears an abort', () =>
    withoutLeaks(async () => {
      const field = smooth([20, 20, 1]);
      const tensor = tf.tensor3d(field.values, [20, 20, 1]);
      const { resolution } = await adaptiveResolution(tensor, 0.98);
      expect(resolution).to.deep.equal((await adaptiveResolution(field, 0.98)).resolution);
      const back = tf.tidy(() => {
        const x = tensor.expandDims(0) as tf.Tensor4D;
        return tf.norm(tf.sub(resample(resample(x, ...resolution), 20, 20), x)).div(tf.norm(x));
      });
      expect((await back.data())[0]).to.be.at.most(0.02);
      tf.dispose([tensor, back]);
      const failed = await adaptiveResolution(field, 0.9, { signal: AbortSignal.abort('enough') }).catch(
        (e) => e,
      );
      expect(failed).to.equal('enough');
    }));

  it('refuses { bytes }, NaN, what no wavetable is, and options that it has not', async () => {
    const failure = (promise: Promise<unknown>) =>
      promise.then(
        () => null,
        (error: Error) => error,
      );
    const field = smooth([4, 4, 1]);
    expect(await failure(adaptiveResolution(field, { bytes: 100 }))).to.be.instanceOf(ArgumentError);
    expect(await failure(adaptiveResolution(fieldOf([4, 4, 1], () => Number.NaN)))).to.be.instanceOf(
      ArgumentError,
    );
    expect(await failure(adaptiveResolution(field, 2))).to.be.instanceOf(ArgumentError);
    expect(await failure(adaptiveResolution(field, 0.9, { wrap: true } as object))).to.be.instanceOf(
      ArgumentError,
    );
    const flat = { values: new Float32Array(3), shape: [4, 4, 1] as [number, number, number] };
    expect(await failure(adaptiveResolution(flat))).to.be.instanceOf(ShapeError);
  });
});
