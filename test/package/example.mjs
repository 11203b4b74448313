/** The README's example: what a new user copies first. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../support/command.mjs';

const EXAMPLE = /<!-- example -->\s*```(?:js|javascript|mjs)\n([\s\S]*?)```/;

export async function readmeExample() {
  const readme = await readFile(join(root, 'README.md'), 'utf8').catch(() => '');
  const found = EXAMPLE.exec(readme);
  if (!found)
    throw new Error('README.md: must hold a ```js block after the marker <!-- example -->, got none');
  return found[1];
}

/** Two runs say the same if their texts match and their numbers differ by no more than float32 rounding. */
export function assertSameOutput(expected, got) {
  const number = /[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi;
  const words = (text) => text.replace(number, '#').replace(/\s+/g, ' ').trim();
  const numbers = (text) => (text.match(number) ?? []).map(Number);
  const [a, b] = [numbers(expected), numbers(got)];
  const close =
    a.length === b.length && a.every((v, i) => Math.abs(v - b[i]) <= 1e-3 * Math.max(1, Math.abs(v)));
  if (words(expected) !== words(got) || !close)
    throw new Error(`must print as in Node:\n${expected}\ngot:\n${got}`);
}
