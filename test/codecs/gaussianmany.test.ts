import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import type { HostWavetable } from '../../src/codecs/codec.js';
import { CompressedWavetable } from '../../src/codecs/compressed.js';
import { GaussianMixtureCodec } from '../../src/codecs/gaussian.js';
import { keptOf, solveAmplitudes, type Trained, train, untrained } from '../../src/codecs/mixture/adam.js';
import { Canvas } from '../../src/codecs/mixture/canvas.js';
import { densified, thinned } from '../../src/codecs/mixture/densify.js';
import { ellipse } from '../../src/codecs/mixture/matched.js';
import { countOf, type Mixture } from '../../src/codecs/mixture/mixture.js';
import { ArgumentError, QualityNotReachedError } from '../../src/errors.js';
import { ready } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { random } from '../support/numbers.js';

/** Discs whose edges take `soft` pixels: an image, no mixture. */
function picture(size: number, channels = 1, soft = 1): HostWavetable {
  const next = random(5);
  const values = new Float32Array(size * size * channels);
  for (let d = 0; d < 9; d++) {
    const [x, y, r] = [size * next(), size * next(), size * (0.08 + 0.15 * next())];
    const heights = Array.from({ length: channels }, () => 2 * next() - 1);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const inside = Math.min(1, Math.max(0, (r - Math.hypot(j - x, i - y)) / soft));
        for (let c = 0; c < channels; c++) values[(i * size + j) * channels + c] += inside * heights[c];
      }
    }
  }
  return { values, shape: [size, size, channels] };
}

const planesOf = ({ values, shape: [height, width, channels] }: HostWavetable) => ({
  height,
  width,
  planes: Array.from({ length: channels }, (_, c) =>
    Float64Array.from({ length: height * width }, (_, i) => values[i * channels + c]),
  ),
});

const rejection = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error) => error,
  );

const adam = (maxGaussians: number) => new GaussianMixtureCodec({ maxGaussians, optimizer: 'adam' });
const SIZES = { centre: 0.05, shape: 0.04, amplitude: 0.04 };
const free = async () => {};

eachBackend(
  'many Gaussians by Adam',
  (backend) => {
    it('lose error at each stage: seeds with solved amplitudes, steps', () =>
      withoutLeaks(async () => {
        const image = picture(24, 2);
        const canvas = Canvas.of(planesOf(image));
        const empty = untrained({
          channels: 2,
          shapes: new Float64Array(0),
          amplitudes: new Float64Array(0),
        });
        const trained = await densified(canvas, empty, 12);
        await solveAmplitudes(canvas, trained.mixture, 4, free);
        const energies = await train(canvas, trained, { steps: 8, sizes: SIZES, each: free });
        expect(energies[0] / image.values.reduce((sum, v) => sum + v * v, 0)).to.be.below(0.5);
        expect(energies[7] / energies[0]).to.be.below(0.95);
        canvas.dispose();
      }));

    if (backend !== 'wasm') return;

    it('hold an image that is no mixture within its bound, decoded from bytes', () =>
      withoutLeaks(async () => {
        const image = picture(48);
        const codec = adam(80);
        const made = await codec.encode(image, { psnr: 24 });
        const read = await CompressedWavetable.fromBytes(made.bytes);
        const decoded = codec.decode(read);
        const values = await decoded.data<'float32'>();
        const squares = image.values.reduce((sum, v, i) => sum + (v - values[i]) ** 2, 0);
        const range = Math.max(...image.values) - Math.min(...image.values);
        expect(20 * Math.log10(range / Math.sqrt(squares / values.length))).to.be.at.least(24);
        expect(made.parameters.params.general.shape[0]).to.be.within(5, 80);
        tf.dispose(decoded);
        made.dispose();
        read.dispose();
      }));

    it('are rejected with the best that was reached, no tensor left, where there are too few of them', () =>
      withoutLeaks(async () => {
        const error = (await rejection(adam(12).encode(picture(40), { psnr: 40 }))) as QualityNotReachedError;
        expect(error).to.be.instanceOf(QualityNotReachedError);
        expect(error.best?.psnr).to.be.within(12, 39.9);
        expect(error.best?.sizeBytes).to.be.within(60, 400);
      }));

    it('are the same bytes each time', async () => {
      const image = picture(32, 2);
      const [a, b] = [await adam(40).encode(image, { psnr: 22 }), await adam(40).encode(image, { psnr: 22 })];
      expect(a.bytes).to.deep.equal(b.bytes);
      a.dispose();
      b.dispose();
    });

    it('keep within some bytes, nearer to the image the more there are', async () => {
      let before = 1;
      for (const bytes of [120, 400]) {
        const made = await adam(60).encode(picture(32), { bytes });
        expect(made.sizeBytes).to.be.at.most(bytes);
        expect(made.achieved.relativeError).to.be.below(0.8 * before);
        before = made.achieved.relativeError;
        made.dispose();
      }
    });

    it('follow the host’s fit in auto where that gives up, if more are allowed than it takes', async () => {
      const image = picture(48);
      const encoded = (maxGaussians: number) =>
        new GaussianMixtureCodec({ maxGaussians, effort: 0.02 }).encode(image, { psnr: 30 });
      const error = (await rejection(encoded(384))) as QualityNotReachedError;
      expect(error).to.be.instanceOf(QualityNotReachedError);
      expect(error.best?.psnr).to.be.within(15, 29.9);
      const made = await encoded(400);
      expect(made.achieved.psnr).to.be.at.least(30);
      made.dispose();
    });

    it('keep the bound or reject: one pixel, one row, what a coarse canvas sees nothing of', () =>
      withoutLeaks(async () => {
        const checks = Float32Array.from({ length: 64 * 64 }, (_, i) => ((i % 64) + (i >> 6)) % 2);
        for (const [values, shape] of [
          [Float32Array.of(3), [1, 1, 1]],
          [Float32Array.of(1, 2, 3, 4, 5, 6, 7), [1, 7, 1]],
          [checks.map((v) => 2 * v - 1), [64, 64, 1]],
        ] as [Float32Array, [number, number, number]][]) {
          const codec = new GaussianMixtureCodec({ maxGaussians: 24, optimizer: 'adam', effort: 0.01 });
          try {
            const made = await codec.encode({ values, shape }, 0.9);
            expect(made.achieved.relativeError).to.be.at.most(0.1);
            made.dispose();
          } catch (error) {
            expect(error).to.be.instanceOf(QualityNotReachedError);
          }
        }
      }));

    it('end with the reason of a signal, no tensor left', () =>
      withoutLeaks(async () => {
        const controller = new AbortController();
        const work = rejection(adam(200).encode(picture(48), { psnr: 36 }, { signal: controller.signal }));
        setTimeout(() => controller.abort(new Error('enough')), 1);
        expect(((await work) as Error).message).to.equal('enough');
      }));
  },
  ['cpu', 'wasm', 'webgpu'],
);

