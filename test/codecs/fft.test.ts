import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import type { Form } from '../../src/codecs/codec.js';
import { CompressedWavetable } from '../../src/codecs/compressed.js';
import { FFTCodec, wavesOf } from '../../src/codecs/fft.js';
import { OWN_CODECS } from '../../src/codecs/own.js';
import type { NodeShape } from '../../src/codecs/parameters.js';
import { measure, meets, type Quality, targetOf } from '../../src/codecs/quality.js';
import { wavesForward, wavesInverse } from '../../src/codecs/transform/ffthost.js';
import { ArgumentError, FormatError, QualityNotReachedError } from '../../src/errors.js';
import { ready } from '../../src/index.js';
import { frequencies } from '../../src/ops/boxterms.js';
import { resample } from '../../src/ops/resample.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

const codec = OWN_CODECS.find(({ id }) => id === 'fft') as FFTCodec;
const form = codec.forms.coefficients as Extract<Form, { kind: 'linear' }>;
const blending = new FFTCodec({ residual: false });
const PERIODIC = { h: true, w: true };

/** Plane waves at half-pixel centres: [frequency along H, along W, amplitude, phase]. */
function planeWaves(
  shape: NodeShape,
  list: readonly (readonly [number, number, number, number])[],
): Float32Array {
  const [height, width, channels] = shape;
  const out = new Float32Array(height * width * channels);
  for (let i = 0, at = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      for (let c = 0; c < channels; c++, at++) {
        for (const [f, g, amplitude, phase] of list) {
          const angle = 2 * Math.PI * ((f * (i + 0.5)) / height + (g * (j + 0.5)) / width) + phase;
          out[at] += (amplitude * Math.cos(angle)) / (1 + c);
        }
      }
    }
  }
  return out;
}

const smooth = (shape: NodeShape, seed = 1): Float32Array => {
  const next = random(seed);
  const waves = Array.from(
    { length: 9 },
    () => [Math.round(6 * next() - 3), Math.round(3 * next()), next(), 6 * next()] as const,
  );
  const noise = randomArray(shape[0] * shape[1] * shape[2], next, -0.02, 0.02);
  return planeWaves(shape, waves).map((v, i) => v + noise[i]);
};

const SHAPES: NodeShape[] = [
  [1, 1, 1],
  [1, 2, 2],
  [2, 1, 1],
  [2, 2, 3],
  [5, 7, 1],
  [6, 9, 2],
  [8, 8, 3],
  [9, 4, 5],
  [16, 12, 4],
  [37, 20, 1],
];

describe('the basis of waves', () => {
  it('is orthonormal: there and back is the identity, and energies are equal', () => {
    for (const shape of SHAPES) {
      const x = randomArray(shape[0] * shape[1] * shape[2], random(1));
      const y = wavesForward(x, shape);
      const energy = (a: ArrayLike<number>) => Array.from(a).reduce((sum, v) => sum + v * v, 0);
      expect(energy(y)).to.be.closeTo(energy(x), 1e-9 * x.length);
      const box: NodeShape = [shape[0], frequencies(shape[1], true), 2 * shape[2]];
      expectClose(wavesInverse(Float32Array.from(y), box, shape), x, 1e-6, `${shape}`);
      // As many coefficients that count as there are values.
      const count = wavesForward(randomArray(x.length, random(2)), shape).filter((v) => v !== 0).length;
      expect(count).to.equal(x.length);
    }
  });
});

const encoded = (values: Float32Array, shape: NodeShape, quality: Quality, by = codec) =>
  by.encode({ values, shape }, quality);

async function decoded(
  c: CompressedWavetable,
  resolution?: readonly [number, number],
): Promise<Float32Array> {
  const t = codec.decode(c, { resolution });
  const values = (await t.data()).slice() as Float32Array;
  t.dispose();
  return values;
}

/** What `box` decodes to at a resolution: a batch of boxes [N, kh, kw, 2C] of wavetables of `shape`. */
const decodeBoxes = (box: tf.Tensor4D, shape: NodeShape, resolution: readonly [number, number]) =>
  form.decode(box, { shape, resolution, periodic: { h: false, w: false } });

describe('the bytes of the FFT codec', function () {
  this.timeout(20_000);
  before(() => ready({ backend: 'cpu' }));

  it('cost little for a few waves far apart', async () => {
    const shape: NodeShape = [128, 100, 2];
    const waves = [
      [50, 3, 1, 0.3],
      [-45, 40, 0.7, 2],
      [0, 47, 0.5, 1],
      [17, 0, 0.3, 4],
    ] as const;
    const c = await encoded(planeWaves(shape, waves), shape, { maxAbs: 1e-3 });
    expect(c.sizeBytes).to.be.below(160);
    c.dispose();
  });

  it('cut anywhere, or with bits flipped, give a FormatError or finite coefficients', async () => {
    const shape: NodeShape = [12, 10, 2];
    const values = smooth(shape);
    values[37] += 3;
    for (const quality of [{ maxAbs: 0.05 }, 0.98]) {
      const c = await encoded(values, shape, quality);
      const { bytes } = c;
      c.dispose();
      const next = random(5);
      const damaged: Uint8Array[] = Array.from(bytes.keys(), (n) => bytes.slice(0, n));
      for (let i = 0; i < 200; i++) {
        const copy = bytes.slice();
        copy[Math.floor(next() * copy.length)] ^= 1 << Math.floor(8 * next());
        damaged.push(copy);
      }
      for (const each of damaged) {
        let read: CompressedWavetable;
        try {
          read = CompressedWavetable.read(each, { verify: false });
        } catch (error) {
          expect(error).to.be.instanceOf(FormatError);
          continue;
        }
        expect(read.parameters.params.coefficients.values.every(Number.isFinite)).to.equal(true);
        read.dispose();
      }
    }
  });
});

