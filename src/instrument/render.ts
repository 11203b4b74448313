/** Sound from a cube: along a path, or a note that lives its time axis. */
import { ArgumentError, check } from '../errors.js';
import type { WavetableMatrix } from '../grid/matrix.js';
import { frequencyAt, type InstrumentAxes, timeAt, timeCoordinate } from './axes.js';
import { type Played, playCycles } from './oscillator.js';

/** Where a path is at a moment. */
export interface PathPoint {
  /** Grid coordinates, as for sample. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** The pitch it is played at, whatever pitch its nodes were recorded at. */
  readonly frequencyHz: number;
  /** A factor on the cube's own level. Default 1. */
  readonly gain?: number;
}

export interface RenderOptions {
  sampleRateHz: number;
  durationSeconds: number;
  /** A cycle is sampled from the cube this often. Default 5 ms. */
  hopSeconds?: number;
  /** The sound rises from zero in this. Default 4 ms. */
  fadeInSeconds?: number;
  /** The sound falls to zero at its end in this. Default 30 ms. */
  fadeOutSeconds?: number;
}

/**
 * Renders the sound of a path through a cube whose nodes are [1, W, 1] cycles. Cycles are sampled along the path in
 * one call of sampleChunks and played by one oscillator (playCycles).
 * @param path time in seconds → where, and at what pitch.
 * @returns mono samples in the cube's level, durationSeconds long rounded up to whole hops, and the largest steps at the joins of cycles and inside cycles.
 * @throws ArgumentError for nodes of another shape or a duration that is not positive.
 */
export async function renderPath(
  cube: WavetableMatrix,
  path: (seconds: number) => PathPoint,
  options: RenderOptions,
): Promise<Played> {
  const {
    sampleRateHz,
    durationSeconds,
    hopSeconds = 0.005,
    fadeInSeconds = 0.004,
    fadeOutSeconds = 0.03,
  } = options;
  check(
    durationSeconds > 0 && Number.isFinite(durationSeconds) && sampleRateHz > 0,
    () => new ArgumentError(`renderPath: durationSeconds must be positive, got ${durationSeconds}`),
  );
  const [height, width] = cube.resolution;
  check(
    height === 1 && cube.channels === 1,
    () =>
      new ArgumentError(
        `renderPath: nodes must be cycles [1, W, 1], got [${height}, ${width}, ${cube.channels}]`,
      ),
  );
  const hop = Math.max(1, Math.round(hopSeconds * sampleRateHz));
  const frames = Math.max(2, Math.ceil((durationSeconds * sampleRateHz) / hop) + 1);
  const points = Array.from({ length: frames }, (_, i) => path((i * hop) / sampleRateHz));
  const cycles = new Float32Array(frames * width);
  for (const { offset, values } of cube.sampleChunks(points.map(({ x, y, z }) => [x, y, z]))) {
    cycles.set(await values.data(), offset * width);
    values.dispose();
  }
  const seconds = (frames - 1) * (hop / sampleRateHz);
  points.forEach(({ gain = 1 }, i) => {
    const at = (i * hop) / sampleRateHz;
    const fade = Math.min(1, at / fadeInSeconds, (seconds - at) / fadeOutSeconds);
    for (let t = i * width; t < (i + 1) * width; t++) cycles[t] *= gain * Math.max(0, fade);
  });
  return playCycles(cycles, width, {
    sampleRateHz,
    hop,
    frequenciesHz: points.map((point) => point.frequencyHz),
  });
}

/**
 * The path of a note that starts at (x, y, z) and lives on along the time axis as its recordings did; past the
 * axis' end it fades by a further 30 dB in as long as the axis lasted.
 * @param frequencyHz the pitch it is played at; default the cube's own at y.
 * @param hold stay at z: a steady tone.
 * @returns a path for renderPath.
 */
export function notePath(
  axes: InstrumentAxes,
  [x, y, z]: readonly [number, number, number],
  { frequencyHz = frequencyAt(axes, y), hold = false } = {},
): (seconds: number) => PathPoint {
  const started = timeAt(axes, y, z);
  const last = timeAt(axes, y, axes.timesSeconds[0].length - 1);
  return (seconds) => {
    if (hold) return { x, y, z, frequencyHz };
    const now = started + seconds;
    // 30 dB over the axis is what the axis was made for.
    return {
      x,
      y,
      z: timeCoordinate(axes, y, now),
      frequencyHz,
      gain: now > last ? 10 ** ((-1.5 * (now - last)) / last) : 1,
    };
  };
}
