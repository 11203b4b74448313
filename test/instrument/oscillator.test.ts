import { expect } from 'chai';
import { cycleFromHarmonics, powerSpectrum } from '../../src/instrument/fourier.js';
import { playCycles } from '../../src/instrument/oscillator.js';
import { expectClose } from '../support/numbers.js';

const SIZE = 512;
const sampleRateHz = 48000;

/** A sawtooth-like cycle of `harmonics` partials. */
function saw(harmonics: number, gain = 1): Float32Array {
  const im = Float64Array.from({ length: harmonics + 1 }, (_, k) => (k ? gain / k : 0));
  return cycleFromHarmonics({ re: new Float64Array(harmonics + 1), im }, SIZE);
}

function sequence(...cycles: Float32Array[]): Float32Array {
  return Float32Array.from(cycles.flatMap((cycle) => [...cycle]));
}

describe('playing cycles', () => {
  it('has no click: no larger step across the joins of very different cycles than inside them', () => {
    const cycles = Array.from({ length: 200 }, (_, i) => saw(1 + (i % 5), i % 2 ? 1 : 0.2));
    const frequenciesHz = cycles.map((_, i) => 220 * 2 ** (i / 100));
    const { samples, largestStepAtJoins, largestStepInside } = playCycles(sequence(...cycles), SIZE, {
      sampleRateHz,
      hop: 240,
      frequenciesHz,
    });
    expect(samples.length).to.equal(199 * 240 + 1);
    expect(samples.every(Number.isFinite)).to.equal(true);
    expect(largestStepAtJoins).to.be.above(0);
    expect(largestStepAtJoins).to.be.at.most(1.1 * largestStepInside);
  });

  it('of one cycle at one pitch is that wave', () => {
    const one = saw(1);
    const { samples } = playCycles(sequence(one, one, one), SIZE, {
      sampleRateHz,
      hop: 1000,
      frequenciesHz: [123.4, 123.4, 123.4],
    });
    const wanted = samples.map((_, t) => Math.sin((2 * Math.PI * 123.4 * t) / sampleRateHz));
    expectClose(samples, wanted, 1e-4); // the table is read by cubics
  });

  it('drops harmonics above Nyquist instead of folding them', () => {
    const rich = saw(255);
    // A frequency on a bin, so that what folds back would show between the harmonics.
    const frequencyHz = (sampleRateHz * 683) / 16384;
    const { samples } = playCycles(sequence(rich, rich), SIZE, {
      sampleRateHz,
      hop: 16384,
      frequenciesHz: [frequencyHz, frequencyHz],
    });
    const power = powerSpectrum(Float64Array.from(samples.subarray(0, 16384)));
    let harmonic = 0;
    let between = 0;
    power.forEach((value, k) => {
      if (k % 683 === 0) harmonic += value;
      else between += value;
    });
    expect(10 * Math.log10(between / harmonic)).to.be.below(-60);
  });

  it('refuses cycles that are not as many as frequencies', () => {
    expect(() => playCycles(saw(1), SIZE, { sampleRateHz, hop: 1, frequenciesHz: [1, 1] })).to.throw(
      /must hold 2 ≥ 2 cycles of 512, got 512/,
    );
  });
});
