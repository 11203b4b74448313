/** Rate and distortion: every codec and every peer on every field, each in a process of its own. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contend } from '../contender.mjs';
import { prepareFields } from './fields.mjs';
import { progress } from './report.mjs';

export const PEERS = ['zfp', 'sz3', 'sperr', 'quant+zstd19', 'jpegxl'];

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const LIMIT_S = 300;

/** Rows of peers that were measured before, by field, content, peer and tolerance. */
async function openCache(path, reuse) {
  const kept = reuse && existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : {};
  const key = ({ name, digest }, peer, pass) => [name, digest, peer, Number(pass)].join(' ');
  return {
    find: (field, peer, pass) => kept[key(field, peer, pass)],
    async add(field, rows) {
      for (const row of rows) if (!row.skipped) kept[key(field, row.peer, row.pass)] = row;
      await writeFile(path, JSON.stringify(kept));
    },
  };
}

async function peerRows(field, { python, tolerances, peers }, cache) {
  const rows = [];
  for (const peer of peers) {
    const known = tolerances.map((pass) => cache.find(field, peer, pass)).filter(Boolean);
    const passes = tolerances.filter((pass) => !cache.find(field, peer, pass));
    rows.push(...known);
    if (!passes.length || !python) continue;
    const args = [here('peers.py'), field.path, peer, `${passes}`];
    const more = await contend(python, args, { peer, passes, limitS: LIMIT_S });
    for (const row of more) console.log(progress(row));
    await cache.add(field, more);
    rows.push(...more);
  }
  return rows;
}

async function codecRows(field, { codecs, tolerances }) {
  const rows = [];
  for (const codec of codecs) {
    const args = [here('codec.mjs'), field.path, codec, `${tolerances}`];
    const more = await contend(process.execPath, args, { peer: codec, passes: tolerances, limitS: LIMIT_S });
    for (const row of more) console.log(progress(row));
    rows.push(...more);
  }
  return rows;
}

/**
 * @param plan { fields, tolerances (as text), codecs, peers, seed, python, reusePeers, folder }
 * @returns [{ field, rows }]; a row has peer, pass, tolerance and what was measured, rejected: true, or skipped: why.
 */
export async function measureRates(plan) {
  const cache = await openCache(join(plan.folder, 'peers.json'), plan.reusePeers);
  const results = [];
  const fields = await prepareFields(plan.fields, { ...plan, folder: join(plan.folder, 'fields') });
  for (const field of fields) {
    console.log(`\n${field.name}${field.skipped ? `: not here (${field.skipped})` : ''}`);
    if (field.skipped) continue;
    const rows = [...(await codecRows(field, plan)), ...(await peerRows(field, plan, cache))];
    results.push({ field: field.name, digest: field.digest, rows: rows.map(({ pass, ...row }) => row) });
  }
  return results;
}
