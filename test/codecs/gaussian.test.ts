import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import type { DecodeContext, HostWavetable } from '../../src/codecs/codec.js';
import { CompressedWavetable } from '../../src/codecs/compressed.js';
import { readContainer } from '../../src/codecs/container.js';
import { GaussianMixtureCodec, type GaussianMixtureParams } from '../../src/codecs/gaussian.js';
import type { Quality } from '../../src/codecs/quality.js';
import { ArgumentError, FormatError, QualityNotReachedError } from '../../src/errors.js';
import { ready } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, GRADIENT_TOLERANCE, magnitude, random } from '../support/numbers.js';
import fc from '../support/properties.js';

const codec = new GaussianMixtureCodec();

interface Gaussian {
  cx: number;
  cy: number;
  /** Standard deviations along and across an angle. */
  along: number;
  across: number;
  angle: number;
  amplitudes: number[];
}

function gaussiansOf(count: number, channels: number, seed: number, compact = false): Gaussian[] {
  const next = random(seed);
  const within = (low: number, high: number) => low + (high - low) * next();
  return Array.from({ length: count }, () => {
    const phase = within(0, 2 * Math.PI);
    const size = within(0.5, 2);
    return {
      cx: within(0.15, 0.85),
      cy: within(0.15, 0.85),
      along: within(0.05, 0.12),
      across: within(0.04, 0.08),
      angle: within(0, Math.PI),
      amplitudes: Array.from({ length: channels }, (_, c) =>
        compact ? size * Math.cos(phase - (c * Math.PI) / 2) : within(-2, 2),
      ),
    };
  });
}

/** The field of some Gaussians, straight from its definition, in float64. */
function fieldOf(list: Gaussian[], height: number, width: number, channels: number): HostWavetable {
  const values = new Float64Array(height * width * channels);
  for (const { cx, cy, along, across, angle, amplitudes } of list) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const dx = (j + 0.5) / width - cx;
        const dy = (i + 0.5) / height - cy;
        const u = (dx * Math.cos(angle) + dy * Math.sin(angle)) / along;
        const v = (dy * Math.cos(angle) - dx * Math.sin(angle)) / across;
        const g = Math.exp(-0.5 * (u * u + v * v));
        for (let c = 0; c < channels; c++) values[(i * width + j) * channels + c] += g * amplitudes[c];
      }
    }
  }
  return { values: Float32Array.from(values), shape: [height, width, channels] };
}

const rangeOf = (values: ArrayLike<number>) => {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
  return high - low;
};

const rms = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum / a.length);
};

async function decoded(
  compressed: CompressedWavetable,
  resolution?: [number, number],
): Promise<Float32Array> {
  const tensor = codec.decode(compressed, { resolution });
  const values = await tensor.data<'float32'>();
  tensor.dispose();
  return values as Float32Array;
}

async function rejection(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was fulfilled');
}

/** Smooth, with edges and a power-law spectrum: no mixture. */
function steps(size: number): HostWavetable {
  const next = random(9);
  const values = new Float32Array(size * size);
  for (let d = 0; d < 60; d++) {
    const [x, y, r, a] = [size * next(), size * next(), (size / 4) * next(), 2 * next() - 1];
    for (let i = 0; i < values.length; i++) {
      if (Math.hypot((i % size) - x, Math.floor(i / size) - y) < r) values[i] += a;
    }
  }
  return { values, shape: [size, size, 1] };
}

