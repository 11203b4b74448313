/** `npm run bench:formats`: files and their bars, printed as Markdown. Each part runs in a process of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const PARTS = {
  load: '10×10×10 × 64×64×4 dense loaded, checksums verified, beside reading the .wvcb file (bars: .wvcb ≤ 2×, .npz and .h5 ≤ 5×)',
  size: '10×10×10 × 512×512×4 of 8-Gaussian nodes as a file (bar: ≤ 450 KB)',
  open: 'the same file opened and sampled once (bar: < 1 s, < 300 MB above the idle process)',
  small: '100,000 nodes of [1, 1, 3] saved and loaded',
};

const HELP = `npm run bench:formats -- [options]
  --only PART   ${Object.keys(PARTS).join(', ')}; default all
  --rounds N    of the comparison with fs.readFile; default 15`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit();
}
if (options.only && !PARTS[options.only]) {
  console.error(`--only must be one of ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'wavecube-bench-'));
try {
  const wanted = options.only ? [options.only] : Object.keys(PARTS);
  // The file that is opened is the one whose size is told.
  if (wanted.includes('open') && !wanted.includes('size')) wanted.unshift('size');
  for (const part of wanted) {
    console.log(`\n## ${PARTS[part]}\n\n| what | figure |\n|---|---|`);
    const script = fileURLToPath(new URL(`${part}.mjs`, import.meta.url));
    const { status } = spawnSync(process.execPath, ['--expose-gc', script, folder, options.rounds], {
      stdio: 'inherit',
    });
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true });
}
