/**
 * The suite in Chromium, on two pages: a plain one with every backend, and a cross-origin isolated one, where tfjs
 * loads its threaded wasm binary, with the tests that concern wasm.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { root } from '../support/command.mjs';
import { BACKENDS, Results } from '../support/results.mjs';
import { bundleTests } from './bundle.mjs';
import { openBrowser, watchPage } from './page.mjs';
import { serve } from './serve.mjs';

const SILENCE_MS = (process.env.WAVECUBE_LONG ? 30 : 3) * 60_000;
const LIMIT_MS = (process.env.WAVECUBE_LONG ? 120 : 10) * 60_000;
const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>wavecube tests</title>
<script src="/mocha/mocha.js"></script>
<script type="module" src="/tests.js"></script>
`;
const PAGES = [
  { where: 'the browser', isolated: false, backends: BACKENDS },
  { where: 'the cross-origin isolated page', isolated: true, backends: ['wasm'] },
];

export async function browserStage({ grep }) {
  const bundled = new Results('the browser bundle');
  let tests;
  await bundled.check('tests bundled for the browser', async () => {
    tests = await bundleTests();
    return `${(tests.length / 2 ** 20).toFixed(1)} MiB`;
  });
  if (tests === undefined) return [bundled];
  const all = [bundled];
  const browser = await openBrowser();
  try {
    for (const page of PAGES) all.push(await runPage(browser, page, tests, grep));
  } finally {
    await browser.close();
  }
  return all;
}

async function runPage(browser, { where, isolated, backends }, tests, grep) {
  console.log(`  — ${where} (${backends.join(', ')})`);
  const results = new Results(where);
  const routes = {
    '/index.html': PAGE,
    '/tests.js': tests,
    '/mocha/': join(root, 'node_modules/mocha'),
    '/wasm/': join(root, 'node_modules/@tensorflow/tfjs-backend-wasm/dist'),
    '/golden/': join(root, 'test/golden'),
  };
  const server = await serve(routes, { isolated });
  const query = new URLSearchParams({ backends: backends.join(',') });
  // The isolated page repeats only what its threads could change.
  if (grep ?? isolated) query.set('grep', grep ?? 'wasm');
  try {
    const bindings = { wavecubeReport: (event) => results.take(event) };
    const options = { bindings, finished: () => untilEnd(results), limitMs: LIMIT_MS };
    const { complaints } = await watchPage(browser, `${server.url}/index.html?${query}`, options);
    await results.check(`console of ${where} is free of errors`, () => {
      if (complaints.length) throw new Error([...new Set(complaints)].slice(0, 20).join('\n'));
    });
  } catch (error) {
    results.fail(`${where} runs to its end`, `${error.message}\nat: ${results.current}`);
  } finally {
    await server.close();
  }
  if (!grep) {
    results.checkBackends(backends);
    if (isolated)
      await results.check('tfjs loaded its threaded wasm binary', () => checkThreaded(server.requests));
  }
  return results;
}

/** Resolves when the last test has reported; rejects when nothing has for a while, as where the bundle fails to load. */
async function untilEnd(results) {
  let last = results.events;
  let heardMs = Date.now();
  while (!results.ended) {
    await setTimeout(200);
    if (results.events !== last) heardMs = Date.now();
    last = results.events;
    if (Date.now() - heardMs > SILENCE_MS) throw new Error(`no test reported for ${SILENCE_MS / 1000} s`);
  }
}

function checkThreaded(requests) {
  const asked = requests.filter((path) => path.endsWith('.wasm'));
  if (!asked.some((path) => path.includes('threaded')))
    throw new Error(`the page asked for ${asked.join(', ') || 'no binary'}`);
}
