/** `npm run bench:codecs`: what codecs reach beside what one would use instead, and cubes of compressed nodes. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { OWN_CODECS } from '../../../dist/src/codecs/own.js';
import { root, run, seconds } from '../../support/command.mjs';
import { findPython } from '../python.mjs';
import { chart } from './chart.mjs';
import { CUBES, measureCubes } from './cubes.mjs';
import { FIELDS } from './fields.mjs';
import { measureRates, PEERS } from './rates.mjs';
import { bestTable, cubeTable, errorTable, ratioTable, timeTable } from './report.mjs';

const CODECS = [...OWN_CODECS.map(({ id }) => id), 'auto'];
const TOLERANCES = ['1e-1', '3e-2', '1e-2', '3e-3', '1e-3', '3e-4'];
const QUICK = ['1e-1', '1e-2', '1e-3'];

const HELP = `npm run bench:codecs -- [options]
  --only PART        rates or cubes; default both
  --fields a,b       of ${FIELDS.join(', ')}
  --tolerances a,b   largest error as a part of the field's range; default ${TOLERANCES}
  --codecs a,b       of ${CODECS.join(', ')}
  --peers a,b        of ${PEERS.join(', ')}; "none"
  --cubes a,b        of ${CUBES.join(', ')}
  --seed N           of the synthetic fields; default 1
  --quick            at ${QUICK} only
  --python PATH      the Python that has numpy, scikit-image, imagecodecs (or WAVECUBE_PYTHON, or test/bench/.venv)
  --reuse-peers      takes what an earlier run measured of the peers, where the field is the same
  --write            renews README.md's tables and rates.svg beside it
Everything goes to out/bench-codecs/, too.`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    fields: { type: 'string' },
    tolerances: { type: 'string' },
    codecs: { type: 'string' },
    peers: { type: 'string' },
    cubes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    python: { type: 'string' },
    'reuse-peers': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const folder = join(root, 'out', 'bench-codecs');

function chosen(name, all) {
  const wanted = options[name]?.split(',') ?? all;
  if (name === 'peers' && options.peers === 'none') return [];
  const unknown = wanted.filter((one) => !all.includes(one));
  if (unknown.length) throw new Error(`--${name}: there is no ${unknown.join(', ')}\n${HELP}`);
  return wanted;
}

/** "Python 3.11.7, imagecodecs 2026.3.6, …" */
async function describePeers(python) {
  const script =
    'import platform, numpy, imagecodecs as ic\n' +
    'print("Python", platform.python_version() + ", numpy", numpy.__version__ + ", imagecodecs", ic.__version__, end="")\n' +
    'for v in ("zfp", "sz3", "sperr", "jpegxl", "zstd"): print(",", getattr(ic, v + "_version")(), end="")';
  const { code, output } = await run(python, ['-c', script]);
  if (code !== 0)
    throw new Error(
      `${python}: ${output.trim().split('\n').at(-1)}; pip install numpy scikit-image imagecodecs`,
    );
  return output.trim();
}

/** Puts `text` between the markers <!-- NAME --> and <!-- /NAME --> of README.md. */
async function renew(name, text) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const readme = await readFile(here('README.md'), 'utf8');
  const [before, rest] = readme.split(open);
  const after = rest?.split(close)[1];
  if (after === undefined) throw new Error(`README.md has no ${open} … ${close}`);
  await writeFile(here('README.md'), `${before}${open}\n\n${text}\n\n${close}${after}`);
}

async function rates(python, about) {
  const tolerances = options.tolerances?.split(',') ?? (options.quick ? QUICK : TOLERANCES);
  const results = await measureRates({
    ...{ fields: chosen('fields', FIELDS), codecs: chosen('codecs', CODECS), peers: chosen('peers', PEERS) },
    ...{ tolerances, seed: Number(options.seed), python, reusePeers: options['reuse-peers'], folder },
  });
  if (!results.length) return;
  await writeFile(
    join(folder, `rates-seed${options.seed}.json`),
    JSON.stringify({ about, results }, null, 1),
  );
  const drawing = chart(results, PEERS);
  await writeFile(join(folder, `rates-seed${options.seed}.svg`), drawing);
  const auto = bestTable(results, tolerances, PEERS);
  const text = [
    `${about}; seed ${options.seed}.`,
    `Ratio.\n\n${ratioTable(results, tolerances)}`,
    ...(auto ? [`Auto beside the best peer.\n\n${auto}`] : []),
    `PSNR in dB, and the largest error as a part of the bound.\n\n${errorTable(results, tolerances)}`,
    `Milliseconds to encode / unpack / decode, peers' to encode / decode; medians over the tolerances.\n\n${timeTable(results)}`,
  ].join('\n\n');
  console.log(`\n${text}`);
  if (options.write) {
    await renew('rates', text);
    await writeFile(here('rates.svg'), drawing);
  }
}

async function cubes(about) {
  const rows = await measureCubes(chosen('cubes', CUBES));
  await writeFile(join(folder, 'cubes.json'), JSON.stringify({ about, rows }, null, 1));
  const text = `${about}.\n\n${cubeTable(rows)}`;
  console.log(`\n${text}`);
  if (options.write) await renew('cubes', text);
}

async function bench() {
  const started = Date.now();
  await mkdir(folder, { recursive: true });
  if (!['rates', 'cubes', undefined].includes(options.only))
    throw new Error(`--only: there is no ${options.only}\n${HELP}`);
  const python = options.only === 'cubes' ? null : findPython(options.python);
  const peers = python ? await describePeers(python) : 'no Python';
  const machine = `${cpus().length} × ${cpus()[0].model}, Node ${process.versions.node}`;
  const about = `${machine}; ${peers}; ${new Date().toISOString().slice(0, 10)}; load ${loadavg()[0].toFixed(1)}`;
  console.log(about);
  if (options.only !== 'cubes') await rates(python, about);
  if (options.only !== 'rates') await cubes(about);
  console.log(`\ndone in ${seconds(started)}`);
}

if (options.help) console.log(HELP);
else {
  await bench().catch((error) => {
    console.error(`bench:codecs: ${error.message}`);
    process.exitCode = 1;
  });
}
