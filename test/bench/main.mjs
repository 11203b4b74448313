/** `npm run bench`: Wavecube and what one would use instead, in one run. README.md says what is measured, and how. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { webgpuEnvironment } from '../support/adapter.mjs';
import { seconds } from '../support/command.mjs';
import { CASES, describe, prepare } from './cases.mjs';
import { contend } from './contender.mjs';
import { describePython, findPython, setUpPython } from './python.mjs';
import { barTable, caseList, caseTable, memoryTable, progress } from './report.mjs';

const HELP = `npm run bench -- [options]
  --case W1,W2       only these of ${CASES.map(({ id }) => id).join(', ')}, memory
  --quick            without the stock-op composition and the Python peers
  --backend NAME     Wavecube on wasm (default), webgpu or cpu
  --python PATH      the Python that has torch and jax (or WAVECUBE_PYTHON, or test/bench/.venv)
  --setup-python     makes test/bench/.venv with numpy, scipy, torch and jax first
  --threads N        of PyTorch; default 2
  --json FILE        writes every single time, too`;

const { values: options } = parseArgs({
  options: {
    case: { type: 'string' },
    quick: { type: 'boolean', default: false },
    backend: { type: 'string', default: 'wasm' },
    python: { type: 'string' },
    'setup-python': { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const load = () => loadavg()[0].toFixed(1);
const main = `wavecube ${options.backend}`;

/**
 * The contenders of a case in their order. The copy and Wavecube come before, between and after the others: the pages
 * that a process happens to get alone make a quarter of a difference.
 */
function order(python, gpu) {
  const js = (peer, file, more = {}) => ({
    peer,
    program: process.execPath,
    args: [here(`contenders/${file}.mjs`)],
    ...more,
  });
  const wavecube = (backend) =>
    js(`wavecube ${backend}`, 'wavecube', { last: [backend], ...(backend === 'webgpu' && { env: gpu.env }) });
  const ours = [js('memory copy', 'memcopy'), wavecube(options.backend)];
  const others = [js('@jax-js/jax', 'jaxjs', { limitS: 60 })];
  others.push(...['wasm', 'cpu'].filter((name) => name !== options.backend).map(wavecube));
  if (!options.quick) others.push(js('stock tfjs ops', 'composition', { only: 'forward' }));
  if (python)
    others.push({ peer: 'python', program: python, args: [here('peers.py')], last: [options.threads] });
  return [...ours, ...others, ...ours.toReversed()];
}

/** Adds rows to those of the same contender and pass: what ran thrice has all its times. */
function merge(rows, more) {
  for (const row of more.filter(({ pass }) => pass)) {
    const before = rows.find(({ peer, pass }) => peer === row.peer && pass === row.pass);
    if (before?.times && row.times) {
      before.times.push(...row.times);
      before.error = before.error === null || row.error === null ? null : Math.max(before.error, row.error);
    } else if (!before) rows.push(row);
  }
}

async function runCase(test, folder, contenders) {
  console.log(`\n${test.id}: ${describe(test)} (load ${load()})`);
  const prepared = await prepare(test, folder);
  const rows = [];
  for (const { peer, program, args, last = [], only, ...limits } of contenders) {
    const passes = only ? [only] : test.passes;
    const more = await contend(program, [...args, folder, ...last], { peer, passes, ...limits });
    for (const row of more) console.log(progress(row));
    merge(rows, more);
  }
  await rm(folder, { recursive: true });
  return { test: { ...test, bytes: prepared.bytes }, rows };
}

async function runMemory() {
  console.log('\nmemory of a cube');
  const rows = [];
  for (const kind of ['dense', 'sparse', 'float16']) {
    const args = ['--expose-gc', here('contenders/memory.mjs'), kind];
    const [row] = await contend(process.execPath, args, { peer: kind, passes: [] });
    rows.push(row ?? { kind, skipped: 'stopped' });
    console.log(`      ${kind.padEnd(20)} ${row ? `${(row.rssBytes / 1e6).toFixed(1)} MB` : 'stopped'}`);
  }
  return rows;
}

async function bench() {
  const started = Date.now();
  if (options['setup-python']) await setUpPython();
  const wanted = options.case?.split(',') ?? [...CASES.map(({ id }) => id), 'memory'];
  const unknown = wanted.filter((id) => id !== 'memory' && !CASES.some((test) => test.id === id));
  if (unknown.length) throw new Error(`--case: there is no ${unknown.join(', ')}\n${HELP}`);

  const python = options.quick ? null : findPython(options.python);
  const gpu = options.backend === 'webgpu' ? await webgpuEnvironment() : null;
  if (gpu?.name === null) throw new Error('--backend webgpu: no adapter found');
  const machine = `${cpus().length} × ${cpus()[0].model}, Node ${process.versions.node}${gpu ? `, ${gpu.name}` : ''}`;
  const peers = python ? await describePython(python) : 'no Python peers (see --setup-python)';
  console.log(`${machine}\n${peers}\nload ${load()}`);

  const folder = await mkdtemp(join(tmpdir(), 'wavecube-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  const results = [];
  const memory = [];
  for (const test of CASES.filter(({ id }) => wanted.includes(id)))
    results.push(await runCase(test, join(folder, test.id), order(python, gpu)));
  if (wanted.includes('memory')) memory.push(...(await runMemory()));

  console.log(
    `\n${machine}; ${peers}; ${new Date().toISOString().slice(0, 10)}; load at the end ${load()}\n`,
  );
  if (results.length) {
    console.log(`${caseList(results)}\n\nMedian milliseconds, and as a multiple of ${main}'s.\n`);
    console.log(`${caseTable(results, main)}\n`);
    const bars = options.backend === 'wasm' && results.some(({ test }) => test.passes.includes('train'));
    if (bars) console.log(`${barTable(results, main)}\n`);
  }
  if (memory.length) console.log(`${memoryTable(memory)}\n`);
  if (options.json)
    await writeFile(options.json, JSON.stringify({ machine, peers, results, memory }, null, 1));
  console.log(`done in ${seconds(started)}`);
}

if (options.help) console.log(HELP);
else {
  await bench().catch((error) => {
    console.error(`bench: ${error.message}`);
    process.exitCode = 1;
  });
}
