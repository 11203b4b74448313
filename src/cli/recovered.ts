/** What is said of damage. */
import type { Damage } from '../grid/files/verifying.js';

/** Lines about nodes that were lost; --json of verify has them all. */
const MOST_LINES = 20;

/** 'cube.wvcb: node (1, 2, 0) of octave -1 at byte 4,096: its checksum does not match'. */
export function damageText({ file, x, y, z, octave, tangent, offset, reason }: Damage): string {
  const place = x === undefined ? '' : `node (${x}, ${y}, ${z})`;
  const what = [
    tangent && place ? `tangent along ${tangent} of ${place}` : place,
    octave === undefined ? '' : `of octave ${octave}`,
    offset === undefined ? '' : `at byte ${offset.toLocaleString('en')}`,
  ].filter((part) => part !== '');
  return `${file}: ${what.length > 0 ? `${what.join(' ')}: ` : ''}${reason}`;
}

/** Says on stderr what could not be read, and makes the exit code 1 if there is anything. */
export function tellLost(lost: readonly Damage[], from: string): void {
  if (lost.length === 0) return;
  process.exitCode = 1;
  for (const one of lost.slice(0, MOST_LINES)) process.stderr.write(`lost: ${damageText(one)}\n`);
  const more = lost.length - MOST_LINES;
  if (more > 0)
    process.stderr.write(`lost: ${more.toLocaleString('en')} more; wavecube verify ${from} names all\n`);
}
