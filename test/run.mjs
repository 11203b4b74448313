/**
 * `npm test`: every check of the project, in stages, with one closing line.
 *
 *   node test/run.mjs [--only static|node|browser|package] [--grep TEXT]
 *
 * WAVECUBE_LONG=1 adds the long sweeps. A single file, the quick way: node --import tsx/esm test/node/mocha.mjs FILE.
 */
import { parseArgs } from 'node:util';
import { browserStage } from './browser/stage.mjs';
import { nodeStage } from './node/stage.mjs';
import { packageStage } from './package/stage.mjs';
import { staticStage } from './static/stage.mjs';
import { buildIfStale } from './support/build.mjs';
import { seconds } from './support/command.mjs';
import { indent, Results } from './support/results.mjs';

const STAGES = { static: staticStage, node: nodeStage, browser: browserStage, package: packageStage };

const { values: options } = parseArgs({ options: { only: { type: 'string' }, grep: { type: 'string' } } });
if (options.only && !(options.only in STAGES)) {
  console.error(`--only: must be one of ${Object.keys(STAGES).join(', ')}, got ${options.only}`);
  process.exit(2);
}

process.on('SIGTERM', () => process.exit(143)); // through the exit handlers: they end the browser

const started = Date.now();
const names = options.only ? [options.only] : Object.keys(STAGES);
const results = [];
try {
  const build = new Results('the build');
  await build.check('kernels and library', async () => ((await buildIfStale()) ? 'built' : 'up to date'));
  results.push(build);
  for (const [i, name] of names.entries()) {
    const stageStarted = Date.now();
    console.log(`\n[${i + 1}/${names.length}] ${name}`);
    results.push(...[await STAGES[name](options)].flat());
    console.log(`  ${name} took ${seconds(stageStarted)}`);
  }
  process.exitCode = summarise(results);
} catch (error) {
  console.error(`\nthe test run stopped: ${error.stack}`);
  summarise(results, 1);
  process.exitCode = 1;
}

function summarise(all, stopped = 0) {
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map((kind) =>
    all.flatMap((r) => r[kind]),
  );
  console.log('\nSummary');
  for (const r of all) {
    console.log(
      `  ${r.where.padEnd(32)} ${count(r.passed, 'passed')}, ${count(r.failed, 'failed')}, ${count(r.skipped, 'skipped')}`,
    );
  }
  if (skipped.length) console.log('\nSkipped');
  for (const { where, title } of skipped) console.log(`  ${where}: ${title}`);
  if (failed.length) console.log('\nFailed');
  for (const { where, title, error } of failed) {
    console.log(`  ${where}: ${title}`);
    console.log(indent(String(error).split('\n')[0], 6));
  }
  console.log(`\n${seconds(started)} in all`);
  const skips = skipped.length ? `, ${skipped.length} skipped` : '';
  console.log(`${passed.length} passed, ${failed.length + stopped} failed${skips}`);
  return failed.length ? 1 : 0;
}

function count(list, word) {
  return `${String(list.length).padStart(5)} ${word}`;
}