describe('Gaussian mixtures, fitted', function () {
  this.timeout(60_000);
  before(() => ready({ backend: 'cpu' }));

  it('finds the Gaussians that a field was made of: centres, widths, amplitudes', async () => {
    for (const seed of [1, 2, 3]) {
      const truth = gaussiansOf(5, 3, seed);
      const field = fieldOf(truth, 64, 64, 3);
      const compressed = await codec.encode(field, { maxAbs: 1e-4 * rangeOf(field.values) });
      const found = codec.toParams(compressed);
      expect(found.numGaussians).to.equal(5);
      for (const { cx, cy, along, across, amplitudes } of truth) {
        const distance = found.centers.map(([x, y]) => Math.hypot(x - cx, y - cy));
        const k = distance.indexOf(Math.min(...distance));
        expect(distance[k]).to.be.below(1e-3);
        const [[xx, xy], [, yy]] = found.covariances[k];
        const middle = (xx + yy) / 2;
        const apart = Math.hypot((xx - yy) / 2, xy);
        expect(Math.sqrt(middle + apart)).to.be.closeTo(Math.max(along, across), 0.01 * along);
        expect(Math.sqrt(middle - apart)).to.be.closeTo(Math.min(along, across), 0.01 * across);
        expectClose(found.amplitudes[k] as number[], amplitudes, 0.01 * magnitude(amplitudes));
      }
      compressed.dispose();
    }
  });

  it('keeps every kind of bound, on its own decoded bytes', async () => {
    const field = fieldOf(gaussiansOf(4, 2, 4), 48, 56, 2);
    const range = rangeOf(field.values);
    const energy = rms(field.values, new Float32Array(field.values.length));
    const cases: [Quality, (values: Float32Array) => boolean][] = [
      [0.95, (v) => rms(v, field.values) <= 0.05 * energy],
      [0.999, (v) => rms(v, field.values) <= 0.001 * energy],
      [{ maxAbs: 0.1 }, (v) => v.every((x, i) => Math.abs(x - field.values[i]) <= 0.1)],
      [{ maxAbs: 1e-4 }, (v) => v.every((x, i) => Math.abs(x - field.values[i]) <= 1e-4)],
      [{ psnr: 60 }, (v) => 20 * Math.log10(range / rms(v, field.values)) >= 60],
    ];
    for (const [quality, holds] of cases) {
      const compressed = await codec.encode(field, quality);
      const read = await CompressedWavetable.fromBytes(compressed.bytes);
      expect(holds(await decoded(read)), JSON.stringify(quality)).to.equal(true);
      compressed.dispose();
      read.dispose();
    }
  });

  it('keeps maxRel of each channel, magnitudes 10¹⁰ apart, and a channel of zeros exact', async () => {
    const field = fieldOf(gaussiansOf(3, 3, 5), 40, 40, 3);
    field.values.forEach((v, i) => {
      field.values[i] = i % 3 === 0 ? v : i % 3 === 1 ? 1e-10 * v : 0;
    });
    const compressed = await codec.encode(field, { maxRel: 1e-3 });
    const values = await decoded(compressed);
    for (const c of [0, 1, 2]) {
      const channel = (a: Float32Array) => a.filter((_, i) => i % 3 === c);
      expectClose(channel(values), channel(field.values), 1e-3 * rangeOf(channel(field.values)));
    }
    compressed.dispose();
  });

  it('takes the compact form where channels are phases of one amplitude: 7 numbers a Gaussian', async () => {
    const field = fieldOf(gaussiansOf(6, 4, 6, true), 64, 64, 4);
    const compressed = await codec.encode(field, { maxAbs: 1e-3 * rangeOf(field.values) });
    expect(compressed.parameters.params.compact.shape).to.deep.equal([6, 7]);
    expect(compressed.sizeBytes).to.be.below(200);
    compressed.dispose();
  });

  it('passes by noise that the bound leaves room for: nearer to the clean field than the noisy one is', async () => {
    const clean = fieldOf(gaussiansOf(5, 2, 7), 96, 96, 2);
    const range = rangeOf(clean.values);
    const next = random(8);
    const noisy = clean.values.map((v) => v + 0.01 * range * (next() + next() + next() + next() - 2) * 1.73);
    const compressed = await codec.encode({ ...clean, values: noisy }, { maxAbs: 0.1 * range });
    const off = rms(await decoded(compressed), clean.values);
    expect(off).to.be.below(0.01 * range);
    expect(off).to.be.below(0.8 * rms(noisy, clean.values));
    compressed.dispose();
  });

  it('gives the same bytes each time', async () => {
    const field = fieldOf(gaussiansOf(4, 2, 10), 40, 40, 2);
    const [a, b] = [await codec.encode(field, 0.99), await new GaussianMixtureCodec().encode(field, 0.99)];
    expect(a.bytes).to.deep.equal(b.bytes);
    a.dispose();
    b.dispose();
  });

  it('rejects what is no mixture, and what it cannot: noise, edges, lossless', async () => {
    const next = random(11);
    const noise: HostWavetable = {
      values: Float32Array.from({ length: 4096 }, () => next()),
      shape: [64, 64, 1],
    };
    for (const [field, quality] of [
      [noise, { maxAbs: 0.02 }],
      [noise, 0.99],
      [steps(64), { maxAbs: 0.01 }],
      [fieldOf(gaussiansOf(2, 1, 1), 16, 16, 1), { lossless: true }],
    ] as [HostWavetable, Quality][]) {
      expect(await rejection(codec.encode(field, quality))).to.be.instanceOf(QualityNotReachedError);
    }
  });

  it('gives exact zeros for zeros, in a few bytes, also at another resolution', async () => {
    const compressed = await codec.encode({ values: new Float32Array(5 * 7 * 2), shape: [5, 7, 2] }, 0.95);
    expect(compressed.parameters.params.general.shape).to.deep.equal([0, 7]);
    expect(await decoded(compressed, [3, 4])).to.deep.equal(new Float32Array(3 * 4 * 2));
    compressed.dispose();
  });

  it('keeps within some bytes, with less error the more there are', async () => {
    const field = fieldOf(gaussiansOf(4, 1, 12), 48, 48, 1);
    let before = Number.POSITIVE_INFINITY;
    for (const bytes of [48, 80, 140]) {
      const compressed = await codec.encode(field, { bytes });
      expect(compressed.sizeBytes).to.be.at.most(bytes);
      expect(compressed.achieved.relativeError).to.be.below(before);
      before = compressed.achieved.relativeError;
      compressed.dispose();
    }
    expect(before).to.be.below(0.01);
    expect(await rejection(codec.encode(field, { bytes: 20 }))).to.be.instanceOf(QualityNotReachedError);
  });

  it('keeps the bound or rejects: one pixel, one row, constants, huge and tiny values', async () => {
    const shapes = [
      [1, 1, 1],
      [1, 9, 2],
      [7, 1, 1],
      [5, 3, 4],
    ] as [number, number, number][];
    for (const shape of shapes) {
      for (const scale of [1, 1e30, 1e-30]) {
        const size = shape[0] * shape[1] * shape[2];
        const values = Float32Array.from({ length: size }, (_, i) => scale * (1 + 0.1 * (i % shape[2])));
        try {
          const compressed = await codec.encode({ values, shape }, 0.95);
          expect(rms(await decoded(compressed), values) / magnitude(values)).to.be.below(0.05);
          compressed.dispose();
        } catch (error) {
          expect(error).to.be.instanceOf(QualityNotReachedError);
        }
      }
    }
  });

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const work = rejection(
      codec.encode(fieldOf(gaussiansOf(12, 4, 3), 96, 96, 4), 0.9999, { signal: controller.signal }),
    );
    setTimeout(() => controller.abort(new Error('enough')), 5);
    expect((await work).message).to.equal('enough');
  });
});

