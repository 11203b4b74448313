import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { fileServer } from '../../src/cli/fileserver.js';
import { serveCommand } from '../../src/cli/serve.js';
import { ready, WavetableMatrix } from '../../src/index.js';
import { refused, startWavecube, wavecube } from '../support/cli.js';
import { makeCube } from '../support/cubes.js';

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

describe('a server of files', () => {
  let folder: string;
  let outside: string;
  let server: Server;
  let url: string;
  let port: number;
  const bytes = new Uint8Array(randomBytes(100_000));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wavecube-serve-'));
    outside = await mkdtemp(join(tmpdir(), 'wavecube-secret-'));
    await writeFile(join(outside, 'secret.txt'), 'secret');
    await mkdir(join(folder, 'sub', '.git'), { recursive: true });
    await writeFile(join(folder, 'cube.wvcb'), bytes);
    await writeFile(join(folder, 'sub', 'a b%ü.wvcb'), 'inner');
    await writeFile(join(folder, 'empty.wvcb'), '');
    await writeFile(join(folder, 'index.html'), '<!doctype html>');
    await writeFile(join(folder, '.hidden'), 'secret');
    await writeFile(join(folder, 'sub', '.git', 'config'), 'secret');
    await symlink(join(outside, 'secret.txt'), join(folder, 'leak.txt'));
    await symlink(outside, join(folder, 'leaks'));
    await symlink(join(folder, 'cube.wvcb'), join(folder, 'link.wvcb'));
    server = fileServer({ folder, host: '127.0.0.1' });
    port = await listening(server);
    url = `http://127.0.0.1:${port}`;
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
    await rm(outside, { recursive: true, force: true });
  });

  /** A request whose path reaches the server as it is written: fetch would take '..' out of it. */
  const raw = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>(
      (resolve, reject) => {
        httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => {
            body += chunk.toString('latin1');
          });
          response.on('end', () =>
            resolve({ status: response.statusCode!, body, headers: response.headers }),
          );
        })
          .on('error', reject)
          .end();
      },
    );

  const ranged = (range: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/cube.wvcb`, { headers: { Range: range, ...headers } });

  it('answers a single range with those bytes and where they lie', async () => {
    const n = bytes.length;
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 1],
      ['bytes=0-255', 0, 256],
      ['bytes=64000-64063', 64000, 64064],
      ['bytes=99990-', n - 10, n],
      ['bytes=-7', n - 7, n],
      ['bytes=99999-200000', n - 1, n],
      ['bytes=-1000000', 0, n],
    ] as const) {
      const response = await ranged(range);
      expect(response.status, range).to.equal(206);
      expect(response.headers.get('content-range')).to.equal(`bytes ${from}-${to - 1}/${n}`);
      expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(bytes.subarray(from, to))), range)
        .to.be.true;
    }
  });

  it('answers what is no single range with all of the file, and one beyond the end with 416', async () => {
    for (const range of ['bytes=0-1,5-6', 'bytes=9-3', 'bytes=x-y', 'items=0-1']) {
      const response = await ranged(range);
      const status = response.status;
      const length = (await response.arrayBuffer()).byteLength;
      // RFC 9110, 14.2: a range that is not valid is passed over; some servers refuse it.
      expect(status === 416 || (status === 200 && length === bytes.length), range).to.equal(true);
    }
    const beyond = await ranged('bytes=100000-');
    expect(beyond.status).to.equal(416);
    expect(beyond.headers.get('content-range')).to.equal('bytes */100000');
  });

  it('answers HEAD with the size and no body, and 304 to a tag that is the file’s', async () => {
    const head = await fetch(`${url}/cube.wvcb`, { method: 'HEAD' });
    expect(head.status).to.equal(200);
    expect(head.headers.get('content-length')).to.equal('100000');
    expect(head.headers.get('accept-ranges')).to.equal('bytes');
    expect((await head.arrayBuffer()).byteLength).to.equal(0);
    const tag = head.headers.get('etag')!;
    expect(tag).to.match(/^"[^"]+"$/);
    // By hand: fetch adds Cache-Control: no-cache, which asks for the file whatever its tag.
    expect((await raw('/cube.wvcb', { 'If-None-Match': tag })).status).to.equal(304);
    expect((await raw('/cube.wvcb', { 'If-None-Match': '"other"' })).status).to.equal(200);
  });

  it('gives ranges of one state of the file only: its tag changes with it, and If-Range and If-Match hold to it', async () => {
    const path = join(folder, 'changing.wvcb');
    await writeFile(path, 'one state');
    const tag = (await fetch(`${url}/changing.wvcb`, { method: 'HEAD' })).headers.get('etag')!;
    const same = await fetch(`${url}/changing.wvcb`, { headers: { Range: 'bytes=0-2', 'If-Range': tag } });
    expect([same.status, await same.text()]).to.deep.equal([206, 'one']);
    // Of the same size, and at once.
    await writeFile(`${path}.new`, 'two state');
    await rename(`${path}.new`, path);
    const changed = await fetch(`${url}/changing.wvcb`, { headers: { Range: 'bytes=0-2', 'If-Range': tag } });
    expect([changed.status, await changed.text()]).to.deep.equal([200, 'two state']);
    expect(changed.headers.get('etag')).not.to.equal(tag);
    const unmatched = await fetch(`${url}/changing.wvcb`, { headers: { 'If-Match': tag } });
    expect(unmatched.status).to.equal(412);
  });

  it('serves names of any letters, an empty file, a page, and links that stay in the folder', async () => {
    const inner = await fetch(`${url}/sub/${encodeURIComponent('a b%ü.wvcb')}`);
    expect([inner.status, await inner.text()]).to.deep.equal([200, 'inner']);
    const empty = await fetch(`${url}/empty.wvcb`);
    expect([empty.status, await empty.text()]).to.deep.equal([200, '']);
    const page = await fetch(`${url}/`);
    expect([page.status, await page.text()]).to.deep.equal([200, '<!doctype html>']);
    expect(page.headers.get('content-type')).to.match(/^text\/html/);
    const link = await fetch(`${url}/link.wvcb`);
    expect(Buffer.from(await link.arrayBuffer()).equals(Buffer.from(bytes))).to.equal(true);
    expect(link.headers.get('content-type')).to.equal('application/octet-stream');
  });

  it('serves nothing outside its folder, nothing hidden, and no folder’s list', async () => {
    const up = `../${outside.split('/').at(-1)}/secret.txt`;
    for (const path of [
      `/${up}`,
      `/sub/../${up}`,
      `/${encodeURIComponent(up)}`,
      `/sub/${up.replaceAll('.', '%2e')}`,
      `/${up.replaceAll('/', '\\')}`,
      `//${up}`,
      join(outside, 'secret.txt'),
      '/leak.txt',
      '/leaks/secret.txt',
      '/.hidden',
      '/%2ehidden',
      '/sub/.git/config',
      '/sub/',
      '/none.wvcb',
      '/cube.wvcb/',
      '/cube.wvcb%00.html',
      '/%zz',
    ]) {
      const { status, body } = await raw(path);
      expect(status, path).to.be.within(400, 404);
      expect(body, path).not.to.include('secret');
    }
  });

  it('only reads, and answers no other name than this machine’s', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const { status, headers } = await raw('/cube.wvcb', {}, method);
      expect([status, headers.allow]).to.deep.equal([405, 'GET, HEAD, OPTIONS']);
    }
    expect((await raw('/index.html', { Host: 'evil.example' })).status).to.equal(421);
    expect((await raw('/index.html', { Host: `localhost:${port}` })).status).to.equal(200);
  });

  it('lets pages of other origins read only where it is told to, errors and headers included', async () => {
    const closed = await fetch(`${url}/cube.wvcb`, { headers: { Range: 'bytes=0-1' } });
    expect(closed.headers.get('access-control-allow-origin')).to.equal(null);
    expect(closed.headers.get('cross-origin-resource-policy')).to.equal('same-origin');
    const open = fileServer({ folder, host: '127.0.0.1', cors: 'https://example.org' });
    const openUrl = `http://127.0.0.1:${await listening(open)}`;
    try {
      for (const [path, range] of [
        ['cube.wvcb', 'bytes=0-1'],
        ['cube.wvcb', 'bytes=100000-'],
        ['none', ''],
      ]) {
        const { headers } = await fetch(`${openUrl}/${path}`, { headers: { Range: range } });
        expect(headers.get('access-control-allow-origin')).to.equal('https://example.org');
        expect(headers.get('cross-origin-resource-policy')).to.equal('cross-origin');
        for (const name of ['Content-Range', 'ETag', 'Accept-Ranges'])
          expect(headers.get('access-control-expose-headers')).to.include(name);
      }
      const asked = await fetch(`${openUrl}/cube.wvcb`, { method: 'OPTIONS' });
      expect(asked.status).to.equal(204);
      expect(asked.headers.get('access-control-allow-headers')).to.match(/Range.*If-Range/);
    } finally {
      open.closeAllConnections();
      open.close();
    }
  });

  it('serves a cube that is opened by its URL, and sampled by parts', async () => {
    await ready({ backend: 'cpu' });
    const { cube } = makeCube({ dims: [4, 4, 4], resolution: 32 });
    await cube.save(join(folder, 'lazy.wvcb'));
    const before = await cube.sampleBatch([[1.5, 0.25, 2.75]]).data();
    cube.dispose();
    const opened = await WavetableMatrix.open(`${url}/lazy.wvcb`);
    const sampled = await opened.sampleBatchAsync([[1.5, 0.25, 2.75]]);
    expect(await sampled.data()).to.deep.equal(before);
    sampled.dispose();
    opened.dispose();
  });

  it('of one file serves that alone', async () => {
    const one = fileServer({ folder, only: 'cube.wvcb', host: '127.0.0.1' });
    const oneUrl = `http://127.0.0.1:${await listening(one)}`;
    try {
      const served = await fetch(`${oneUrl}/cube.wvcb`);
      const digest = createHash('sha256').update(Buffer.from(await served.arrayBuffer()));
      expect(digest.digest('hex')).to.equal(createHash('sha256').update(bytes).digest('hex'));
      for (const path of ['', 'index.html', 'sub/a%20b', 'cube.wvcb/../index.html', 'empty.wvcb'])
        expect((await fetch(`${oneUrl}/${path}`)).status, path).to.equal(404);
    } finally {
      one.closeAllConnections();
      one.close();
    }
  });
});

