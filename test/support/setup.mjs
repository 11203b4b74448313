/**
 * From a fresh clone to a working tree: installs the packages, builds, and (--for test) finds or installs a browser and what files are checked against.
 * Each step is skipped when its work is already done. Node built-ins only.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale } from './build.mjs';
import { findChromium, findSwiftShader } from './chromium.mjs';
import { root, run, seconds } from './command.mjs';
import { findH5dump, findPython } from './peers.mjs';

const NEEDED_NODE = [20, 19];

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NEEDED_NODE[0] || (major === NEEDED_NODE[0] && minor >= NEEDED_NODE[1])) return;
  throw new Error(
    `Node.js must be ${NEEDED_NODE.join('.')} or newer, got ${process.versions.node}; see https://nodejs.org`,
  );
}

async function installPackages() {
  const stamp = join(root, 'node_modules', '.wavecube-setup');
  const lock = await readFile(join(root, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === hash) return 'up to date';
  // No package here needs its install script: esbuild and webgpu ship their binaries, and run without.
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code } = await run('npm', args, { show: true });
  if (code !== 0) throw new Error(`npm ci failed (exit code ${code}), for the reason above`);
  await writeFile(stamp, hash);
  return 'installed';
}

async function build() {
  return (await buildIfStale()) ? 'built' : 'up to date';
}

const HOW_TO_GET_CHROMIUM = [
  'The tests need Chromium or Chrome: for the browser run, and for SwiftShader, the WebGPU adapter of machines without a GPU.',
  '  Debian, Ubuntu   sudo apt-get install chromium',
  '  Fedora           sudo dnf install chromium',
  '  macOS            brew install --cask google-chrome',
  '  elsewhere        install it and set CHROMIUM_PATH to its executable',
].join('\n');

const mayInstall = process.platform === 'linux' && process.getuid() === 0 && existsSync('/usr/bin/apt-get');

async function findBrowser() {
  if (findChromium() === null) {
    if (!mayInstall) throw new Error(HOW_TO_GET_CHROMIUM);
    console.log('      no Chromium here; installing it with apt-get');
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [['update'], ['install', '-y', 'chromium']]) {
      const { code, output } = await run('apt-get', ['-qq', ...args], { env });
      if (code !== 0)
        throw new Error(`apt-get ${args.join(' ')} failed:\n${output.trim()}\n\n${HOW_TO_GET_CHROMIUM}`);
    }
    if (findChromium() === null) throw new Error(`apt-get installed no Chromium.\n${HOW_TO_GET_CHROMIUM}`);
  }
  return `${findChromium()}${findSwiftShader() ? ', with SwiftShader' : ''}`;
}

const { values } = parseArgs({ options: { for: { type: 'string', default: 'start' } } });
const steps = [
  ['installing packages', installPackages],
  ['building kernels and library', build],
];
if (values.for === 'test') {
  steps.push(['looking for a browser', findBrowser]);
  steps.push([
    'looking for Python and h5dump',
    async () => `${await findPython()}; ${await findH5dump(mayInstall)}`,
  ]);
}

try {
  checkNode();
  for (const [i, [name, step]] of steps.entries()) {
    const started = Date.now();
    console.log(`[${i + 1}/${steps.length}] ${name} …`);
    console.log(`      ${await step()} (${seconds(started)})`);
  }
} catch (error) {
  console.error(`\nsetup stopped: ${error.message}`);
  process.exitCode = 1;
}
