/** The packed tarball as a new user meets it: its shape, its types, its example in Node, in a Vite page, in bundles. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBrowser } from '../browser/page.mjs';
import { root, run, runTool } from '../support/command.mjs';
import { Results } from '../support/results.mjs';
import { bundleEntry } from './bundle.mjs';
import { assertSameOutput, readmeExample } from './example.mjs';
import { checkContents, installInto, pack } from './tarball.mjs';
import { buildPage, openPage } from './vite.mjs';

const BROWSER_ENTRIES = ['wavecube', 'wavecube/webgpu', 'wavecube/wasm', 'wavecube/models'];

export async function packageStage() {
  const results = new Results('the package');
  const folder = await mkdtemp(join(tmpdir(), 'wavecube-new-user-'));
  try {
    await checkPackage(results, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return results;
}

async function checkPackage(results, folder) {
  let packed;
  const isPacked = await results.check('npm pack', async () => {
    packed = await pack(folder);
    return `${packed.files.length} files, ${Math.round(packed.sizeBytes / 1024)} KiB`;
  });
  if (!isPacked) return;
  const { tarball, files } = packed;
  await results.check('the tarball holds what package.json names, and no tests', () => checkContents(files));
  await results.check('publint', () => tool('publint/src/cli.js', ['run', tarball, '--strict']));
  await results.check('are the types wrong', () =>
    tool('@arethetypeswrong/cli/dist/index.js', [
      tarball,
      '--profile',
      'esm-only',
      '--no-color',
      '--no-emoji',
    ]),
  );

  const project = join(folder, 'project');
  await mkdir(project);
  const isInstalled = await results.check('installs into an empty project', () =>
    installInto(project, tarball),
  );
  if (!isInstalled) return;
  for (const entry of BROWSER_ENTRIES) {
    await results.check(`a browser bundle of ${entry} needs no Node built-in`, async () => {
      return `${await bundleEntry(project, entry)} KiB without tfjs`;
    });
  }
  await checkExample(results, project);
}

async function checkExample(results, project) {
  let example;
  let printed;
  const ranInNode = await results.check("the README's example runs in Node", async () => {
    example = await readmeExample();
    await writeFile(join(project, 'example.mjs'), example);
    printed = await runExample(project);
    return printed.replace(/\s+/g, ' ').slice(0, 60);
  });
  if (!ranInNode) return;
  let page;
  const isBuilt = await results.check("Vite builds a page with the README's example", async () => {
    page = await buildPage(project, example);
  });
  if (!isBuilt) return;
  await results.check('the Vite page prints what Node prints', async () => {
    const browser = await openBrowser();
    try {
      assertSameOutput(printed, await openPage(browser, page, project));
    } finally {
      await browser.close();
    }
  });
}

async function runExample(project) {
  // stdout alone counts: native drivers write notices to stderr.
  const wrapper =
    "import { writeFileSync } from 'node:fs';\n" +
    'const lines = []; const log = console.log;\n' +
    "console.log = (...parts) => { lines.push(parts.join(' ')); log(...parts); };\n" +
    "await import('./example.mjs');\nwriteFileSync('printed.txt', lines.join('\\n'));\nprocess.exit(0);\n";
  await writeFile(join(project, 'in-node.mjs'), wrapper);
  const { code, output } = await run(process.execPath, ['in-node.mjs'], { cwd: project, timeoutMs: 120_000 });
  if (code !== 0) throw new Error(output);
  const printed = await readFile(join(project, 'printed.txt'), 'utf8');
  if (printed.trim() === '') throw new Error('the example must print something, got nothing');
  return printed;
}

async function tool(script, args) {
  const { code, output } = await runTool(script, args, { cwd: root });
  if (code !== 0) throw new Error(output);
}
