import { expect } from 'chai';
import { ArgumentError, decodeNpy, encodeNpy, FormatError, WavetableMatrix } from '../../src/index.js';
import golden from '../golden/npz.json' with { type: 'json' };
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { fromBase64 } from '../support/base64.js';
import { makeCube } from '../support/cubes.js';
import { expectClose, random } from '../support/numbers.js';

async function stored(cube: WavetableMatrix): Promise<Map<string, [readonly number[], number[]]>> {
  const out = new Map<string, [readonly number[], number[]]>();
  for await (const node of cube.storedNodes()) {
    if ('compressed' in node) throw new Error('no node here is compressed');
    const { x, y, z, shape, values } = node;
    out.set(`${x}_${y}_${z}`, [shape, [...new Uint8Array(values.slice().buffer)]]);
  }
  return new Map([...out].sort());
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a failure');
}

eachBackend('npz', () => {
  const layouts = [
    {},
    { dtype: 'float16' },
    { sparse: false, dims: [2, 3, 2] },
    { trainable: true },
    { missingPart: 0.5, pageBytes: 100 },
    {
      boundary: { x: 'wrap', y: 'reflect', z: 'zero' },
      missing: 'renormalize',
      periodic: { w: true },
      channels: 4,
      blend: 'nlerp',
    },
  ] as const;
  for (const layout of layouts) {
    for (const deflate of [false, true]) {
      it(`bytes → cube is bit-exact, ${JSON.stringify(layout)}${deflate ? ', deflated' : ''}`, () =>
        withoutLeaks(async () => {
          const { cube } = makeCube({ ...(layout as object), metadata: { note: 'ünïcode', list: [1, 2] } });
          const back = await WavetableMatrix.fromBytes(await cube.toBytes('npz', { deflate }));
          expect(back.options).to.deep.equal(cube.options);
          expect([back.width, back.height, back.depth]).to.deep.equal([cube.width, cube.height, cube.depth]);
          expect(back.metadata).to.deep.equal(cube.metadata);
          expect(await stored(back)).to.deep.equal(await stored(cube));
          cube.dispose();
          back.dispose();
        }));
    }
  }

  it('nodes of several resolutions keep theirs', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: [2, 2, 1] });
      cube.upscaleNode(1, 0, 0, 2);
      const back = await WavetableMatrix.fromBytes(await cube.toBytes());
      expect(back.getResolution(1, 0, 0)).to.deep.equal([4, 6]);
      expect(await stored(back)).to.deep.equal(await stored(cube));
      cube.dispose();
      back.dispose();
    }));

  it('writes while a cube is saved do not show in the file', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: [3, 1, 1] });
      const before = await stored(cube);
      const saving = cube.toBytes();
      cube.deleteNode(1, 0, 0);
      cube.setNode(2, 0, 0, new Float32Array(12).fill(77));
      const back = await WavetableMatrix.fromBytes(await saving);
      expect(await stored(back)).to.deep.equal(before);
      cube.dispose();
      back.dispose();
    }));

  it('the same cube gives the same bytes', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube();
      expect(await cube.toBytes()).to.deep.equal(await cube.toBytes());
      cube.dispose();
    }));

  it('a file written by numpy loads', () =>
    withoutLeaks(async () => {
      const cube = await WavetableMatrix.fromBytes(fromBase64(golden.npz), 'numpy.npz');
      expect([...cube.positions()]).to.deep.equal([
        [0, 0, 0],
        [1, 0, 2],
      ]);
      expect(cube.metadata).to.deep.equal({ by: 'numpy' });
      const node = cube.getNode(1, 0, 2);
      expectClose(await node.data(), new Float32Array(4).fill(Math.PI), 0);
      node.dispose();
      cube.dispose();
    }));
});

