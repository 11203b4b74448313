/** Notes into a cube: velocity × pitch × time-in-note, each node one aligned cycle [1, W, 1]. */
import { WavetableMatrix } from '../grid/matrix.js';
import { type Arrangement, arrangeNotes } from './arrange.js';
import { geometricTimes, type InstrumentAxes } from './axes.js';
import { alignmentPhases, cutNote } from './cut.js';
import type { Note } from './note.js';

export interface InstrumentOptions {
  /** W: samples a cycle, a power of two ≥ 2. Default 1024. */
  size?: number;
  /** Points of the time axis. Default 12. */
  times?: number;
  /** false keeps each cut's own phases, which cancel when blended. Default true. */
  align?: boolean;
  /** What the metadata says of where the sound is from. */
  source?: string;
  /** Called after each note is cut. */
  onProgress?: (done: number, of: number) => void;
}

export interface Instrument extends Arrangement {
  /** X × Y × Z nodes [1, W, 1]; the caller disposes it. Sparse where recordings are missing: there blends count what is present. */
  readonly cube: WavetableMatrix;
  readonly axes: InstrumentAxes;
  /** The phases that all cycles have, for cutNote: of the reference cycle, radians, Float64Array [W/2]. */
  readonly phaseRad: Float64Array;
}

const FIRST_SECONDS = 0.03;

/**
 * Builds an instrument from heard notes: a cube whose metadata holds its axes (instrumentAxes). Each pitch has its own time axis, from 30 ms to where its notes have decayed
 * by 30 dB; these ends are smoothed along the pitch axis (a line in log time over log frequency), so that times
 * blend as the sound does.
 * @throws ArgumentError if there is no note.
 */
export function buildInstrument(notes: readonly Note[], options: InstrumentOptions = {}): Instrument {
  const steps = buildSteps(notes, options);
  let step = steps.next();
  while (!step.done) {
    options.onProgress?.(...step.value);
    step = steps.next();
  }
  return step.value;
}

/** buildInstrument, note by note, for who has other things to see to in between. Yields [done, of]. */
export function* buildSteps(
  notes: readonly Note[],
  options: InstrumentOptions,
): Generator<[done: number, of: number], Instrument> {
  const { size = 1024, times = 12, align = true, source } = options;
  const arrangement = arrangeNotes(notes);
  const { velocities, frequenciesHz } = arrangement;
  const placed = arrangement.notes.flatMap((layer, x) =>
    layer.flatMap((note, y) => (note ? [{ x, y, note }] : [])),
  );
  const end = decayLine(placed.map(({ note, y }) => [frequenciesHz[y], note.decaySeconds]));
  const axes: InstrumentAxes = {
    kind: 'wavecube-instrument',
    sampleRateHz: Math.max(...notes.map((note) => note.sampleRateHz)),
    velocities,
    frequenciesHz,
    timesSeconds: frequenciesHz.map((frequencyHz) => geometricTimes(FIRST_SECONDS, end(frequencyHz), times)),
  };
  const lowest = placed.filter(({ y }) => y === Math.min(...placed.map((place) => place.y)));
  const phaseRad = alignmentPhases(lowest[lowest.length - 1].note, size);
  const cube = new WavetableMatrix(velocities.length, frequenciesHz.length, times, {
    resolution: [1, size],
    channels: 1,
    missing: placed.length === velocities.length * frequenciesHz.length ? 'zero' : 'renormalize',
    periodic: { w: true },
    metadata: { instrument: axes, ...(source ? { source } : {}) },
  });
  for (const [done, { x, y, note }] of placed.entries()) {
    const cycles = cutNote(note, axes.timesSeconds[y], align ? phaseRad : undefined, size);
    cycles.forEach((cycle, z) => {
      cube.setNode(x, y, z, cycle);
    });
    yield [done + 1, placed.length];
  }
  return { ...arrangement, cube, axes, phaseRad };
}

/** Least squares of log(seconds) over log(frequency); a constant where there is one pitch. At least 0.1 s. */
function decayLine(points: readonly (readonly [number, number])[]): (frequencyHz: number) => number {
  const n = points.length;
  const logs = points.map(([frequencyHz, seconds]) => [
    Math.log(frequencyHz),
    Math.log(Math.max(seconds, 0.1)),
  ]);
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / n;
  const spread = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = spread > 1e-6 ? logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread : 0;
  const longest = Math.max(...points.map(([, seconds]) => seconds));
  return (frequencyHz) =>
    Math.min(longest, Math.max(0.1, Math.exp(meanY + slope * (Math.log(frequencyHz) - meanX))));
}
