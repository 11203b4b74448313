/**
 * Plays a sequence of cycles without a click. One phase runs through the whole sound and never jumps, every moment
 * is a crossfade of the two nearest cycles, and each cycle is band-limited for the pitch it is played at, so nothing
 * folds back from above Nyquist.
 */
import { ArgumentError, check } from '../errors.js';
import { cycleFromHarmonics, harmonicsOfCycle, powerOfTwo } from './fourier.js';

export interface Playing {
  readonly sampleRateHz: number;
  /** Samples from one cycle of the sequence to the next. */
  readonly hop: number;
  /** [frames]: Hz at each cycle; geometric between them. A cycle above Nyquist is silent. */
  readonly frequenciesHz: ArrayLike<number>;
}

export interface Played {
  /** Mono, [(frames − 1)·hop + 1], in the cycles' level. */
  readonly samples: Float32Array;
  /** The largest step between two samples with a join between them: the phase wraps, or the next cycle takes over. */
  readonly largestStepAtJoins: number;
  /** The largest step elsewhere. */
  readonly largestStepInside: number;
}

/**
 * Plays cycles one after the other, as one sound.
 * @param cycles [frames, W]: one cycle a frame, samples at phases (i + ½)/W.
 * @param width W.
 * @throws ArgumentError unless there are two frames or more, with a frequency each.
 */
export function playCycles(cycles: ArrayLike<number>, width: number, playing: Playing): Played {
  const { sampleRateHz, hop, frequenciesHz } = playing;
  const frames = frequenciesHz.length;
  check(
    frames >= 2 && cycles.length === frames * width,
    () =>
      new ArgumentError(
        `playCycles: cycles must hold ${frames} ≥ 2 cycles of ${width}, got ${cycles.length} samples`,
      ),
  );
  const samples = new Float32Array((frames - 1) * hop + 1);
  let largestStepAtJoins = 0;
  let largestStepInside = 0;
  let phase = 0;
  let join = false;
  let next = bandLimited(cycles, 0, width, frequenciesHz[0], sampleRateHz);
  for (let frame = 0; frame + 1 < frames; frame++) {
    const table = next;
    const [low, high] = [frequenciesHz[frame], frequenciesHz[frame + 1]];
    next = bandLimited(cycles, frame + 1, width, high, sampleRateHz);
    const end = frame + 2 === frames ? hop + 1 : hop;
    for (let i = 0; i < end; i++) {
      const at = frame * hop + i;
      const mix = i / hop;
      samples[at] = (1 - mix) * read(table, phase) + mix * read(next, phase);
      if (at > 0) {
        const step = Math.abs(samples[at] - samples[at - 1]);
        if (join || i === 0) largestStepAtJoins = Math.max(largestStepAtJoins, step);
        else largestStepInside = Math.max(largestStepInside, step);
      }
      phase += (low * (high / low) ** mix) / sampleRateHz;
      join = phase >= 1;
      phase -= Math.floor(phase);
    }
  }
  return { samples, largestStepAtJoins, largestStepInside };
}

/** Harmonics below Nyquist at this pitch, as a table eight samples a period of the highest or finer. */
function bandLimited(
  cycles: ArrayLike<number>,
  frame: number,
  width: number,
  frequencyHz: number,
  sampleRateHz: number,
): Float32Array {
  const cycle = Float64Array.from({ length: width }, (_, i) => cycles[frame * width + i]);
  const { re, im } = harmonicsOfCycle(cycle);
  const kept = Math.max(1, Math.min(re.length, Math.ceil(sampleRateHz / 2 / frequencyHz)));
  return cycleFromHarmonics(
    { re: re.subarray(0, kept), im: im.subarray(0, kept) },
    powerOfTwo(8 * Math.max(kept, 8)),
  );
}

/** The table at a phase in cycles, by four-point Catmull-Rom. */
function read(table: Float32Array, phase: number): number {
  const mask = table.length - 1;
  const at = phase * table.length - 0.5;
  const base = Math.floor(at);
  const t = at - base;
  const a = table[(base - 1) & mask];
  const b = table[base & mask];
  const c = table[(base + 1) & mask];
  const d = table[(base + 2) & mask];
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}
