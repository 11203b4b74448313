/** Phrases that several commands print. */
import { cents, frequencyFromName, nameOfFrequency } from '../instrument/names.js';
import type { Note } from '../instrument/note.js';

/** '1 time', '12 times'. */
export const counted = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** '1,234,567 bytes'. */
export const bytesText = (n: number): string => `${n.toLocaleString('en')} ${n === 1 ? 'byte' : 'bytes'}`;

const LIMIT_CENTS = 50;

/** Says how far a note is off the note that its file is named after; undefined within 50 cents, or without a name. */
export function offItsName({ path, pitch: { frequencyHz } }: Note): string | undefined {
  const named = frequencyFromName(path.split(/[\\/]/).at(-1)!);
  if (named === undefined) return undefined;
  const off = cents(frequencyHz, named);
  if (Math.abs(off) <= LIMIT_CENTS) return undefined;
  const where = `${Math.abs(off).toFixed(0)} cents ${off > 0 ? 'above' : 'below'} ${nameOfFrequency(named)}`;
  return `sounds at ${frequencyHz.toFixed(1)} Hz, ${where}`;
}
