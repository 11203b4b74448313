import { chirpZ, cycleFromHarmonics, harmonicsOfCycle, resampleCycle } from '../../src/instrument/fourier.js';
import { expectClose, random, randomArray } from '../support/numbers.js';
import fc from '../support/properties.js';

/** Float32 results of float64 transforms. */
const ROUNDING = 2e-6;

const sinusoid = (cycles: number, phaseRad: number, size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) =>
    Math.cos((2 * Math.PI * cycles * (i + 0.5)) / size - phaseRad),
  );

describe('cycles and their harmonics', () => {
  it('a sinusoid of k cycles, resampled, is the sinusoid of k cycles, at any length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 300 }),
        fc.integer({ min: 2, max: 10 }),
        fc.double({ min: 0, max: 6.28, noNaN: true }),
        fc.nat(),
        (length, log, phaseRad, pick) => {
          const size = 2 ** log;
          const cycles = pick % Math.min(Math.ceil(length / 2), size / 2);
          expectClose(
            resampleCycle(sinusoid(cycles, phaseRad, length), size),
            sinusoid(cycles, phaseRad, size),
            ROUNDING,
          );
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  it('what lies above the Nyquist of the new length is gone, not folded', () => {
    const low = sinusoid(5, 1, 512);
    const both = sinusoid(40, 2, 512).map((value, i) => value + low[i]);
    expectClose(resampleCycle(both, 64), sinusoid(5, 1, 64), ROUNDING);
  });

  it('harmonics rebuild a cycle without energy at its Nyquist exactly', () => {
    const cycle = resampleCycle(randomArray(100, random(3)), 256);
    expectClose(cycleFromHarmonics(harmonicsOfCycle(cycle), 256), cycle, ROUNDING);
  });

  it('chirpZ is the defining sum, at periods that are not whole', () => {
    const samples = randomArray(70, random(4));
    for (const period of [11.47, 35, 61.9]) {
      const { re, im } = chirpZ(samples, period, 20);
      const wanted = { re: new Float64Array(20), im: new Float64Array(20) };
      for (let k = 0; k < 20; k++)
        for (let t = 0; t < 70; t++) {
          wanted.re[k] += samples[t] * Math.cos((2 * Math.PI * k * t) / period);
          wanted.im[k] -= samples[t] * Math.sin((2 * Math.PI * k * t) / period);
        }
      expectClose(re, wanted.re, 1e-10);
      expectClose(im, wanted.im, 1e-10);
    }
  });
});
