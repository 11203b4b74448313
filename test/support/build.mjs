/** Builds kernels and dist when their sources changed. Contents decide, not dates: a clone or a checkout resets dates. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { root, run } from './command.mjs';

const SOURCES = [
  'src',
  'models',
  'kernels',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
const STAMP = join(root, 'dist', '.stamp');
const isBuilt = (path) => path.endsWith('.generated.ts') || path.includes(join('kernels', 'wasm', 'build'));

async function filesUnder(path) {
  if (!existsSync(path)) return [];
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => null);
  if (entries === null) return [path]; // a file
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath ?? e.path, e.name));
}

async function sourceHash() {
  const files = (await Promise.all(SOURCES.map((name) => filesUnder(join(root, name))))).flat();
  const hash = createHash('sha256');
  for (const file of files.filter((f) => !isBuilt(f)).sort()) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(await readFile(file))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Resolves to true if it built, false if dist was up to date; throws with the compiler's words if it cannot. */
export async function buildIfStale() {
  const hash = await sourceHash();
  if (existsSync(STAMP) && (await readFile(STAMP, 'utf8')) === hash) return false;
  await rm(join(root, 'dist'), { recursive: true, force: true }); // else a deleted source would still be shipped
  const { code, output } = await run('npm', ['run', 'build']);
  if (code !== 0) throw new Error(`the build failed:\n${output.trim()}`);
  await writeFile(STAMP, hash);
  return true;
}
