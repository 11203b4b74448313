/**
 * Mocha in Node: all of test/**\/*.test.ts, or the files named as arguments. Under the runner it reports over IPC;
 * by hand, `node --import tsx/esm test/node/mocha.mjs test/ops/sample.test.ts` prints as mocha does.
 */
import { resolve } from 'node:path';
import Mocha from 'mocha';
import { root } from '../support/command.mjs';
import { reportTo } from '../support/report.mjs';
import { testFiles } from '../support/test-files.mjs';

const TIMEOUT_MS = 60_000; // SwiftShader compiles slowly; a test that needs longer says so itself

const files = process.argv.slice(2).map((file) => resolve(file));
const mocha = new Mocha({
  timeout: TIMEOUT_MS,
  grep: process.env.WAVECUBE_GREP || undefined,
  reporter: process.send ? function Silent() {} : 'spec',
});
for (const file of files.length ? files : (await testFiles()).map((f) => `${root}/${f}`)) mocha.addFile(file);
await mocha.loadFilesAsync();
const runner = mocha.run((failures) => {
  // WebGPU and wasm workers keep the process alive. The last message must be out before the process ends.
  const leave = () => process.exit(failures ? 1 : 0);
  if (process.send) process.send({ kind: 'leave' }, leave);
  else leave();
});
process.on('disconnect', () => process.exit(1)); // the runner is gone
if (process.send) reportTo((event) => process.send(event), runner);
