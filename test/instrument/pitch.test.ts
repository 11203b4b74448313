import { expect } from 'chai';
import { cents, frequencyFromName, nameOfFrequency, velocityFromPath } from '../../src/instrument/names.js';
import { findPitch } from '../../src/instrument/pitch.js';
import { pianoTone } from '../support/pianotone.js';

/** A piano's stiffness over its keys, after Fletcher: least near A2, a hundred times more at the top. */
const stiffnessOf = (midi: number): number =>
  midi < 45 ? 1e-4 * 2 ** ((45 - midi) / 16) : 1e-4 * 2 ** ((midi - 45) / 9);

/** White noise in ±1, by mulberry32. */
function noise(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

describe('pitch', () => {
  it('of stiff, noisy tones from A0 to C8 is found within 10 cents, whatever the stiffness', function () {
    this.timeout(60_000);
    for (let midi = 21; midi <= 108; midi += 3) {
      const frequencyHz = 440 * 2 ** ((midi - 69) / 12);
      for (const factor of [0.5, 1, 2]) {
        const tone = pianoTone(frequencyHz, { stiffness: factor * stiffnessOf(midi), seed: midi });
        const found = findPitch(tone, 48000);
        const off = cents(found.frequencyHz, frequencyHz);
        expect(Math.abs(off), `${nameOfFrequency(frequencyHz)} stiffness × ${factor}`).to.be.below(10);
      }
    }
  });

  it('does not depend on the sample rate, the level, or silence before the note', () => {
    const tone = pianoTone(196, { sampleRateHz: 44100, gain: 0.003 });
    const late = new Float32Array(tone.length + 20000);
    late.set(tone, 20000);
    expect(cents(findPitch(late, 44100).frequencyHz, 196)).to.be.closeTo(0, 10);
  });

  it('of a pure sine is its frequency', () => {
    const sine = Float32Array.from({ length: 48000 }, (_, t) => Math.sin((2 * Math.PI * 1000 * t) / 48000));
    expect(cents(findPitch(sine, 48000).frequencyHz, 1000)).to.be.closeTo(0, 1);
  });

  it('of silence, of nothing and of what is not finite is refused', () => {
    for (const samples of [
      new Float32Array(48000),
      new Float32Array(0),
      new Float32Array(48000).fill(Number.NaN),
    ])
      expect(() => findPitch(samples, 48000)).to.throw(/samples must hold a note, got/);
  });

  it('of noise, whatever its colour, its decay and its seed, is refused', function () {
    this.timeout(60_000);
    const coloured = {
      white: () => (next: number) => next,
      decaying: () => {
        let gain = 1;
        return (next: number) => next * (gain *= 1 - 1 / 9600);
      },
      pinkish: () => {
        let [slow, quick] = [0, 0];
        return (next: number) => (slow = 0.98 * slow + 0.2 * next) + (quick = 0.8 * quick + 0.3 * next);
      },
      brown: () => {
        let sum = 0;
        return (next: number) => (sum = 0.999 * sum + 0.1 * next);
      },
    };
    for (const [colour, filter] of Object.entries(coloured))
      for (const seconds of [1, 2, 3])
        for (let seed = 1; seed <= 12; seed++) {
          const samples = noise(seconds * 48000, seed + 100 * seconds).map(filter());
          expect(() => findPitch(samples, 48000), `${colour}, ${seconds} s, seed ${seed}`).to.throw(
            /has no pitch: it sounds like noise or a click/,
          );
        }
  });

  it('of a click, of a step and of a constant is refused', () => {
    const silence = () => new Float32Array(48000);
    for (const samples of [
      silence().fill(1, 4800, 4801),
      silence().fill(1, 4800, 4820),
      silence().fill(0.3, 4800),
      silence().fill(0.3),
    ])
      expect(() => findPitch(samples, 48000)).to.throw(/has no pitch/);
  });

  it('of a tone that noise all but covers is still found', () => {
    const samples = noise(48000, 5).map((next, t) => next + 0.25 * Math.sin((2 * Math.PI * 440 * t) / 48000));
    expect(cents(findPitch(samples, 48000).frequencyHz, 440)).to.be.closeTo(0, 10);
  });
});

describe("a file's name", () => {
  it('tells a frequency', () => {
    expect(frequencyFromName('A4v8.ogg')).to.equal(440);
    expect(frequencyFromName('D#4v8.ogg')).to.be.closeTo(311.127, 1e-3);
    expect(frequencyFromName('Eb4.wav')).to.be.closeTo(311.127, 1e-3);
    expect(frequencyFromName('C-1.wav')).to.be.closeTo(8.1758, 1e-4);
    expect(frequencyFromName('take 3.wav')).to.equal(undefined);
  });

  it('or its folder tells a velocity', () => {
    expect(velocityFromPath('piano/D#4v8.ogg')).to.equal(8);
    expect(velocityFromPath('C4_v100.wav')).to.equal(100);
    expect(velocityFromPath('piano/v12/C4.wav')).to.equal(12);
    expect(velocityFromPath('mellow/C4.wav')).to.equal(undefined);
  });
});
