import { inspect } from 'node:util';
import { expect } from 'chai';
import { ArgumentError, ChangedError, FormatError, StorageError } from '../../src/errors.js';
import { readAll, type Source } from '../../src/grid/files/bytestream.js';
import type { SourceOptions } from '../../src/grid/files/persistence.js';
import { httpStorage } from '../../src/storage/http.js';
import { openUrl } from '../../src/storage/httpsource.js';
import { requestsTo } from '../../src/storage/requests.js';
import { addressOf } from '../../src/storage/url.js';
import { failure } from '../support/failure.js';
import fc from '../support/properties.js';
import { type Fault, rangeServer } from '../support/rangeserver.js';

const SIZE = 300_000;
const HEAD = 32_768;
function content(seed: number, length = SIZE): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.imul(i + seed, 2654435761) >>> 13;
  return bytes;
}
const same = (a: Uint8Array, b: Uint8Array) => expect(Buffer.compare(a, b)).to.equal(0);
const settled = (ms = 40) => new Promise((done) => setTimeout(done, ms));

describe('sources of URLs', function () {
  this.timeout(20_000);
  let server: Awaited<ReturnType<typeof rangeServer>>;
  const old = content(1);
  const sources: Source[] = [];
  before(async () => {
    server = await rangeServer();
  });
  after(() => server.close());
  beforeEach(() => {
    server.reset();
    server.files.clear();
    server.files.set('/a.bin', { bytes: old, etag: '"one"', lastModified: 'Sun, 22 Nov 2026 10:00:00 GMT' });
  });
  afterEach(async () => {
    for (const source of sources.splice(0)) await source.close();
  });

  const open = async (options: SourceOptions & { whole?: boolean } = {}, path = '/a.bin') => {
    const source = await httpStorage.open!(server.url + path, options);
    sources.push(source);
    return source;
  };

  it('read what lies there, at places that are multiples of 4 where the offset is one', async () => {
    const source = await open();
    expect(source.sizeBytes).to.equal(SIZE);
    await fc.assert(
      fc.asyncProperty(fc.nat(SIZE), fc.nat(SIZE), async (a, b) => {
        const [offset, end] = [Math.min(a, b), Math.max(a, b)];
        const bytes = await source.read(offset, end - offset);
        same(bytes, old.subarray(offset, end));
        if (offset % 4 === 0) expect(bytes.byteOffset % 4).to.equal(0);
      }),
      { numRuns: 60 },
    );
    expect(await failure(source.read(SIZE - 1, 2))).to.be.instanceOf(FormatError);
  });

  it('ask once for the head, never again for what is in it, and not for the part of it that is', async () => {
    const source = await open();
    await source.read(0, HEAD);
    await source.read(1000, 1000);
    expect(server.seen.map((r) => r.headers.range)).to.deep.equal([`bytes=0-${HEAD - 1}`]);
    await source.read(HEAD - 10, 30);
    expect(server.seen[1].headers).to.include({ range: `bytes=${HEAD}-${HEAD + 19}`, 'if-match': '"one"' });
    expect(server.seen.length).to.equal(2);
  });

  it('part large reads, with no more requests at once than allowed', async () => {
    const bytes = content(7, 24 * 2 ** 20);
    server.files.set('/large.bin', { bytes, etag: '"l"' });
    server.always = { delayMs: 20 };
    const source = await open({ parallel: 3 }, '/large.bin');
    same(await readAll(source), bytes);
    expect(server.seen.length).to.equal(4);
    expect(server.mostUnderWay).to.equal(3);
    await Promise.all(Array.from({ length: 20 }, (_, i) => source.read(100_000 + i, 10)));
    expect(server.mostUnderWay).to.equal(3);
  });

  it('ask once for a range that several read at the same time', async () => {
    const source = await open();
    const both = await Promise.all([source.read(50_000, 100), source.read(50_000, 100)]);
    for (const bytes of both) same(bytes, old.subarray(50_000, 50_100));
    expect(server.seen.length).to.equal(2);
  });

  for (const [what, validators, fault] of [
    ['refused by If-Match', { etag: '"two"' }, {}],
    ['told by its ETag', { etag: '"two"' }, { ignoresConditions: true }],
    ['told by a weak ETag', { etag: 'W/"two"' }, { ignoresConditions: true }],
    ['told by no ETag any more', {}, { ignoresConditions: true }],
  ] as const) {
    it(`another file at the URL is a ChangedError and no mixture: ${what}`, async () => {
      const source = await open();
      server.files.set('/a.bin', { bytes: content(2), ...validators });
      server.always = fault;
      expect(await failure(source.read(100_000, 10))).to.be.instanceOf(ChangedError);
      expect(server.seen.length).to.equal(2);
      same(await source.read(5, 10), old.subarray(5, 15));
    });
  }

  it('another file is told by Last-Modified and by its size where there is no ETag', async () => {
    const time = { lastModified: 'Sun, 22 Nov 2026 10:00:00 GMT' };
    const later = { lastModified: 'Sun, 22 Nov 2026 10:00:01 GMT' };
    for (const [before, now, ignoresConditions] of [
      [{ bytes: old, ...time }, { bytes: content(2), ...later }, true],
      [{ bytes: old, ...time }, { bytes: content(2), ...later }, false],
      [{ bytes: old }, { bytes: content(2, SIZE + 1) }, true],
      [{ bytes: old, etag: 'W/"1"' }, { bytes: content(2), etag: 'W/"2"' }, false],
      // Shorter than the range that is asked for: 416.
      [{ bytes: old }, { bytes: content(2, 1000) }, true],
    ] as const) {
      server.reset();
      server.files.set('/b.bin', before);
      const source = await open({}, '/b.bin');
      same(await source.read(200_000, 10), old.subarray(200_000, 200_010));
      server.files.set('/b.bin', now);
      server.always = { ignoresConditions };
      expect(await failure(source.read(100_000, 10))).to.be.instanceOf(ChangedError);
    }
  });

  it('a file that changes within one read of many parts is an error, whichever parts it hits', async () => {
    const bytes = content(7, 24 * 2 ** 20);
    server.files.set('/large.bin', { bytes, etag: '"l"' });
    const source = await open({ parallel: 1 }, '/large.bin');
    const reading = failure(readAll(source));
    while (server.seen.length < 3) await settled(1);
    server.files.set('/large.bin', { bytes: content(8, bytes.length), etag: '"m"' });
    expect(await reading).to.be.instanceOf(ChangedError);
  });

  it('a server that ignores ranges is found out, left at once, and good for loading', async () => {
    const bytes = content(3, 20 * 2 ** 20);
    server.files.set('/large.bin', { bytes });
    server.always = { ignoresRanges: true };
    const error = await failure(open({}, '/large.bin'));
    expect(error).to.be.instanceOf(StorageError);
    expect(error.message).to.match(/ignores range requests.*load\(\)/);
    await settled();
    expect(server.seen[0].finished).to.equal(false);
    expect(server.seen[0].sentBytes).to.be.below(8 * 2 ** 20);
    expect(server.underWay).to.equal(0);
    const whole = await open({ whole: true }, '/large.bin');
    same(await whole.read(1_000_000, 100), bytes.subarray(1_000_000, 1_000_100));
    expect(server.seen.length).to.equal(2);
    same(await httpStorage.read(`${server.url}/large.bin`), bytes);
  });

  it('a whole file that is no longer than what was asked for will do, with ranges and without', async () => {
    for (const length of [0, 1, 1000, HEAD]) {
      for (const ignoresRanges of [false, true]) {
        server.files.set('/small.bin', { bytes: content(4, length) });
        server.always = { ignoresRanges };
        const source = await open({}, '/small.bin');
        expect(source.sizeBytes).to.equal(length);
        same(await readAll(source), content(4, length));
        expect(await failure(source.read(0, length + 1))).to.be.instanceOf(FormatError);
      }
    }
  });

  it('ranges that are packed for the way are refused; a whole file is unpacked', async () => {
    server.always = { gzip: true };
    const error = await failure(open());
    expect(error.message).to.contain("Content-Encoding 'gzip'");
    same(await httpStorage.read(`${server.url}/a.bin`), old);
    server.always = {};
    const source = await open();
    server.always = { gzip: true };
    expect((await failure(source.read(100_000, 100_000))).message).to.contain('Content-Encoding');
  });

  it('what will not pass is asked for once: 400, 401, 403, 404, 410, 412, 416', async () => {
    for (const status of [400, 401, 403, 404, 410, 412, 416]) {
      server.reset();
      const headers: Record<string, string> = status === 416 ? { 'Content-Range': 'bytes */5' } : {};
      server.always = { status, headers };
      const error = (await failure(open())) as StorageError;
      expect(error).to.be.instanceOf(StorageError);
      expect(error.status).to.equal(status);
      expect(error.missing).to.equal(status === 404 || status === 410);
      expect(error.message).to.contain(`${server.url}/a.bin: the server answered ${status}`);
      expect(server.seen.length).to.equal(1);
    }
  });

  it('what may pass is asked for again: statuses, broken connections, cut and stalled bodies', async () => {
    const faults: Fault[] = [408, 425, 429, 500].map((status) => ({ status }));
    faults.push({ cutAfter: -1 }, { cutAfter: 0 }, { cutAfter: 5000 });
    for (const fault of faults) {
      server.reset();
      server.next = [fault];
      const source = await open();
      server.next = [fault];
      same(await source.read(50_000, 30_000), old.subarray(50_000, 80_000));
      expect(server.seen.length, JSON.stringify(fault)).to.equal(4);
    }
  });

  it('503 twice is waited out with growing pauses; for ever it is an error after as many attempts as asked for', async () => {
    server.next = [{ status: 503 }, { status: 503 }];
    const began = performance.now();
    const source = await open();
    expect(performance.now() - began).to.be.within(149, 2000);
    expect(server.seen.length).to.equal(3);
    server.reset();
    server.always = { status: 503 };
    const error = (await failure(source.read(100_000, 10))) as StorageError;
    expect(error.status).to.equal(503);
    expect(server.seen.length).to.equal(4);
    server.reset();
    server.always = { status: 503 };
    await failure(open({ retries: 0 }));
    expect(server.seen.length).to.equal(1);
  });

  it('Retry-After is honoured, as seconds and as a date; beyond half a minute the caller hears of it at once', async () => {
    server.next = [{ status: 503, headers: { 'Retry-After': '1' } }];
    let began = performance.now();
    await open();
    expect(performance.now() - began).to.be.within(990, 3000);
    server.next = [{ status: 429, headers: { 'Retry-After': new Date(Date.now() + 60_000).toUTCString() } }];
    began = performance.now();
    expect((await failure(open())).message).to.match(/429.*come back in (59|60) s/);
    expect(performance.now() - began).to.be.below(500);
  });

  it('a part that broke off goes on where it was, as does one that the server made shorter', async () => {
    const source = await open();
    server.reset();
    server.next = [{ cutAfter: 60_000 }];
    same(await source.read(100_000, 150_000), old.subarray(100_000, 250_000));
    expect(server.seen.map((r) => r.headers.range)).to.deep.equal([
      'bytes=100000-249999',
      'bytes=160000-249999',
    ]);
    server.reset();
    server.always = { atMost: 70_000 };
    same(await source.read(100_000, 150_000), old.subarray(100_000, 250_000));
    expect(server.seen.length).to.equal(3);
  });

  it('a body that stops coming is given up after a while, and asked for again', async () => {
    const folder = async () => {
      throw new Error('not asked for');
    };
    const requests = requestsTo({ retries: 2 }, 100);
    const source = await openUrl(
      requests,
      addressOf(`${server.url}/a.bin`),
      folder,
      new AbortController().signal,
    );
    sources.push(source);
    server.reset();
    server.next = [{ stallAfter: 100 }, { delayMs: 1000 }];
    same(await source.read(100_000, 1000), old.subarray(100_000, 101_000));
    expect(server.seen.map((r) => r.headers.range)).to.deep.equal([
      'bytes=100000-100999',
      'bytes=100100-100999',
      'bytes=100100-100999',
    ]);
    server.always = { stallAfter: 0 };
    expect((await failure(source.read(100_000, 1000))).message).to.contain('nothing for 0.1 s');
  });

  it('other bytes than were asked for are refused', async () => {
    server.always = { shiftedBy: 1 };
    expect((await failure(open())).message).to.contain('other bytes');
    server.always = {};
    const source = await open();
    server.always = { shiftedBy: 1 };
    expect((await failure(source.read(100_000, 10))).message).to.contain('other bytes');
    for (const range of ['bytes 0-32767/*', 'bytes 9-1/5', 'x']) {
      server.always = { headers: {}, status: 206 };
      server.always.headers!['Content-Range'] = range;
      expect((await failure(open())).message).to.contain('does not say which bytes');
    }
  });

  it('a signal ends what runs and what waits with its reason, and leaves no request', async () => {
    const source = await open({ parallel: 2 });
    server.always = { delayMs: 400 };
    const controller = new AbortController();
    const reason = new Error('enough');
    const began = performance.now();
    const reads = Array.from({ length: 6 }, (_, i) =>
      failure(source.read(100_000 + 1000 * i, 1000, controller.signal)),
    );
    const other = source.read(100_000, 1000);
    await settled(100);
    controller.abort(reason);
    for (const read of reads) expect(await read).to.equal(reason);
    expect(performance.now() - began).to.be.below(250);
    // Who waits for the same and was not aborted gets it.
    same(await other, old.subarray(100_000, 101_000));
    await settled(350);
    // Opening, and the two that were under way.
    expect(server.seen.length).to.equal(3);
    expect(server.underWay).to.equal(0);
    expect(await failure(source.read(0, 10, controller.signal))).to.equal(reason);
    expect(await failure(open({ signal: controller.signal }))).to.equal(reason);
    expect(await failure(open({ signal: controller.signal, whole: true }))).to.equal(reason);
  });

  it('a signal ends the pause before a new attempt, and the body that is coming', async () => {
    const source = await open();
    for (const fault of [{ status: 503, headers: { 'Retry-After': '20' } }, { stallAfter: 10 }]) {
      server.always = fault;
      const began = performance.now();
      const error = await failure(source.read(100_000, 1000, AbortSignal.timeout(80)));
      expect(error.name).to.equal('TimeoutError');
      expect(performance.now() - began).to.be.below(400);
    }
    await settled();
    expect(server.underWay).to.equal(0);
  });

  it('many reads under one signal leave no listener and no warning', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const source = await open();
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 100 }, (_, i) => source.read(100_000 + i, 100, signal)));
    await settled();
    process.off('warning', listen);
    expect(warnings).to.deep.equal([]);
  });

  it('closing ends the reads under way, and those after it', async () => {
    const source = await open();
    server.always = { delayMs: 300 };
    const read = failure(source.read(100_000, 10));
    await settled();
    await source.close();
    expect((await read).message).to.contain('has been closed');
    expect((await failure(source.read(100_000, 10))).message).to.contain('has been closed');
    await settled();
    expect(server.underWay).to.equal(0);
  });

  it('a download that broke off goes on only in the same file, else begins anew', async () => {
    const bytes = content(5, 2 ** 20);
    server.files.set('/d.bin', { bytes, etag: '"d"' });
    server.next = [{ cutAfter: 500_000 }];
    same(await httpStorage.read(`${server.url}/d.bin`), bytes);
    expect(server.seen[1].headers).to.include({ range: 'bytes=500000-', 'if-range': '"d"' });
    const now = content(6, 2 ** 20);
    server.next = [{ cutAfter: 500_000 }, { status: 503 }];
    const reading = httpStorage.read(`${server.url}/d.bin`);
    await settled();
    server.files.set('/d.bin', { bytes: now, etag: '"e"' });
    same(await reading, now);
    // A server that does not know If-Range goes on with whatever is there.
    server.next = [{ cutAfter: 500_000 }, { status: 503 }];
    server.always = { ignoresConditions: true };
    const mixed = failure(httpStorage.read(`${server.url}/d.bin`));
    await settled();
    server.files.set('/d.bin', { bytes, etag: '"f"' });
    expect(await mixed).to.be.instanceOf(ChangedError);
  });

  it('a folder’s files lie beside, by encoded names, without the query of the one that was opened', async () => {
    server.files.set('/cubes/a b#.bin', { bytes: content(1, 50) });
    server.files.set('/cubes/c/0?%.bin', { bytes: content(2, 50) });
    server.files.set('/cubes/x.bin', { bytes: content(3, 50) });
    const source = await open({ headers: { 'X-Key': 'k' } }, '/cubes/x.bin?signature=s3cret#part');
    const folder = await source.folder!();
    same(await readAll(await folder.open('a b#.bin')), content(1, 50));
    same(await readAll(await folder.open('c/0?%.bin')), content(2, 50));
    expect(server.seen.map((r) => r.url)).to.deep.equal([
      '/cubes/x.bin?signature=s3cret',
      '/cubes/a%20b%23.bin',
      '/cubes/c/0%3F%25.bin',
    ]);
    expect(server.seen.map((r) => r.headers['x-key'])).to.deep.equal(['k', 'k', 'k']);
    const missing = (await failure(folder.open('none.bin'))) as StorageError;
    expect(missing.missing).to.equal(true);
    for (const name of ['', '/a', '../a', 'a/../b', 'a//b', 'a\\b', 'http://x/', 'a\0', '.', 'c/.. '])
      expect(await failure(folder.open(name)), name).to.be.instanceOf(FormatError);
    expect(server.seen.length).to.equal(4);
    for (const path of ['/cubes', '/cubes/', '/cubes?signature=s3cret']) {
      const beside = await httpStorage.folder!(server.url + path);
      expect(beside!.name).to.equal(`${server.url}/cubes/`);
      same(await readAll(await beside!.open('x.bin')), content(3, 50));
    }
  });

  it('name and password are sent as a header, and no error tells them or a query', async () => {
    const { host } = new URL(server.url);
    const path = `http://ann:s3cret@${host}/a.bin?sig=t0ken`;
    sources.push(await httpStorage.open!(path));
    expect(server.seen[0].headers.authorization).to.equal(`Basic ${btoa('ann:s3cret')}`);
    server.always = { status: 403 };
    const errors = [
      await failure(httpStorage.open!(path)),
      await failure(httpStorage.read(path)),
      await failure(httpStorage.write(path, old)),
      await failure(httpStorage.open!('http://ann:s3cret@127.0.0.1:9/?sig=t0ken', { retries: 0 })),
      await failure(httpStorage.open!('http://ann:s3cret@[/?sig=t0ken')),
      await failure(httpStorage.open!(path, { headers: { 'X-Key': 's3cret\n' } })),
    ];
    for (const error of errors) expect(inspect(error, { depth: 9 })).not.to.match(/s3cret|t0ken/);
    expect(errors[3].message).to.contain('cannot be reached');
  });

  it('options are checked', async () => {
    for (const options of [{ retries: -1 }, { retries: 0.5 }, { parallel: 0 }, { parallel: Number.NaN }])
      expect(await failure(open(options))).to.be.instanceOf(ArgumentError);
  });
});
