/** The fields: names, and each as a .npy file that is made once a seed. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeNpy, encodeNpy } from '../../../dist/src/index.js';
import { run } from '../../support/command.mjs';
import { PIANO } from './piano.mjs';

const SYNTHETIC = [
  ...['gauss12', 'gauss12n', 'gauss8c', 'gauss200', 'smooth_k4', 'rough_k8_3'],
  ...['waves24', 'waves_off', 'discs', 'photo', 'noise'],
];

export const FIELDS = [...SYNTHETIC, ...Object.keys(PIANO)];

/** @returns { values, shape, range } of a field's file; range is max − min of all channels. */
export async function readField(path) {
  const { data: values, shape } = decodeNpy(new Uint8Array(await readFile(path)), path);
  let [low, high] = [values[0], values[0]];
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return { values, shape, range: high - low };
}

/**
 * Makes what is not there yet.
 * @returns of each field { name, path, digest }, or { name, skipped } with the reason.
 */
export async function prepareFields(names, { seed, python, folder }) {
  const pathOf = (name) => join(folder, PIANO[name] ? 'piano' : `seed${seed}`, `${name}.npy`);
  const missing = names.filter((name) => !existsSync(pathOf(name)));
  const synthetic = missing.filter((name) => !PIANO[name]);
  const reasons = new Map();
  for (const name of missing) await mkdir(join(pathOf(name), '..'), { recursive: true });
  if (synthetic.length && python) {
    const script = fileURLToPath(new URL('fields.py', import.meta.url));
    const { code, output } = await run(python, [
      script,
      join(folder, `seed${seed}`),
      `${seed}`,
      `${synthetic}`,
    ]);
    if (code !== 0) for (const name of synthetic) reasons.set(name, output.trim().split('\n').at(-1));
  } else for (const name of synthetic) reasons.set(name, 'made by Python: name one (--python)');
  for (const name of missing.filter((name) => PIANO[name])) {
    try {
      const { shape, values } = await PIANO[name]();
      await writeFile(pathOf(name), encodeNpy({ dtype: '<f4', shape, data: values }));
    } catch (error) {
      reasons.set(name, error.message);
    }
  }
  return Promise.all(
    names.map(async (name) => {
      if (!existsSync(pathOf(name))) return { name, skipped: reasons.get(name) };
      const digest = createHash('sha256')
        .update(await readFile(pathOf(name)))
        .digest('hex')
        .slice(0, 12);
      return { name, path: pathOf(name), digest };
    }),
  );
}
