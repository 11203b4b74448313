/**
 * An instrument's axes: x velocity, y pitch, z time in the note. A cube carries them as its metadata, so that a
 * coordinate can be asked for its frequency and its time, and they for their coordinate.
 */
export interface InstrumentAxes {
  readonly kind: 'wavecube-instrument';
  readonly sampleRateHz: number;
  /** [X]: names of the layers, rising. */
  readonly velocities: readonly number[];
  /** [Y]: of the first partial, Hz, rising. */
  readonly frequenciesHz: readonly number[];
  /** [Y][Z]: seconds after the onset; each pitch has its own, for high notes die sooner. */
  readonly timesSeconds: readonly (readonly number[])[];
}

/** The axes a cube's metadata holds, or undefined where it was not built as an instrument. */
export function instrumentAxes(metadata: Record<string, unknown>): InstrumentAxes | undefined {
  const axes = metadata.instrument as InstrumentAxes | undefined;
  return axes?.kind === 'wavecube-instrument' ? axes : undefined;
}

/** Frequency at pitch coordinate y (0 … Y − 1), Hz: geometric between columns, clamped outside. */
export function frequencyAt({ frequenciesHz }: InstrumentAxes, y: number): number {
  return between(frequenciesHz, y);
}

/** The pitch coordinate y of a frequency in Hz, clamped to the axis: frequencyAt backwards. */
export function pitchCoordinate({ frequenciesHz }: InstrumentAxes, frequencyHz: number): number {
  return coordinateIn(frequenciesHz, frequencyHz);
}

/** Seconds after the onset at coordinates (y, z): geometric between nodes, clamped outside. */
export function timeAt({ timesSeconds }: InstrumentAxes, y: number, z: number): number {
  return between(
    timesSeconds.map((times) => between(times, z)),
    y,
  );
}

/** The time coordinate z of a moment, in seconds after the onset, at pitch coordinate y; clamped: timeAt backwards. */
export function timeCoordinate(axes: InstrumentAxes, y: number, seconds: number): number {
  const times = axes.timesSeconds[0].map((_, z) => timeAt(axes, y, z));
  return coordinateIn(times, seconds);
}

/**
 * Times of a note, spaced geometrically from `first` to `last`, both in seconds and above 0.
 * @returns [count] seconds; of one, `first`.
 */
export function geometricTimes(first: number, last: number, count: number): number[] {
  if (count === 1) return [first];
  return Array.from({ length: count }, (_, i) => first * (last / first) ** (i / (count - 1)));
}

function between(values: readonly number[], at: number): number {
  const clamped = Math.min(Math.max(at, 0), values.length - 1);
  const low = Math.min(Math.floor(clamped), Math.max(values.length - 2, 0));
  const high = Math.min(low + 1, values.length - 1);
  return values[low] * (values[high] / values[low]) ** (clamped - low);
}

function coordinateIn(values: readonly number[], value: number): number {
  if (values.length === 1 || value <= values[0]) return 0;
  for (let i = 1; i < values.length; i++)
    if (value <= values[i])
      return i - 1 + Math.log(value / values[i - 1]) / Math.log(values[i] / values[i - 1]);
  return values.length - 1;
}