describe('bytes of Gaussian mixtures', function () {
  this.timeout(60_000);
  before(() => ready({ backend: 'cpu' }));

  it('give finite parameters or FormatError, whatever is cut off or flipped', async () => {
    const field = fieldOf(gaussiansOf(4, 4, 13, true), 32, 32, 4);
    const compressed = await codec.encode(field, 0.99);
    const { payload } = readContainer(compressed.bytes, 'test');
    const sound = (bytes: Uint8Array) => {
      try {
        for (const { values, shape } of Object.values(codec.unpack(bytes, field.shape, 'test').params)) {
          expect(values.every(Number.isFinite)).to.equal(true);
          expect(shape[0]).to.be.at.most(8 * bytes.length);
        }
      } catch (error) {
        expect(error).to.be.instanceOf(FormatError);
      }
    };
    for (let n = 0; n < payload.length; n++) sound(payload.slice(0, n));
    const next = random(14);
    for (let n = 0; n < 10_000; n++) {
      const bytes = payload.slice();
      bytes[Math.floor(next() * bytes.length)] ^= 1 << Math.floor(8 * next());
      sound(bytes);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => sound(bytes)),
      { numRuns: 2000, seed: 1 },
    );
    compressed.dispose();
  });
});

const PARAMS: GaussianMixtureParams = {
  numGaussians: 2,
  amplitudes: [1.5, -0.5],
  centers: [
    [0.25, 0.5],
    [0.7, 0.3],
  ],
  covariances: [
    [
      [0.01, 0.004],
      [0.004, 0.02],
    ],
    [
      [0.005, 0],
      [0, 0.003],
    ],
  ],
  phases: [0.3, 2],
  resolution: [20, 24],
  channels: 3,
};

