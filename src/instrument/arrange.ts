/** Notes onto the axes: which recordings are one pitch, which are one velocity layer. */
import { ArgumentError, check } from '../errors.js';
import { cents, velocityFromPath } from './names.js';
import type { Note } from './note.js';

export interface Arrangement {
  /** Of the layers, rising: numbers from the paths, or 1, 2, … by loudness. */
  readonly velocities: readonly number[];
  /** Of the columns, rising: the median of their notes' measured pitches, Hz. */
  readonly frequenciesHz: readonly number[];
  /** [x][y]: the note at velocity x and pitch y, where there is one. */
  readonly notes: readonly (readonly (Note | undefined)[])[];
  /** Paths of notes whose place was already taken. */
  readonly leftOut: readonly string[];
}

const COLUMN_CENTS = 40;

/**
 * Sorts notes into pitch columns (neighbours closer than 40 cents share one) and velocity layers. A layer's number
 * comes from the path ('C4v8.wav', 'v8/C4.wav') if all paths have one; else the recordings of each column are put in
 * the order of their measured loudness, the loudest in the top layer.
 * @throws ArgumentError if there is no note.
 */
export function arrangeNotes(notes: readonly Note[]): Arrangement {
  check(notes.length > 0, () => new ArgumentError('arrangeNotes: there must be at least one note, got none'));
  const rising = [...notes].sort((p, q) => p.pitch.frequencyHz - q.pitch.frequencyHz);
  const columns: Note[][] = [];
  for (const note of rising) {
    const last = columns[columns.length - 1]?.at(-1);
    if (last && cents(note.pitch.frequencyHz, last.pitch.frequencyHz) < COLUMN_CENTS)
      columns[columns.length - 1].push(note);
    else columns.push([note]);
  }
  const named = new Map(notes.map((note) => [note, velocityFromPath(note.path)]));
  const byName = [...named.values()].every((velocity) => velocity !== undefined);
  const layers = Math.max(...columns.map((column) => column.length));
  const velocities = byName
    ? [...new Set(named.values() as Iterable<number>)].sort((a, b) => a - b)
    : Array.from({ length: layers }, (_, i) => i + 1);
  const grid = velocities.map(() => columns.map((): Note | undefined => undefined));
  const leftOut: string[] = [];
  columns.forEach((column, y) => {
    const byLoudness = [...column].sort((p, q) => p.level - q.level);
    for (const note of column) {
      const x = byName
        ? velocities.indexOf(named.get(note)!)
        : layers - column.length + byLoudness.indexOf(note);
      if (grid[x][y]) leftOut.push(note.path);
      else grid[x][y] = note;
    }
  });
  return { velocities, frequenciesHz: columns.map(medianPitch), notes: grid, leftOut };
}

function medianPitch(column: readonly Note[]): number {
  const pitches = column.map((note) => note.pitch.frequencyHz).sort((a, b) => a - b);
  return Math.sqrt(pitches[(pitches.length - 1) >> 1] * pitches[pitches.length >> 1]);
}
