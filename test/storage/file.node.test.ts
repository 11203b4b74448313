import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  open as openNode,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ArgumentError, ChangedError, FormatError, StorageError, WavecubeError } from '../../src/errors.js';
import { readAll } from '../../src/grid/files/bytestream.js';
import { fileStorage } from '../../src/storage/file.js';
import { thisProcess } from '../../src/storage/owner.js';
import { failure } from '../support/failure.js';
import fc from '../support/properties.js';

const same = (a: Uint8Array, b: Uint8Array) => expect(Buffer.compare(a, b)).to.equal(0);

function content(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.imul(i + seed, 2654435761) >>> 13;
  return bytes;
}

/** The number of a process that is no more. */
const deadPid = (): number =>
  Number(execFileSync(process.execPath, ['-e', 'process.stdout.write(String(process.pid))']).toString());

describe('files on a disk', function () {
  this.timeout(20_000);
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wavecube-files-'));
    path = join(folder, 'a.bin');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  describe('sources', () => {
    it('read what is there, many at once, at places that are multiples of 4', async () => {
      const bytes = content(1, 100_000);
      await writeFile(path, bytes);
      const source = await fileStorage.open(pathToFileURL(path).href);
      expect(source.sizeBytes).to.equal(100_000);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(fc.nat(100_000), fc.nat(100_000))), async (pairs) => {
          const ranges = pairs.map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
          const parts = await Promise.all(ranges.map(([from, to]) => source.read(from, to - from)));
          for (const [i, part] of parts.entries()) {
            same(part, bytes.subarray(...ranges[i]));
            expect(part.byteOffset % 4).to.equal(0);
          }
        }),
        { numRuns: 50 },
      );
      expect(await failure(source.read(99_999, 2))).to.be.instanceOf(FormatError);
      await source.close();
      expect((await failure(source.read(0, 1))).message).to.contain('has been closed');
      await source.close();
    });

    it('stay as they were when the file is replaced or removed', async () => {
      await writeFile(path, content(1, 5000));
      const source = await fileStorage.open(path);
      await fileStorage.write(path, content(2, 4000));
      same(await source.read(100, 4900), content(1, 5000).subarray(100));
      await rm(path);
      same(await readAll(source), content(1, 5000));
      await source.close();
    });

    it('of files that were cut short, or overwritten in place, are ChangedErrors', async () => {
      for (const change of [
        () => truncate(path, 4000),
        () => writeFile(path, content(2, 5000)),
        () => writeFile(path, content(2, 100)),
      ]) {
        await writeFile(path, content(1, 5000));
        const source = await fileStorage.open(path);
        await new Promise((done) => setTimeout(done, 20));
        await change();
        expect(await failure(source.read(10, 4990))).to.be.instanceOf(ChangedError);
        expect(await failure(source.read(10, 20))).to.be.instanceOf(ChangedError);
        await source.close();
      }
    });

    it('are not disturbed by what is appended, nor by an update under way when they were opened', async () => {
      await writeFile(path, content(1, 5000));
      const before = await fileStorage.open(path);
      const writer = await fileStorage.append(path);
      await writer.append(content(3, 700));
      const during = await fileStorage.open(path);
      await new Promise((done) => setTimeout(done, 20));
      await writer.patch(0, content(9, 50));
      await writer.sync();
      await writer.close();
      same(await before.read(50, 4950), content(1, 5000).subarray(50));
      same(await during.read(5000, 700), content(3, 700));
      await before.close();
      await during.close();
    });

    it('say what keeps them from being opened, and end with a signal', async () => {
      const missing = (await failure(fileStorage.open(join(folder, 'none')))) as StorageError;
      expect(missing).to.be.instanceOf(StorageError);
      expect(missing.missing).to.equal(true);
      expect((await failure(fileStorage.open(folder))).message).to.contain('it is a folder');
      await writeFile(path, content(1, 10));
      const source = await fileStorage.open(path);
      const reason = new Error('enough');
      expect(await failure(source.read(0, 10, AbortSignal.abort(reason)))).to.equal(reason);
      await source.close();
    });

    it('are read whole from a pipe', async function () {
      if (process.platform === 'win32') this.skip();
      execFileSync('mkfifo', [path]);
      const [source] = await Promise.all([fileStorage.open(path), writeFile(path, content(1, 200_000))]);
      same(await readAll(source), content(1, 200_000));
    });
  });

  describe('sinks', () => {
    it('write what is appended and overwritten, in pieces of any size', async () => {
      const size = fc.oneof(fc.nat(40), fc.constantFrom(0, 2 ** 19, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1));
      const step = fc.record({ size, patchAt: fc.option(fc.double({ min: 0, max: 1, noNaN: true })) });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, isWaitedFor) => {
          let expected = new Uint8Array(0);
          const sink = await fileStorage.create(path);
          const calls: Promise<void>[] = [];
          for (const [i, { size, patchAt }] of steps.entries()) {
            const bytes = content(i, size);
            if (patchAt === null || size > expected.length) {
              calls.push(sink.write(bytes));
              const grown = new Uint8Array(expected.length + size);
              grown.set(expected);
              grown.set(bytes, expected.length);
              expected = grown;
            } else {
              const at = Math.floor(patchAt * (expected.length - size));
              calls.push(sink.patch(at, bytes));
              expected.set(bytes, at);
            }
            if (isWaitedFor) {
              await calls.at(-1);
              expect(sink.sizeBytes).to.equal(expected.length);
            }
          }
          await Promise.all([...calls, sink.commit()]);
          same(await readFile(path), expected);
        }),
        { numRuns: 30 },
      );
      expect(await readdir(folder)).to.deep.equal(['a.bin']);
    });

    it('show nothing before commit, and leave nothing after abort', async () => {
      await writeFile(path, content(1, 100));
      for (const end of ['abort', 'commit'] as const) {
        const sink = await fileStorage.create(path);
        await sink.write(content(2, 3_000_000));
        expect(sink.path).to.match(/a\.bin\..*\.tmp$/);
        same(await readFile(path), content(1, 100));
        await sink[end]();
        await sink.abort();
        expect(await readdir(folder)).to.deep.equal(['a.bin']);
        for (const after of [
          () => sink.write(content(1, 1)),
          () => sink.patch(0, content(1, 1)),
          () => sink.commit(),
        ])
          expect(await failure(after())).to.be.instanceOf(WavecubeError);
      }
      same(await readFile(path), content(2, 3_000_000));
    });

    it('abort in the middle of writes that nobody waited for, and leave nothing', async () => {
      const sink = await fileStorage.create(path);
      const writes = [1, 2, 3].map((i) => sink.write(content(i, 2_000_000)).catch(() => {}));
      const commit = sink.commit().catch(() => {});
      await sink.abort();
      expect(await readdir(folder)).to.deep.equal([]);
      await Promise.all([...writes, commit]);
      expect(await readdir(folder)).to.deep.equal([]);
    });

    it('commit what another has written into their file by its path', async () => {
      const sink = await fileStorage.create(path);
      const other = await openNode(sink.path, 'r+');
      await other.writeFile(content(4, 1000));
      await other.close();
      await sink.commit();
      same(await readFile(path), content(4, 1000));
    });

    it('refuse a folder and what is no plain file before anything is written, and patches beyond the end', async () => {
      expect((await failure(fileStorage.create(folder))).message).to.contain('it is a folder');
      if (process.platform !== 'win32')
        expect((await failure(fileStorage.create('/dev/null'))).message).to.contain('no plain file');
      const missing = (await failure(fileStorage.create(join(folder, 'no', 'a.bin')))) as StorageError;
      expect(missing.missing).to.equal(true);
      const sink = await fileStorage.create(path);
      await sink.write(content(1, 10));
      for (const [offset, length] of [
        [5, 6],
        [-1, 1],
        [0.5, 1],
        [11, 0],
      ])
        expect(await failure(sink.patch(offset, content(1, length)))).to.be.instanceOf(ArgumentError);
      // They are the caller's mistake, and harm nothing.
      await sink.patch(5, content(7, 5));
      await sink.commit();
      same((await readFile(path)).subarray(5), content(7, 5));
    });

    it('keep the permissions of the file that they replace', async function () {
      if (process.platform === 'win32') this.skip();
      await writeFile(path, 'secret');
      await chmod(path, 0o640);
      const sink = await fileStorage.create(path);
      expect((await stat(sink.path)).mode & 0o777).to.equal(0o600);
      await sink.commit();
      expect((await stat(path)).mode & 0o777).to.equal(0o640);
    });

    it('of two writers of one path give wholly one of them, the last to commit', async () => {
      for (let round = 0; round < 10; round++) {
        const [a, b] = await Promise.all([fileStorage.create(path), fileStorage.create(path)]);
        await Promise.all(
          [a, b].map(async (sink, seed) => {
            for (let i = 0; i < 30; i++) await sink.write(content(seed, 50_000 + i));
          }),
        );
        const [first, last] = round % 2 ? [a, b] : [b, a];
        await first.commit();
        await last.commit();
        const got = await readFile(path);
        for (let i = 0, at = 0; i < 30; at += 50_000 + i++)
          same(got.subarray(at, at + 50_000 + i), content(round % 2, 50_000 + i));
      }
      expect(await readdir(folder)).to.deep.equal(['a.bin']);
    });
  });

  describe('growing in place', () => {
    it('reads see what was appended and overwritten', async () => {
      await writeFile(path, content(1, 1000));
      const file = await fileStorage.append(path);
      await Promise.all([
        file.append(content(2, 500)),
        file.append(content(3, 70)),
        file.patch(10, content(4, 20)),
      ]);
      expect(file.sizeBytes).to.equal(1570);
      same(await file.read(1000, 500), content(2, 500));
      same(await file.read(1500, 70), content(3, 70));
      same(await file.read(10, 20), content(4, 20));
      expect(await failure(file.patch(1560, content(1, 11)))).to.be.instanceOf(ArgumentError);
      await file.sync();
      await file.close();
      same((await readFile(path)).subarray(30, 1000), content(1, 1000).subarray(30));
      expect((await failure(fileStorage.append(join(folder, 'none')))).message).to.contain('no such file');
    });

    it('is for one at a time, by any name of the file, and leaves no lock', async () => {
      await writeFile(path, content(1, 1000));
      await symlink(path, join(folder, 'link'));
      const first = await fileStorage.append(path);
      for (const name of [path, join(folder, 'link')]) {
        const error = await failure(fileStorage.append(name));
        expect(error).to.be.instanceOf(StorageError);
        expect(error.message).to.contain('changed by this process');
      }
      await first.close();
      const second = await fileStorage.append(path);
      // Nor does closing twice take the lock of another away.
      await first.close();
      await failure(fileStorage.append(path));
      await second.close();
      expect(await readdir(folder)).to.deep.equal(['a.bin', 'link']);
    });

    it('takes over the lock of a process that is no more, of this machine only', async () => {
      await writeFile(path, content(1, 1000));
      const { host } = thisProcess();
      const pid = deadPid();
      for (const [owner, isTaken] of [
        [{ pid, host }, true],
        [{ pid, host: `${host}x` }, false],
        [{ pid: process.ppid, host }, false],
        [{ pid: 0, host }, false],
        ['', false],
      ] as const) {
        await writeFile(`${path}.lock`, owner === '' ? '' : JSON.stringify(owner));
        if (isTaken) {
          const [a, b] = await Promise.allSettled([fileStorage.append(path), fileStorage.append(path)]);
          expect([a.status, b.status].sort()).to.deep.equal(['fulfilled', 'rejected']);
          for (const result of [a, b]) if (result.status === 'fulfilled') await result.value.close();
          expect(await readdir(folder)).to.deep.equal(['a.bin']);
        } else {
          expect((await failure(fileStorage.append(path))).message).to.contain(`remove ${path}.lock`);
          expect(await readdir(folder)).to.deep.equal(['a.bin', 'a.bin.lock']);
        }
      }
    });

    it('says so when the file was replaced by another meanwhile', async () => {
      await writeFile(path, content(1, 1000));
      const file = await fileStorage.append(path);
      await file.append(content(2, 10));
      await fileStorage.write(path, content(3, 10));
      expect(await failure(file.sync())).to.be.instanceOf(ChangedError);
      await file.close();
    });
  });

  describe('folders', () => {
    it('list, open, create and remove by plain names', async () => {
      const root = join(folder, 'cube');
      const cube = (await fileStorage.folder(root))!;
      expect(await cube.list!()).to.deep.equal([]);
      await cube.remove!('c/0');
      expect(await readdir(folder)).to.deep.equal([]);
      for (const [i, name] of ['b', 'c/0/0', 'c/0/1', '.zgroup'].entries()) {
        const sink = await cube.create!(name);
        await sink.write(content(i, 100));
        await sink.commit();
      }
      const open = await cube.create!('under-way');
      expect(await cube.list!()).to.deep.equal(['.zgroup', 'b', 'c/0/0', 'c/0/1']);
      await open.abort();
      const source = await cube.open('c/0/1');
      same(await readAll(source), content(2, 100));
      expect(await (await source.folder!()).list!()).to.deep.equal(['0', '1']);
      await source.close();
      await cube.remove!('c/0/1');
      await cube.remove!('c/0/1');
      await cube.remove!('d/0/1');
      expect(await cube.list!()).to.deep.equal(['.zgroup', 'b', 'c/0/0']);
      expect(((await failure(cube.open('c/0/1'))) as StorageError).missing).to.equal(true);
      expect(await fileStorage.folder(join(root, 'b'))).to.equal(null);
    });

    it('let no name lead out of them, nor a link what is written or removed', async () => {
      const root = join(folder, 'cube');
      await mkdir(root);
      await mkdir(join(folder, 'outside'));
      await writeFile(join(folder, 'outside', 'kept'), 'kept');
      await symlink(join(folder, 'outside'), join(root, 'link'));
      await symlink(join(folder, 'outside', 'kept'), join(root, 'file'));
      const cube = (await fileStorage.folder(root))!;
      const names = [
        '',
        '.',
        '..',
        '/a',
        '../a',
        'a/../../b',
        'a//b',
        'a/',
        'a\\..\\b',
        'c:a',
        'C:/a',
        'a\0b',
        'a/.. /b',
        '...',
        5,
      ];
      for (const name of names as string[])
        for (const call of [cube.open, cube.create!, cube.remove!])
          expect(await failure(call(name)), String(name)).to.be.instanceOf(FormatError);
      for (const name of ['link/kept', 'link/new', 'link/deep/new'])
        for (const call of [cube.create!, cube.remove!])
          expect(await failure(call(name)), name).to.be.instanceOf(FormatError);
      // A link itself is replaced, or removed, and not what it leads to.
      const sink = await cube.create!('file');
      await sink.write(content(1, 9));
      await sink.commit();
      await cube.remove!('link');
      expect(await readdir(join(folder, 'outside'))).to.deep.equal(['kept']);
      expect(await readFile(join(folder, 'outside', 'kept'), 'utf8')).to.equal('kept');
      expect(await readdir(root)).to.deep.equal(['file']);
    });
  });

  it('temporary files of processes that are no more go with the next write, and only they', async () => {
    const live = await fileStorage.create(join(folder, 'b.bin'));
    const [, mark] = /\.([0-9a-f]{8})\.[0-9a-f]{12}\.tmp$/.exec(live.path!)!;
    const [pid, random] = [deadPid(), '0123456789ab'];
    const kept = [
      `b.bin.${pid}.00000000.${random}.tmp`, // of another machine
      `b.bin.${process.ppid}.${mark}.${random}.tmp`,
      `b.bin.${pid}.${mark}.tmp`,
      'mine.tmp',
    ];
    for (const name of [`a.bin.${pid}.${mark}.${random}.tmp`, ...kept])
      await writeFile(join(folder, name), '');
    const left = `c.${pid}.${mark}.${random}.tmp`;
    await mkdir(join(folder, left));
    await writeFile(join(folder, left, 'deep'), '');
    const listed = (await (await fileStorage.folder(folder))!.list!()).sort();
    expect(listed).to.deep.equal([`b.bin.${pid}.${mark}.tmp`, 'mine.tmp']);
    const elsewhere = await mkdtemp(join(tmpdir(), 'wavecube-files-'));
    await fileStorage.write(join(elsewhere, 'a.bin'), content(1, 10));
    await rm(elsewhere, { recursive: true });
    await fileStorage.write(path, content(1, 10));
    const names = await readdir(folder);
    expect(names.filter((name) => !live.path!.endsWith(name)).sort()).to.deep.equal(
      [...kept, 'a.bin'].sort(),
    );
    await live.write(content(2, 10));
    await live.commit();
    same(await readFile(join(folder, 'b.bin')), content(2, 10));
  });
});
