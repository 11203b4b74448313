/** What a file's name says about a note. Only checks what was heard, and names velocity layers. */

const SEMITONES: Record<string, number> = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };

/**
 * The equal-tempered frequency (A4 = 440 Hz) of a note's name at the start of a file's name ('D#4v8.ogg', 'Bb3.wav').
 * @returns Hz, or undefined where the name holds no note.
 */
export function frequencyFromName(name: string): number | undefined {
  const match = /^([A-Ga-g])([#♯sb♭]?)(-?\d)(?!\d)/.exec(name);
  if (!match) return undefined;
  const accidental = '#♯s'.includes(match[2]) && match[2] ? 1 : match[2] ? -1 : 0;
  const midi = 12 * (Number(match[3]) + 1) + SEMITONES[match[1].toUpperCase()] + accidental;
  return 440 * 2 ** ((midi - 69) / 12);
}

/**
 * The velocity layer in a file's path: 'v8' before the extension ('D#4v8.ogg', 'C4_v100.wav'), or a folder called so
 * ('v8/C4.wav', 'velocity12/C4.wav').
 * @returns the number, or undefined where neither holds one.
 */
export function velocityFromPath(path: string): number | undefined {
  const parts = path.split(/[\\/]/);
  const file = parts.pop()!.replace(/\.[^.]*$/, '');
  const suffix = /(?:^|[^A-Za-z])v(?:el(?:ocity)?)?[-_ ]?(\d+)$/i.exec(file) ?? undefined;
  if (suffix) return Number(suffix[1]);
  for (const folder of parts.reverse()) {
    const match = /(?:^|[^A-Za-z])v(?:el(?:ocity)?)?[-_ ]?(\d+)$/i.exec(folder);
    if (match) return Number(match[1]);
  }
  return undefined;
}

const NAMES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'];

/** The nearest note's name, 'A4' for 440 Hz. */
export function nameOfFrequency(frequencyHz: number): string {
  const midi = Math.round(69 + 12 * Math.log2(frequencyHz / 440));
  return `${NAMES[((midi % 12) + 12) % 12]}${Math.floor(midi / 12) - 1}`;
}

/** From frequency b up to frequency a in cents, 1200·log₂(a/b); negative where a is lower. */
export const cents = (a: number, b: number): number => 1200 * Math.log2(a / b);