describe('Gaussian mixtures from parameters', () => {
  before(() => ready({ backend: 'cpu' }));

  it('are the spec’s function of amplitudes, centres, covariances and phases', async () => {
    const compressed = codec.fromParams(PARAMS);
    const [height, width] = PARAMS.resolution;
    const want = new Float64Array(height * width * 3);
    PARAMS.centers.forEach(([cx, cy], n) => {
      const [[xx, xy], [, yy]] = PARAMS.covariances[n];
      const det = xx * yy - xy * xy;
      for (let i = 0; i < want.length; i++) {
        const dx = ((Math.floor(i / 3) % width) + 0.5) / width - cx;
        const dy = (Math.floor(i / 3 / width) + 0.5) / height - cy;
        const square = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / det;
        const phase = PARAMS.phases[n] - ((i % 3) * Math.PI) / 2;
        want[i] += (PARAMS.amplitudes as number[])[n] * Math.cos(phase) * Math.exp(-0.5 * square);
      }
    });
    expectClose(await decoded(compressed), want, 1e-5);
    expect(compressed.achieved.maxError).to.be.NaN;
    compressed.dispose();
  });

  it('come back as they were given, through bytes', async () => {
    const general = {
      ...PARAMS,
      amplitudes: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      phases: [0, 0],
    };
    for (const params of [PARAMS, general]) {
      const compressed = codec.fromParams(params);
      const back = codec.toParams(await CompressedWavetable.fromBytes(compressed.bytes));
      expect([back.numGaussians, back.resolution, back.channels]).to.deep.equal([2, [20, 24], 3]);
      for (const name of ['amplitudes', 'centers', 'covariances', 'phases'] as const) {
        expectClose(back[name].flat(2) as number[], params[name].flat(2) as number[], 1e-6, name);
      }
      compressed.dispose();
    }
  });

  it('are refused with ArgumentError unless they are a mixture', () => {
    const wrong: Partial<Record<keyof GaussianMixtureParams, unknown>>[] = [
      { numGaussians: 3 },
      { numGaussians: -1 },
      { amplitudes: [1, Number.NaN] },
      { centers: [[0, 0]] },
      {
        covariances: [
          [
            [1, 2],
            [2, 1],
          ],
          [
            [1, 0],
            [0, 1],
          ],
        ],
      },
      {
        covariances: [
          [
            [1, 0.5],
            [-0.5, 1],
          ],
          [
            [1, 0],
            [0, 1],
          ],
        ],
      },
      {
        covariances: [
          [
            [0, 0],
            [0, 0],
          ],
          [
            [1, 0],
            [0, 1],
          ],
        ],
      },
      {
        amplitudes: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      },
      { phases: [0] },
      { resolution: [0, 4] },
      { channels: 0 },
    ];
    for (const part of wrong) {
      expect(
        () => codec.fromParams({ ...PARAMS, ...part } as GaussianMixtureParams),
        JSON.stringify(part),
      ).to.throw(ArgumentError);
    }
    expect(() => new GaussianMixtureCodec({ maxGaussians: 0 })).to.throw(ArgumentError);
    expect(() => new GaussianMixtureCodec({ effort: Number.NaN })).to.throw(ArgumentError);
  });
});

