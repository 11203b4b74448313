import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { WavecubeError } from '../../src/index.js';
import { createFolder } from '../../src/storage/filefoldersink.js';
import { failure } from '../support/failure.js';

/** Writes a folder of six files that hold a number, again and again; says when the first one is there. */
const WRITER = `
import { createFolder } from './src/storage/filefoldersink.ts';
for (let i = 1; ; i++) {
  const sink = await createFolder(process.argv[1], 'killed');
  for (let k = 0; k < 6; k++) {
    const file = await sink.create('deep/' + k);
    await file.write(new TextEncoder().encode(String(i)));
    await file.commit();
  }
  await sink.commit();
  if (i === 1) process.stdout.write('begun');
}`;

describe('folders under way', function () {
  this.timeout(120_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wavecube-folder-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('a writer that is killed leaves one whole folder, under its name or as .old, and the next writer clears up', async () => {
    const path = join(folder, 'killed');
    for (let run = 0; run < 4; run++) {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx/esm', '--input-type=module', '-e', WRITER, path],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, 11 * run));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      const names = await readdir(folder);
      const kept = names.includes('killed') ? 'killed' : names.find((name) => name.endsWith('.old'))!;
      const numbers = await Promise.all(
        [0, 1, 2, 3, 4, 5].map((k) => readFile(join(folder, kept, 'deep', `${k}`), 'utf8')),
      );
      expect(new Set(numbers).size, numbers.join()).to.equal(1);
    }
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await (await createFolder(path, 'killed')).abort();
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).to.deep.equal([]);
  });

  it('nothing is seen of it before commit, and all of what was there is gone after it', async () => {
    const path = join(folder, 'replaced');
    await mkdir(path);
    await writeFile(join(path, 'old'), 'old');
    const sink = await createFolder(path, path);
    const file = await sink.create('new');
    await file.write(Uint8Array.of(1));
    await file.commit();
    expect(await readdir(path)).to.deep.equal(['old']);
    expect(await sink.list!()).to.deep.equal(['new']);
    await sink.commit();
    expect(await readdir(path)).to.deep.equal(['new']);
    expect((await readdir(folder)).filter((name) => name.startsWith('replaced'))).to.deep.equal(['replaced']);
    expect(await failure(sink.commit())).to.be.instanceOf(WavecubeError);
  });

  it('one that is aborted leaves nothing, and names lead nowhere else', async () => {
    const sink = await createFolder(join(folder, 'gone'), 'gone');
    await (await sink.create('deep/er/file')).commit();
    for (const name of ['../out', '/out', 'a/../../out', 'c:\\out', ''])
      expect(await failure(sink.create(name)), name).to.be.instanceOf(WavecubeError);
    await sink.abort();
    expect((await readdir(folder)).filter((name) => /gone|out/.test(name))).to.deep.equal([]);
    expect(await failure(sink.commit())).to.be.instanceOf(WavecubeError);
    const nowhere = await failure(createFolder(join(folder, 'no', 'such'), 'no/such'));
    expect(nowhere.message).to.contain('no/such: there is no such file or folder');
  });
});
