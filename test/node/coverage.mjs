/** Line coverage of src from V8's traces: at least 95 %. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { root, runTool } from '../support/command.mjs';

const LEAST_PERCENT = 95;

export async function checkCoverage(traces) {
  const exclude = ['**/*.generated.ts', ...(await filesOfTypesOnly())];
  const { code, output } = await runTool('c8/bin/c8.js', [
    'report',
    ...['--temp-directory', traces, '--reports-dir', join(root, 'coverage')],
    ...['--all', '--src', 'src', '--include', 'src/**/*.ts', '--exclude-after-remap'],
    ...exclude.flatMap((path) => ['--exclude', path]),
    ...['--reporter', 'text-summary', '--reporter', 'html', '--reporter', 'json-summary'],
    ...[
      '--check-coverage',
      '--lines',
      String(LEAST_PERCENT),
      '--branches',
      '0',
      '--functions',
      '0',
      '--statements',
      '0',
    ],
  ]);
  if (code !== 0) throw new Error(`${output.trim()}\n${await leastCovered()}`);
  return /Lines\s*:\s*([^\n]+?)\s*$/m.exec(output)?.[1];
}

/** Such a file has no code, so no process ever loads it, and V8 cannot know it. */
async function filesOfTypesOnly() {
  const entries = await readdir(join(root, 'src'), { recursive: true });
  const found = [];
  for (const entry of entries.filter((name) => name.endsWith('.ts') && !name.endsWith('.generated.ts'))) {
    const source = await readFile(join(root, 'src', entry), 'utf8');
    const { code } = await transform(source, { loader: 'ts' });
    if (code.trim() === '') found.push(`src/${entry}`);
  }
  return found;
}

async function leastCovered() {
  const summary = JSON.parse(await readFile(join(root, 'coverage', 'coverage-summary.json'), 'utf8'));
  const rows = Object.entries(summary)
    .filter(([file, { lines }]) => file !== 'total' && lines.pct < LEAST_PERCENT)
    .sort(([, a], [, b]) => b.lines.total - b.lines.covered - (a.lines.total - a.lines.covered))
    .slice(0, 12)
    .map(([file, { lines }]) => `  ${lines.pct.toFixed(1).padStart(5)} %  ${file.replace(`${root}/`, '')}`);
  return `files with most lines missed (all in coverage/index.html):\n${rows.join('\n')}`;
}
