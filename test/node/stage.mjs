/** The suite in Node on every backend, under coverage. Child processes of the tests (the CLI) are counted, too. */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { webgpuEnvironment } from '../support/adapter.mjs';
import { root } from '../support/command.mjs';
import { Results } from '../support/results.mjs';
import { checkCoverage } from './coverage.mjs';

const LIMIT_MS = (process.env.WAVECUBE_LONG ? 120 : 12) * 60_000;

export async function nodeStage({ grep }) {
  const results = new Results('Node');
  const { env, name } = await webgpuEnvironment();
  console.log(`  WebGPU adapter: ${name ?? 'none'}`);
  const traces = join(root, 'coverage', 'v8');
  await rm(traces, { recursive: true, force: true });
  await runMocha(results, { ...env, NODE_V8_COVERAGE: traces, WAVECUBE_GREP: grep ?? '' });
  if (!grep) {
    results.checkBackends();
    await results.check('coverage', () => checkCoverage(traces));
  }
  return results;
}

function runMocha(results, env) {
  return new Promise((done) => {
    // The Vulkan loader complains on every start where there is no such folder.
    const XDG_RUNTIME_DIR = process.env.XDG_RUNTIME_DIR ?? mkdtempSync(join(tmpdir(), 'wavecube-xdg-'));
    const child = spawn(process.execPath, ['--import', 'tsx/esm', join(root, 'test/node/mocha.mjs')], {
      cwd: root,
      env: { ...process.env, XDG_RUNTIME_DIR, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    child.on('message', (event) => results.take(event));
    child.on('error', (error) => results.fail('the test process starts', error.message));
    child.on('close', (code, signal) => {
      if (!results.ended) {
        const how = signal ? `by ${signal} (limit ${LIMIT_MS / 60_000} min)` : `with exit code ${code}`;
        results.fail('the test process lives to its end', `it ended ${how} at: ${results.current}`);
      }
      done();
    });
  });
}