eachBackend('the FFT codec', (backend) => {
  it('keeps every bound on its own bytes, at odd sizes, one pixel, one to five channels', () =>
    withoutLeaks(async () => {
      const bounds: Quality[] = [0.9, 0.999, { maxAbs: 0.01 }, { maxRel: 0.02 }, { psnr: 45 }];
      for (const [k, shape] of SHAPES.entries()) {
        const values = smooth(shape, k + 1);
        for (const quality of bounds) {
          // A channel of one value has no range, and a bound of 0 is no float32's.
          if (shape[0] * shape[1] === 1 && typeof quality === 'object') continue;
          const by = k % 2 ? codec : blending;
          const c = await encoded(values, shape, quality, by);
          const read = await CompressedWavetable.fromBytes(c.bytes);
          const measured = measure(values, await decoded(read), shape);
          const target = targetOf('', quality, values, shape);
          expect(meets(target, measured, 0), `${shape} at ${JSON.stringify(quality)}`).to.equal(true);
          c.dispose();
          read.dispose();
        }
      }
    }));

  it('takes constants, the smallest and largest numbers, channels of mixed magnitude; zeros stay exact', () =>
    withoutLeaks(async () => {
      const shape: NodeShape = [7, 6, 3];
      const wave = smooth(shape);
      const cases: [Float32Array, Quality][] = [
        [new Float32Array(126), 0.9],
        [new Float32Array(126), { maxAbs: 1e-3 }],
        [new Float32Array(126).fill(3.25), 0.9999],
        [new Float32Array(126).fill(-7), { maxAbs: 1e-4 }],
        [wave.map((v) => v * 1e-30), 0.99],
        [wave.map((v) => v * 1e-30), { maxRel: 1e-2 }],
        [wave.map((v) => v * 1e30), 0.99],
        [wave.map((v) => v * 1e30), { maxAbs: 1e28 }],
        [wave.map((v, i) => v * [1e-6, 1, 1e6][i % 3]), { maxRel: 1e-2 }],
      ];
      for (const [values, quality] of cases) {
        const c = await encoded(values, shape, quality);
        const back = await decoded(c);
        const measured = measure(values, back, shape);
        expect(meets(targetOf('', quality, values, shape), measured, 0), JSON.stringify(quality)).to.equal(
          true,
        );
        if (values[0] === 0) expect(back.every((v) => v === 0)).to.equal(true);
        c.dispose();
      }
    }));

  it('decodes at any resolution to what resample makes of the wavetable, both axes periodic', () =>
    withoutLeaks(async () => {
      for (const shape of [
        [8, 6, 2],
        [7, 9, 1],
        [1, 12, 4],
        [10, 1, 3],
      ] as NodeShape[]) {
        const values = randomArray(shape[0] * shape[1] * shape[2], random(3));
        const c = await encoded(values, shape, 0.9999, blending);
        const whole = codec.decode(c);
        for (const resolution of [
          [8, 6],
          [16, 12],
          [5, 4],
          [4, 3],
          [2, 2],
          [1, 1],
          [9, 31],
          [13, 7],
        ] as const) {
          const [height, width] = resolution;
          const want = tf.tidy(() => resample(whole.expandDims(0), height, width, PERIODIC).flatten());
          expectClose(await decoded(c, resolution), await want.data(), 1e-5, `${shape} at ${resolution}`);
          want.dispose();
        }
        whole.dispose();
        c.dispose();
      }
    }));

  it('finds the amplitude and the phase of waves, at their frequencies', () =>
    withoutLeaks(async () => {
      const shape: NodeShape = [20, 15, 2];
      const waves = [
        [3, 2, 1, 0.5],
        [-4, 5, 0.25, -2],
        [2, 0, 0.5, 3],
        [0, 1, 2, -1],
      ] as const;
      const c = await encoded(planeWaves(shape, waves), shape, { maxAbs: 1e-4 });
      const { magnitude: size, phase } = wavesOf(c);
      const [kh, kw] = size.shape;
      const [m, p] = [await size.data(), await phase.data()];
      for (const [f, g, amplitude, angle] of waves) {
        const row = f > 0 ? 2 * f - 1 : -2 * f;
        for (const channel of [0, 1]) {
          const at = (row * kw + g) * 2 + channel;
          expect(m[at]).to.be.closeTo(amplitude / (1 + channel), 2e-4);
          expect(p[at]).to.be.closeTo(angle, 2e-3);
        }
      }
      expect(kh).to.be.at.most(9);
      expect(m.filter((v) => v > 1e-3).length).to.equal(8);
      tf.dispose([size, phase]);
      c.dispose();
    }));

  it('gives gradients of magnitude and phase that are finite where there is no wave, and right elsewhere', () =>
    withoutLeaks(async () => {
      const shape: NodeShape = [4, 4, 1];
      const c = await encoded(planeWaves(shape, [[1, 1, 3e-25, 0.7]]), shape, 0.999);
      const f = (a: tf.Tensor) => tf.sum(tf.mul(wavesOf(c.with({ coefficients: a })).magnitude, 2));
      const gradient = tf.grad(f)(c.params.coefficients);
      const g = await gradient.data();
      const a = await c.params.coefficients.data();
      const { magnitude: size, phase } = wavesOf(c);
      const m = await size.data();
      for (let i = 0; i < m.length; i++) {
        const [re, im] = [a[2 * i], a[2 * i + 1]];
        expectClose([g[2 * i], g[2 * i + 1]], m[i] === 0 ? [0, 0] : [(2 * re) / m[i], (2 * im) / m[i]], 1e-5);
      }
      expect(magnitude(m)).to.be.closeTo(3e-25, 3e-28);
      tf.dispose([gradient, size, phase]);
      c.dispose();
    }));

  it('is linear: boxes nest by zeros at their far ends, and a blend of boxes decodes to the blend', () =>
    withoutLeaks(async () => {
      const shape: NodeShape = [10, 8, 2];
      const resolution = [14, 9] as const;
      const a = tf.tensor4d(randomArray(24, random(1)), [1, 3, 2, 4]);
      const b = tf.tensor4d(randomArray(10 * 5 * 4, random(2)), [1, 10, 5, 4]);
      const padded = tf.pad(a, [
        [0, 0],
        [0, 7],
        [0, 3],
        [0, 0],
      ]);
      const blend = tf.tidy(() => tf.add(tf.mul(padded, 0.25), tf.mul(b, 0.75)) as tf.Tensor4D);
      const both = tf.concat([padded, b], 0);
      const [small, wide, blended] = [a, both, blend].map((box) => decodeBoxes(box, shape, resolution));
      const [x, y] = [await small.data(), await wide.data()];
      expectClose(y.slice(0, x.length), x, 1e-5, 'nested');
      const want = x.map((v, i) => 0.25 * v + 0.75 * y[x.length + i]);
      expectClose(await blended.data(), want, 1e-5, 'blended');
      tf.dispose([a, b, padded, blend, both, small, wide, blended]);
    }));

  it('has parameter gradients equal to finite differences, at its own and at other resolutions', () =>
    withoutLeaks(async () => {
      for (const [shape, resolution] of [
        [
          [6, 4, 1],
          [6, 4],
        ],
        [
          [5, 6, 2],
          [8, 9],
        ],
        [
          [4, 7, 3],
          [3, 4],
        ],
      ] as [NodeShape, [number, number]][]) {
        const c = await encoded(smooth(shape), shape, 0.99, blending);
        const coefficients = c.params.coefficients;
        const loss = (a: tf.Tensor) =>
          tf.sum(tf.pow(codec.decode(c.with({ coefficients: a }), { resolution }), 3));
        const gradient = tf.grad(loss)(coefficients);
        // Decoding is linear: each parameter's response, and differences of the cubic in float64.
        const n = coefficients.size;
        const units = tf.tidy(() => tf.eye(n).reshape([n, ...coefficients.shape]) as tf.Tensor4D);
        const responses = decodeBoxes(units, shape, resolution);
        const r = await responses.data();
        const x = await decoded(c, resolution);
        const at = (i: number, h: number) =>
          x.reduce((sum, v, k) => sum + (v + h * r[i * x.length + k]) ** 3, 0);
        const g = await gradient.data();
        const want = Array.from(g, (_, i) => (at(i, 1e-4) - at(i, -1e-4)) / 2e-4);
        expectClose(g, want, 1e-4 * Math.max(1, magnitude(want)), `${shape} at ${resolution}`);
        tf.dispose([gradient, units, responses]);
        c.dispose();
      }
    }));

  it('refuses what is not finite, and lossless', async () => {
    const shape: NodeShape = [4, 4, 1];
    const values = smooth(shape);
    const failure = async (v: Float32Array, quality: Quality) => {
      try {
        await encoded(v, shape, quality);
      } catch (error) {
        return error;
      }
      return null;
    };
    expect(await failure(values, { lossless: true })).to.be.instanceOf(QualityNotReachedError);
    values[3] = Number.NaN;
    expect(await failure(values, 0.9), backend).to.be.instanceOf(ArgumentError);
  });
});
