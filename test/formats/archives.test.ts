/** Archives beyond 4 GiB, and what recovery makes of damage to single entries. */
import { expect } from 'chai';
import { checkRange } from '../../src/grid/files/bytestream.js';
import { cubeOf, formatFor } from '../../src/grid/files/persistence.js';
import { memorySource, ready, type Sink, type Source, WavetableMatrix } from '../../src/index.js';
import { plainContents } from '../support/contents.js';
import { makeCube } from '../support/cubes.js';
import { expectSameContents } from '../support/formatcases.js';

const npz = formatFor('test', 'npz');

/** A file whose first gigabytes are zeros that nobody holds. */
class Behind {
  #bytes = new Uint8Array();
  constructor(readonly gap: number) {}

  sink(): Sink {
    const self = this;
    return {
      name: 'large.npz',
      get sizeBytes() {
        return self.gap + self.#bytes.length;
      },
      async write(bytes) {
        self.#bytes = Uint8Array.from([...self.#bytes, ...bytes]);
      },
      async patch(offset, bytes) {
        self.#bytes.set(bytes, offset - self.gap);
      },
      async commit() {},
      async abort() {},
    };
  }

  source(): Source {
    const held = memorySource(this.#bytes, 'large.npz');
    const { gap } = this;
    return {
      name: 'large.npz',
      sizeBytes: gap + held.sizeBytes,
      async read(offset, length) {
        checkRange(this, offset, length);
        if (offset >= gap) return held.read(offset - gap, length);
        const out = new Uint8Array(length);
        out.set(
          await held.read(0, Math.max(0, offset + length - gap)),
          length - Math.max(0, offset + length - gap),
        );
        return out;
      },
      async close() {},
    };
  }
}

describe('npz beyond 4 GiB', () => {
  before(() => ready({ backend: 'cpu' }));

  for (const gap of [2 ** 32 - 700, 2 ** 32, 5 * 2 ** 32]) {
    it(`entries behind ${gap} bytes are written and read`, async () => {
      const { cube } = makeCube({ dims: [2, 2, 1] });
      const file = new Behind(gap);
      await npz.write(cube.contents(), file.sink(), {});
      const contents = await npz.read(file.source(), {});
      if (contents.kind !== 'cube') throw new Error('is a cube');
      const back = await cubeOf(contents, 'large.npz');
      await expectSameContents(cube, back);
      cube.dispose();
      back.dispose();
    });
  }
});

describe('npz, recovered', () => {
  before(() => ready({ backend: 'cpu' }));

  const cubeWithTangent = () => {
    const { cube } = makeCube({ dims: [2, 2, 1] });
    cube.setTangents(1, 0, 0, { y: new Float32Array(12).fill(3) });
    return cube;
  };
  const recovered = async (bytes: Uint8Array) => {
    const contents = await npz.read(memorySource(bytes, 'damaged.npz'), { recover: true });
    if (contents.kind !== 'cube') throw new Error('is a cube');
    const { nodes } = await plainContents(contents);
    return { places: [...nodes.keys()].sort(), lost: contents.lost! };
  };
  const find = (bytes: Uint8Array, name: string) => {
    const text = Array.from(bytes, (b) => String.fromCharCode(b)).join('');
    return text.indexOf(name);
  };
  /** Flips a bit of the values of a node, which begin 128 bytes behind the magic of its array. */
  const damage = (bytes: Uint8Array, name: string) => {
    const start = find(bytes, name);
    bytes[start + find(bytes.subarray(start), 'NUMPY') + 130] ^= 1;
  };

  it('damage to a node costs it and its tangents, each named with file, offset and reason', async () => {
    const cube = cubeWithTangent();
    const bytes = await cube.toBytes();
    damage(bytes, 'nodes/1_0_0.npy');
    const { places, lost } = await recovered(bytes);
    expect(places).to.deep.equal(['0_0_0', '0_1_0', '1_1_0']);
    expect(lost.map(({ x, y, z, tangent }) => [x, y, z, tangent])).to.deep.equal([
      [1, 0, 0, undefined],
      [1, 0, 0, 'y'],
    ]);
    for (const { file, offset, reason } of lost) {
      expect(file).to.equal('damaged.npz');
      expect(offset).to.be.a('number');
      expect(reason).to.match(/checksum|tangent of a node that is lost/);
    }
    const error = await WavetableMatrix.fromBytes(bytes, 'damaged.npz').catch((e) => e);
    expect(error.node).to.deep.equal([1, 0, 0]);
    expect(error.offset).to.equal(find(bytes, 'nodes/1_0_0.npy') - 30);
    expect(error.message).to.contain('{ recover: true }');
    cube.dispose();
  });

  it('a file that was cut short gives what is in front of the cut, and names the rest', async () => {
    const cube = cubeWithTangent();
    const bytes = await cube.toBytes();
    const { places, lost } = await recovered(bytes.slice(0, find(bytes, 'nodes/1_0_0.npy') + 200));
    expect(places.length + lost.length).to.equal(5);
    expect(places).to.not.include('1_0_0');
    cube.dispose();
  });

  it('what was recovered and is saved again is whole', async () => {
    const cube = cubeWithTangent();
    const bytes = await cube.toBytes();
    damage(bytes, 'nodes/1_0_0.npy');
    const contents = await npz.read(memorySource(bytes, 'damaged.npz'), { recover: true });
    const file = new Behind(0);
    await npz.write(contents, file.sink(), {});
    const again = await npz.read(file.source(), {});
    expect((await plainContents(again)).nodes.size).to.equal(3);
    cube.dispose();
  });
});