describe('Adam on Gaussians', () => {
  before(() => ready({ backend: 'wasm' }));

  const one = (cx: number, amplitude: number, along = 0.1, angle = 0.4): Mixture => ({
    channels: 1,
    shapes: ellipse(cx, 0.45, along, 0.06, angle),
    amplitudes: Float64Array.of(amplitude),
  });
  const rendered = async (mixture: Mixture): Promise<HostWavetable> => {
    const empty = Canvas.of(planesOf({ values: new Float32Array(40 * 40), shape: [40, 40, 1] }));
    const [plane] = await empty.residual(mixture);
    empty.dispose();
    return { values: Float32Array.from(plane, (v) => -v), shape: [40, 40, 1] };
  };
  const both = (a: Mixture, b: Mixture): Mixture => ({
    channels: 1,
    shapes: Float64Array.of(...a.shapes, ...b.shapes),
    amplitudes: Float64Array.of(...a.amplitudes, ...b.amplitudes),
  });

  it('finds a Gaussian from half a standard deviation away, whatever its direction', async () => {
    for (const angle of [0, 0.7, 1.6, 2.4]) {
      const field = await rendered(one(0.5, 2, 0.1, angle));
      const canvas = Canvas.of(planesOf(field));
      const trained = untrained(one(0.55, 1.5, 0.08, angle + 0.2));
      const energies = await train(canvas, trained, { steps: 120, sizes: SIZES, each: free });
      expect(energies[119] / energies[0]).to.be.below(1e-4);
      expect(trained.mixture.shapes[0]).to.be.closeTo(0.5, 2e-3);
      canvas.dispose();
    }
  });

  it('keeps the moments of components that stay: order, split halves, new ones from zero', async () => {
    const canvas = Canvas.of(planesOf(picture(40)));
    const trained: Trained = untrained(both(one(0.3, 1), one(0.7, -1)));
    await train(canvas, trained, { steps: 3, sizes: SIZES, each: free });
    const swapped = keptOf(trained, [1, 0]);
    expect([...swapped.first.subarray(0, 6)]).to.deep.equal([...trained.first.subarray(6, 12)]);
    expect([...swapped.second.subarray(6, 12)]).to.deep.equal([...trained.second.subarray(0, 6)]);
    const more = await densified(canvas, trained, 8);
    expect(countOf(more.mixture)).to.be.within(4, 10);
    expect([...more.ages.subarray(0, 4)]).to.deep.equal([3, 3, 3, 3]);
    expect([...more.ages.subarray(4)].every((age) => age === 0)).to.equal(true);
    expect([...more.first.subarray(0, 12)]).to.deep.equal([...trained.first]);
    canvas.dispose();
  });

  it('merges the same Gaussian twice without a change of the field, and drops a faint one', async () => {
    const twice = both(both(one(0.4, 1), one(0.8, 1e-6)), one(0.4, 0.5));
    const canvas = Canvas.of(planesOf(await rendered(twice)));
    const { mixture } = thinned(canvas, untrained(structuredClone(twice)), 0.1);
    expect(countOf(mixture)).to.equal(1);
    expect(mixture.amplitudes[0]).to.equal(1.5);
    canvas.dispose();
  });

  it('is chosen by name only', () => {
    for (const options of [{ optimizer: 'sgd' }, { maxGaussians: 16_385 }, { optimizer: null }]) {
      expect(() => new GaussianMixtureCodec(options as never)).to.throw(ArgumentError);
    }
  });
});
