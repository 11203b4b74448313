/** Cubes of compressed nodes, on wasm, each in a process of its own: cubes/*.mjs say what is measured. */
import { fileURLToPath } from 'node:url';
import { contend } from '../contender.mjs';

export const CUBES = ['smooth', 'gaussians', 'large'];

/** @returns rows { cube, what, value, … } with value as told, and the plain numbers beside; or { cube, skipped }. */
export async function measureCubes(cubes) {
  const rows = [];
  for (const cube of cubes) {
    console.log(`\ncube: ${cube}`);
    const program = fileURLToPath(new URL(`cubes/${cube}.mjs`, import.meta.url));
    // `done` comes last: a process that stops before leaves a row that says why.
    const more = await contend(process.execPath, ['--expose-gc', program], {
      peer: cube,
      passes: ['done'],
      limitS: 600,
    });
    for (const { pass, peer, ...row } of more) {
      if (pass === 'done' && !row.skipped) continue;
      console.log(`      ${(row.what ?? '').padEnd(70)} ${row.skipped ?? row.value}`);
      rows.push({ cube: peer, ...row });
    }
  }
  return rows;
}