eachBackend('npz, damaged', () => {
  it('a truncation gives a typed error that names the file, or the whole cube', async () => {
    const { cube } = makeCube({ dims: [2, 2, 1] });
    const bytes = await cube.toBytes();
    for (let length = 0; length < bytes.length; length += 7) {
      await withoutLeaks(async () => {
        const error = await failure(WavetableMatrix.fromBytes(bytes.slice(0, length), 'cut.npz'));
        expect(error).to.be.instanceOf(FormatError);
        expect(error.message).to.contain('cut.npz');
      });
    }
    cube.dispose();
  });

  it('a flipped bit gives a typed error or the same cube, and leaks nothing', async () => {
    const { cube } = makeCube({ dims: [2, 1, 1] });
    const want = await stored(cube);
    const next = random(11);
    for (const deflate of [false, true]) {
      const bytes = await cube.toBytes('npz', { deflate });
      for (let i = 0; i < 300; i++) {
        const damaged = bytes.slice();
        damaged[Math.floor(next() * bytes.length)] ^= 1 << Math.floor(next() * 8);
        await withoutLeaks(async () => {
          try {
            const back = await WavetableMatrix.fromBytes(damaged, 'flip.npz');
            expect(await stored(back)).to.deep.equal(want);
            back.dispose();
          } catch (error) {
            expect(error, String((error as Error).stack)).to.be.instanceOf(FormatError);
          }
        });
      }
    }
    cube.dispose();
  });

  it('a node without extent, or a header of no sense, is refused', () => {
    const { cube } = makeCube({ dims: [1, 1, 1] });
    expect(() =>
      cube.restoreNodes([{ x: 0, y: 0, z: 0, shape: [0, 2, 2], values: new Float32Array(0) }]),
    ).to.throw(ArgumentError, '[H, W, 2]');
    cube.dispose();
    expect(() => new WavetableMatrix(1, 1, 1, { resolution: {} as never })).to.throw(
      ArgumentError,
      'resolution',
    );
  });

  it('what is no cube is refused by name', async () => {
    const text = new TextEncoder().encode('hello');
    expect((await failure(WavetableMatrix.fromBytes(text, 'a.txt'))).message).to.contain(
      'a.txt: is no file that Wavecube knows (it begins with 68 65 6c 6c)',
    );
    const { cube } = makeCube({ dims: [1, 1, 1] });
    expect(await failure(cube.toBytes('tar'))).to.be.instanceOf(ArgumentError);
    cube.dispose();
  });
}, ['cpu']);

describe('npy', () => {
  it('is read as it was written, aligned to 64 bytes, from any offset', () => {
    const bytes = encodeNpy({
      dtype: '<f4',
      shape: [2, 3],
      data: Float32Array.of(1, 2, 3, 4, 5, 6).subarray(0, 6),
    });
    expect((bytes.length - 24) % 64).to.equal(0);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const back = decodeNpy(shifted.subarray(3), 'a.npy');
    expect(back.shape).to.deep.equal([2, 3]);
    expect([...back.data]).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });

  it('refuses other dtypes, orders, versions and sizes by name', () => {
    const bytes = encodeNpy({ dtype: '<f4', shape: [2], data: Float32Array.of(1, 2) });
    const patched = (from: string, to: string) => {
      const text = String.fromCharCode(...bytes).replace(from, to);
      return Uint8Array.from(text, (c) => c.charCodeAt(0));
    };
    const cases: [Uint8Array, string][] = [
      [patched('<f4', '<c8'), 'dtype <c8'],
      [patched('False', 'True '), 'Fortran'],
      [patched('(2,)', '(3,)'), 'needs 12'],
      [patched('(2,)', '(x,)'), 'of no sense'],
      [patched('descr', 'dexcr'), 'without descr'],
      [patched('\u0001\u0000', '\u0007\u0000'), 'version 7'],
      [bytes.slice(0, 20), 'ends within its header'],
      [bytes.slice(0, 4), 'is not a .npy'],
    ];
    for (const [damaged, message] of cases)
      expect(() => decodeNpy(damaged, 'b.npy')).to.throw(FormatError, message);
  });
});
