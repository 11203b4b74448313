import { expect } from 'chai';
import { cycleMagnitudes, localPeriod } from '../../src/instrument/cycles.js';
import { cycleFromHarmonics, type Harmonics, harmonicsOfCycle } from '../../src/instrument/fourier.js';
import { alignCycle, referencePhases } from '../../src/instrument/phase.js';
import { expectClose, random } from '../support/numbers.js';

const SIZE = 256;
const rms = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0) / values.length);

/** Thirty harmonics of 1/k, each with its own random phase. */
function randomPhases(seed: number): Harmonics {
  const next = random(seed);
  const re = new Float64Array(31);
  const im = new Float64Array(31);
  for (let k = 1; k <= 30; k++) {
    const phaseRad = 2 * Math.PI * next();
    re[k] = Math.cos(phaseRad) / k;
    im[k] = Math.sin(phaseRad) / k;
  }
  return { re, im };
}

describe('phase alignment', () => {
  const reference = referencePhases(randomPhases(99), SIZE);
  const crossfade = (a: Float32Array, b: Float32Array): Float32Array =>
    a.map((value, i) => (value + b[i]) / 2);

  it('keeps the level of a crossfade of equal spectra, which their own phases cancel', () => {
    let cancelled = 0;
    for (let seed = 0; seed < 20; seed++) {
      const [a, b] = [randomPhases(seed), randomPhases(seed + 1000)].map((h) => cycleFromHarmonics(h, SIZE));
      const level = (rms(a) + rms(b)) / 2;
      if (rms(crossfade(a, b)) < level * 10 ** (-1 / 20)) cancelled++;
      const [c, d] = [a, b].map((cycle) => alignCycle(cycle, reference, SIZE));
      expect(rms(crossfade(c, d)) / level).to.be.closeTo(1, 1e-5);
    }
    expect(cancelled).to.be.at.least(15);
  });

  it("keeps every harmonic's magnitude", () => {
    const harmonics = randomPhases(5);
    const aligned = harmonicsOfCycle(alignCycle(cycleFromHarmonics(harmonics, SIZE), reference, SIZE));
    const magnitudes = aligned.re.map((value, k) => Math.hypot(value, aligned.im[k])).slice(0, 31);
    expectClose(
      magnitudes,
      Float64Array.from({ length: 31 }, (_, k) => (k ? 1 / k : 0)),
      1e-6,
    );
  });

  it('lets a cycle begin where the reference is quietest', () => {
    const { re, im } = randomPhases(7);
    const phases = referencePhases({ re, im }, SIZE);
    const magnitudes = re.map((value, k) => Math.hypot(value, im[k]));
    const cycle = cycleFromHarmonics(
      {
        re: magnitudes.map((a, k) => a * Math.cos(phases[k])),
        im: magnitudes.map((a, k) => a * Math.sin(phases[k])),
      },
      SIZE,
    );
    const steps = Array.from(cycle, (value, i) => Math.abs(cycle[(i + 1) % SIZE] - value));
    expect(steps[SIZE - 1]).to.be.below(0.5 * Math.max(...steps));
  });
});

describe('cycles of a recording', () => {
  const sampleRateHz = 48000;

  it('have the magnitudes of the partials they were cut from, at periods that are not whole', () => {
    for (const frequencyHz of [27.5, 441.7, 3951.1]) {
      const samples = Float32Array.from({ length: 48000 }, (_, t) =>
        [1, 0.5, 0.25].reduce(
          (sum, a, k) => sum + a * Math.sin((2 * Math.PI * (k + 1) * frequencyHz * t) / sampleRateHz + k),
          0,
        ),
      );
      const magnitudes = cycleMagnitudes(samples, sampleRateHz, frequencyHz * 1.003, 24000, 8, 0.05);
      // The window's zeros fall between samples at the shortest periods.
      expectClose(magnitudes.slice(0, 5), [0, 1, 0.5, 0.25, 0], 5e-3);
    }
  });

  it('are as long as the local period, found from one a little off', () => {
    for (const period of [10.7, 109.3, 1745.4]) {
      const samples = Float32Array.from({ length: 48000 }, (_, t) =>
        Math.sin((2 * Math.PI * t) / period + 1),
      );
      expect(localPeriod(samples, 20000, period * 1.008)).to.be.closeTo(period, 1e-3 * period);
    }
  });

  it('keep the expected period where there is none', () => {
    const next = random(8);
    const noise = Float32Array.from({ length: 9600 }, () => next() - 0.5);
    expect(localPeriod(noise, 4800, 100)).to.equal(100);
    expect(localPeriod(noise, 9599, 3000)).to.equal(3000);
  });
});
