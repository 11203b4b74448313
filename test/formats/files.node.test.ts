import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ready, WavecubeError, WavetableMatrix } from '../../src/index.js';
import { makeCube } from '../support/cubes.js';
import { expectClose } from '../support/numbers.js';

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a failure');
}

describe('files', () => {
  let folder: string;
  before(async () => {
    await ready({ backend: 'cpu' });
    folder = await mkdtemp(join(tmpdir(), 'wavecube-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('save and load by path and by file URL, and leave no temporary file', async () => {
    const { cube } = makeCube();
    const path = join(folder, 'a.npz');
    await cube.save(path);
    await cube.save(path, { format: 'npz', deflate: true });
    expect(await readdir(folder)).to.deep.equal(['a.npz']);
    for (const from of [path, pathToFileURL(path).href]) {
      const back = await WavetableMatrix.load(from);
      expect(back.nodeCount).to.equal(36);
      back.dispose();
    }
    cube.dispose();
  });

  it('a failed save leaves the old file', async () => {
    const { cube } = makeCube();
    const path = join(folder, 'kept.npz');
    await cube.save(path);
    const before = (await WavetableMatrix.load(path)).nodeCount;
    cube.dispose();
    await failure(cube.save(path));
    expect((await WavetableMatrix.load(path)).nodeCount).to.equal(before);
  });

  it('errors name the path and the reason', async () => {
    const { cube } = makeCube();
    const cases: [() => Promise<unknown>, string][] = [
      [() => WavetableMatrix.load(join(folder, 'none.npz')), 'no such file'],
      [() => WavetableMatrix.load(folder), 'it is a folder'],
      [() => cube.save(join(folder, 'no', 'such', 'a.npz')), 'no such file or folder'],
      [() => cube.save(join(folder, 'a.xyz')), "no format ends in '.xyz'"],
      [() => cube.save('downloads://a.npz'), 'nothing here can store'],
      [() => WavetableMatrix.load(''), 'a string of some length'],
      [() => WavetableMatrix.load(new URL('file:///a') as never), 'a string of some length'],
      [() => WavetableMatrix.load('http://127.0.0.1:9/x'), 'cannot be reached'],
      [() => WavetableMatrix.fromBytes(new TextEncoder().encode('<!doctype html>'), 'a.npz'), 'a web page'],
    ];
    for (const [call, message] of cases) {
      const error = await failure(call());
      expect(error, message).to.be.instanceOf(WavecubeError);
      expect(error.message).to.contain(message);
    }
    await writeFile(join(folder, 'text.npz'), 'no zip');
    expect((await failure(WavetableMatrix.load(join(folder, 'text.npz')))).message).to.contain('text.npz');
    cube.dispose();
  });

  it('loads from a URL, and says what the server answered', async () => {
    const { cube, values } = makeCube();
    const bytes = await cube.toBytes();
    const server = createServer((request, response) => {
      if (request.url === '/a.npz') response.end(bytes);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const back = await WavetableMatrix.load(`${root}/a.npz`);
    const node = back.getNode(0, 0, 0);
    expectClose(await node.data(), values.get(0)!, 0);
    expect((await failure(WavetableMatrix.load(`${root}/b.npz`))).message).to.contain('404');
    expect((await failure(cube.save(`${root}/b.npz`))).message).to.contain('cannot be written');
    server.close();
    cube.dispose();
  });

  it('numpy.load opens it with its defaults, float16 too', async function () {
    this.timeout(60_000);
    // The libraries that WebGPU may need are none of Python's.
    const env = { ...process.env, LD_LIBRARY_PATH: '' };
    try {
      execFileSync('python3', ['-c', 'import numpy'], { env });
    } catch {
      this.skip();
    }
    for (const dtype of ['float32', 'float16'] as const) {
      const { cube, values } = makeCube({ dtype });
      const path = join(folder, `${dtype}.npz`);
      await cube.save(path);
      const script = `
import json, sys, numpy
f = numpy.load(sys.argv[1])
print(json.dumps({"header": json.loads(bytes(f["metadata"])), "dtype": str(f["nodes/1_2_0"].dtype),
  "shape": f["nodes/1_2_0"].shape, "values": f["nodes/1_2_0"].ravel().tolist(), "names": len(f.files)}))`;
      const seen = JSON.parse(execFileSync('python3', ['-c', script, path], { env }).toString());
      expect(seen.names).to.equal(38); // 36 nodes, metadata and places
      expect(seen.dtype).to.equal(dtype);
      expect(seen.shape).to.deep.equal([2, 3, 2]);
      expect(seen.header.width).to.equal(3);
      expectClose(seen.values, values.get(18)!, dtype === 'float32' ? 0 : 2 ** -11);
      cube.dispose();
    }
  });

  it('more nodes than a plain zip can count are all there again', async function () {
    this.timeout(120_000);
    const cube = new WavetableMatrix(70_000, 1, 1, { resolution: 1, channels: 1 });
    const node = new Float32Array(1);
    for (let x = 0; x < 70_000; x++) {
      node[0] = x;
      cube.setNode(x, 0, 0, node);
    }
    const back = await WavetableMatrix.fromBytes(await cube.toBytes());
    expect(back.nodeCount).to.equal(70_000);
    const last = back.sample(69_998.5, 0, 0);
    expect((await last.data())[0]).to.equal(69_998.5);
    last.dispose();
    cube.dispose();
    back.dispose();
  });
});
