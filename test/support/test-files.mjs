/** Which files are tests, and which of them a browser can run. Paths are relative to the repository's root. */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { root } from './command.mjs';

const NODE_ONLY = /^test\/(cli|package|node|instrument|bench)\/|\.node\.test\.ts$/;

export async function testFiles() {
  const entries = await readdir(join(root, 'test'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) =>
      relative(root, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
    .sort();
}

export async function browserTestFiles() {
  return (await testFiles()).filter((file) => !NODE_ONLY.test(file));
}