describe('wavecube serve', function () {
  this.timeout(60_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wavecube-serving-'));
    await writeFile(join(folder, 'my cube.wvcb'), 'bytes');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('says where it listens and what to write, serves, and ends at once on Ctrl-C, connections or not', async function () {
    if (process.platform === 'win32') this.skip();
    const serving = startWavecube('serve', folder, '--port', '0');
    while (!serving.stdout.includes('open(') && serving.child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(serving.stdout)!;
    expect(serving.stdout).to.include(`WavetableMatrix.open('${url}my%20cube.wvcb')`);
    const response = await fetch(`${url}my%20cube.wvcb`, { headers: { Range: 'bytes=1-2' } });
    expect([response.status, await response.text()]).to.deep.equal([206, 'yt']);
    // Another one finds the port taken.
    const taken = await wavecube('serve', folder, '--port', new URL(url).port);
    expect(taken.code).to.equal(1);
    expect(taken.stderr).to.match(/port \d+ of 127\.0\.0\.1 is in use; choose another with --port/);
    const sent = performance.now();
    serving.child.kill('SIGINT');
    expect(await serving.ended).to.equal(130);
    expect(performance.now() - sent).to.be.below(1000);
  });

  it('refuses what it cannot serve', async () => {
    for (const [args, code, says] of [
      [[], 2, /missing required argument/],
      [[folder, '--port', '70000'], 2, /from 0 to 65535/],
      [[folder, '--port', '80a'], 2, /must be a number/],
      [[folder, '--cors', 'example.org'], 2, /must be an origin/],
      [[folder, '--cors', 'https://example.org/page'], 2, /must be an origin/],
      [[join(folder, 'none')], 1, /none: there is no such file or folder/],
      [[folder, '--port', '0', '--host', '192.0.2.1'], 1, /192\.0\.2\.1 is no address of this machine/],
    ] as const) {
      const outcome = await refused(serveCommand(), args);
      expect(outcome.says).to.match(says);
      expect(outcome.code).to.equal(code);
    }
  });
});
