import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs a module's text with the sources at hand. */
function runModule(text: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx/esm', '--input-type=module', '--eval', text], {
      cwd: root,
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk: Buffer) => {
        said[stream] += chunk.toString();
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...said }));
  });
}

const source = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

describe('a process that ends half-way', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wavecube-interrupt-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Writes two files and is ended once their bytes are under way. */
  const writing = (end: string, before = ''): string => `
    import { readdirSync } from 'node:fs';
    const { fileStorage } = await import(${source('storage/file.ts')});
    ${before}
    const bytes = new Uint8Array(64 * 2 ** 20);
    for (const name of ['a.npz', 'b.npz'])
      fileStorage.write(${JSON.stringify(folder)} + '/' + name, bytes).then(() => process.exit(9));
    console.log(readdirSync(${JSON.stringify(folder)}).length);
    ${end}
    setInterval(() => {}, 1000);`;

  it('by process.exit leaves no file beside its targets', async () => {
    const { code, stdout } = await runModule(writing('setTimeout(() => process.exit(3), 1);'));
    expect(stdout.trim()).to.equal('2');
    expect(code).to.equal(3);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('by a signal, under the command’s handlers, exits 128 + its number and leaves no file', async function () {
    if (process.platform === 'win32') this.skip();
    for (const [signal, expected] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      const { code } = await runModule(
        writing(
          `process.kill(process.pid, '${signal}');`,
          `(await import(${source('cli/signals.ts')})).exitOnSignals();`,
        ),
      );
      expect(code).to.equal(expected);
      expect(await readdir(folder)).to.deep.equal([]);
    }
  });

  it('has no exit listener once nothing is under way', async () => {
    const { stdout, stderr } = await runModule(`
      const { fileStorage } = await import(${source('storage/file.ts')});
      const before = process.listenerCount('exit');
      const write = (name) => fileStorage.write(${JSON.stringify(folder)} + '/' + name, new Uint8Array(8));
      const all = Promise.allSettled([...Array(20).keys()].map((i) => write(i + '.npz')).concat(write('no/x.npz')));
      const during = process.listenerCount('exit');
      const results = await all;
      console.log(during - before, process.listenerCount('exit') - before, results.at(-1).reason.message);`);
    expect(stderr).to.equal('');
    expect(stdout).to.match(/^1 0 .*x\.npz: there is no such file or folder: .*no\n$/);
    expect((await readdir(folder)).length).to.equal(20);
  });

  it('gives the terminal its cursor and line wrap back', async function () {
    if (process.platform === 'win32') this.skip();
    for (const [end, expected] of [
      ["process.kill(process.pid, 'SIGINT');", 130],
      ["throw new Error('no');", 1],
    ] as const) {
      const { code, stdout } = await runModule(`
        (await import(${source('cli/signals.ts')})).exitOnSignals();
        const { stage } = await import(${source('cli/progress.ts')});
        const terminal = { isTTY: true, columns: 80, write: (text) => process.stdout.write(text) };
        const { update } = stage('work', terminal);
        update(1, 10);
        update(2, 10);
        setTimeout(() => { ${end} }, 50);`);
      expect(code).to.equal(expected);
      for (const [off, on] of [
        ['\x1b[?25l', '\x1b[?25h'],
        ['\x1b[?7l', '\x1b[?7h'],
      ]) {
        expect(stdout).to.include(off);
        expect(stdout.lastIndexOf(on)).to.be.above(stdout.lastIndexOf(off));
      }
    }
  });
});
