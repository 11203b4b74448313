/** Files that are closed while something is under way, that a link leads to, and that a killed process has locked. */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ChangedError, DisposedError } from '../../src/index.js';
import { fileStorage } from '../../src/storage/file.js';
import { lockOf } from '../../src/storage/lock.js';
import { thisProcess } from '../../src/storage/owner.js';
import { failureOf } from '../support/lazycubes.js';

describe('files and their ends', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wavecube-'));
    path = join(folder, 'a.bin');
    writeFileSync(path, new Uint8Array(1000));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('that are closed say so to reads under way and to whatever comes after', async () => {
    const source = await fileStorage.open(path);
    const reading = failureOf(source.read(0, 1000));
    await source.close();
    expect(await reading).to.be.instanceOf(DisposedError);
    expect(await failureOf(source.read(0, 1))).to.be.instanceOf(DisposedError);

    const file = await fileStorage.append(path);
    const written = file.append(new Uint8Array(500));
    const closed = file.close();
    const late = failureOf(file.patch(0, new Uint8Array(1)));
    await Promise.all([written, closed]);
    expect(readFileSync(path)).to.have.length(1500);
    for (const failure of [
      late,
      failureOf(file.append(new Uint8Array(1))),
      failureOf(file.sync()),
      failureOf(file.read(0, 1)),
    ])
      expect(await failure).to.be.instanceOf(DisposedError);
  });

  it('that a link leads to are replaced, and the link stays', async () => {
    const link = join(folder, 'link');
    symlinkSync(path, link);
    await fileStorage.write(link, Uint8Array.of(1, 2));
    expect(lstatSync(link).isSymbolicLink()).to.equal(true);
    expect([...readFileSync(path)]).to.deep.equal([1, 2]);
  });

  it('that a killed process has locked are not taken to be written to', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(lockOf(path), JSON.stringify({ ...thisProcess(), pid }));
    const source = await fileStorage.open(path);
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(path, new Uint8Array(1000).fill(1));
    expect(await failureOf(source.read(0, 10))).to.be.instanceOf(ChangedError);
    await source.close();
  });
});