eachBackend('Gaussian mixtures, decoded', () => {
  const context: DecodeContext = { shape: [9, 11, 4], resolution: [9, 11], periodic: { h: false, w: false } };
  const rows = {
    compact: [0.4, 0.6, 1.5, 0.7, 1.2, 1.3, 0.4],
    general: [0.5, 0.4, 1.8, -0.6, 1.1, 1, -2, 0.5, 3],
  };
  const components = (name: 'compact' | 'general') => {
    const other = rows[name].map((v, i) => v + 0.05 * i - 0.1);
    return tf.tensor3d([[rows[name], other]]);
  };

  it('at another resolution are the same function at other places', () =>
    withoutLeaks(async () => {
      const truth = gaussiansOf(3, 2, 21);
      const compressed = await codec.encode(fieldOf(truth, 40, 40, 2), { maxAbs: 1e-3 });
      expectClose(await decoded(compressed, [23, 65]), fieldOf(truth, 23, 65, 2).values, 4e-3);
      compressed.dispose();
    }));

  for (const name of ['compact', 'general'] as const) {
    it(`are additive: weights on components weigh what they decode to, ${name}`, () =>
      withoutLeaks(async () => {
        const form = codec.forms[name];
        if (form.kind !== 'additive') throw new Error('not additive');
        const got = tf.tidy(() =>
          form.decode(form.weigh(components(name), tf.tensor2d([[0.25, -3]]), context), context),
        );
        const want = tf.tidy(() => {
          const each = [0, 1].map((k) =>
            form.decode(tf.slice(components(name), [0, k, 0], [1, 1, -1]), context),
          );
          return tf.add(tf.mul(each[0], 0.25), tf.mul(each[1], -3));
        });
        expectClose(await got.data(), await want.data(), 1e-5);
        tf.dispose([got, want]);
      }));

    it(`gradient to the parameters equals finite differences, ${name}`, () =>
      withoutLeaks(async () => {
        const form = codec.forms[name];
        if (form.kind !== 'additive') throw new Error('not additive');
        const weights = tf.tensor4d(
          Array.from({ length: 9 * 11 * 4 }, (_, i) => Math.sin(1 + i * 1.7)),
          [1, 9, 11, 4],
        );
        const loss = (x: tf.Tensor) => tf.sum(tf.mul(form.decode(x as tf.Tensor3D, context), weights));
        const x = components(name);
        const gradient = tf.grad(loss)(x);
        const values = await x.data<'float32'>();
        // Differences of the definition itself, in float64.
        const ws = await weights.data();
        const size = rows[name].length;
        const at = (p: Float64Array) => {
          let sum = 0;
          for (let k = 0; k < 2; k++) {
            const [cx, cy, a, q, r, ...rest] = p.subarray(k * size, (k + 1) * size);
            for (let i = 0; i < ws.length; i++) {
              const c = i % 4;
              const dx = ((Math.floor(i / 4) % 11) + 0.5) / 11 - cx;
              const dy = (Math.floor(i / 44) + 0.5) / 9 - cy;
              const u = Math.exp(a) * dx + q * dy;
              const v = Math.exp(r) * dy;
              const height = name === 'general' ? rest[c] : rest[0] * Math.cos(rest[1] - (c * Math.PI) / 2);
              sum += ws[i] * height * Math.exp(-0.5 * (u * u + v * v));
            }
          }
          return sum;
        };
        const want = Array.from(values, (_, i) => {
          const moved = (by: number) => at(Float64Array.from(values, (v, j) => v + (i === j ? by : 0)));
          return (moved(1e-5) - moved(-1e-5)) / 2e-5;
        });
        expectClose(await gradient.data(), want, GRADIENT_TOLERANCE * magnitude(want));
        tf.dispose([weights, x, gradient]);
      }));
  }
});
