import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { FormatError, WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { failure, keyOf, storedOf } from '../support/wvcb.js';

eachBackend('.wvcb on disk', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wavecube-'));
  });
  after(() => rm(folder, { recursive: true }));

  const bytesOf = async (cube: WavetableMatrix) => {
    const out = new Map<string, Buffer>();
    for await (const node of cube.storedNodes()) {
      out.set(
        keyOf(node),
        Buffer.from(
          'compressed' in node ? node.compressed.slice() : new Uint8Array(node.values.slice().buffer),
        ),
      );
    }
    return out;
  };

  /** 12 MiB: many times what is read at once, nodes larger than that among them. */
  const large = async () => {
    const cube = new WavetableMatrix(40, 1, 1, { resolution: [256, 256], channels: 1 });
    for (let x = 0; x < 40; x++) {
      const values = Float32Array.from({ length: 256 * 256 }, (_, i) => i + x);
      cube.setNode(x, 0, 0, values);
      if (x === 7) cube.upscaleNode(x, 0, 0, 4);
      if (x < 3) cube.setTangents(x, 0, 0, { x: values.map((v) => -v) });
      if (x % 5 === 2) await cube.compressNode(x, 0, 0, { method: 'quantized', quality: 0.5 });
    }
    return cube;
  };

  it('what is read into the same memory again and again comes back bit for bit', () =>
    withoutLeaks(async () => {
      const cube = await large();
      const path = join(folder, 'large.wvcb');
      await cube.save(path);
      const back = await WavetableMatrix.load(path);
      const [found, wanted] = [await bytesOf(back), await bytesOf(cube)];
      expect([...found.keys()].sort()).to.deep.equal([...wanted.keys()].sort());
      for (const [key, bytes] of wanted) expect(bytes.equals(found.get(key)!), key).to.equal(true);
      await truncate(path, 6 * 2 ** 20);
      expect(await failure(WavetableMatrix.load(path))).to.be.instanceOf(FormatError);
      const some = await WavetableMatrix.load(path, { recover: true });
      const left = await bytesOf(some);
      expect(some.lost.length).to.be.above(0);
      expect(left.size + some.lost.length).to.equal(wanted.size);
      for (const [key, bytes] of left) expect(bytes.equals(wanted.get(key)!), key).to.equal(true);
      for (const one of [cube, back, some]) one.dispose();
    }));

  it("format 'wavecube' is another name of it", async () => {
    const cube = new WavetableMatrix(1, 1, 1, { resolution: 1, channels: 1 });
    cube.setNode(0, 0, 0, Float32Array.of(3));
    const path = join(folder, 'other.name');
    await cube.save(path, { format: 'wavecube' });
    const back = await WavetableMatrix.load(path);
    expect(await storedOf(back)).to.deep.equal(await storedOf(cube));
    cube.dispose();
    back.dispose();
  });
}, ['wasm']);
