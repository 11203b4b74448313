import { expect } from 'chai';
import { unzlibSync } from 'fflate';
import { library, suspect } from '../../src/formats/hdf5/library.js';
import { FormatError, ready, WavetableMatrix } from '../../src/index.js';
import foreign from '../golden/hdf5/foreign.json' with { type: 'json' };
import { withoutLeaks } from '../support/backends.js';
import { fromBase64 } from '../support/base64.js';
import { loadedFrom, plainContents } from '../support/contents.js';
import { flips, fuzzCube } from '../support/fuzz.js';

const unpacked = (text: string) => unzlibSync(fromBase64(text));

async function failure(promise: Promise<unknown>): Promise<FormatError> {
  const error = await promise.then(
    () => null,
    (error) => error,
  );
  expect(error).to.be.instanceOf(FormatError);
  return error;
}

/** The places of the values of a dataset in a file that holds them once. */
function find(bytes: Uint8Array, values: Uint8Array): number {
  for (let at = 0; at + values.length <= bytes.length; at++) {
    if (values.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  throw new Error('the values are not there');
}

/** The values of nodes, and their places in the file. */
async function placesOf(cube: WavetableMatrix, bytes: Uint8Array): Promise<Map<string, number>> {
  const places = new Map<string, number>();
  for await (const node of cube.storedNodes()) {
    const values = 'compressed' in node ? node.compressed : node.values;
    const name = `${node.x}_${node.y}_${node.z}${'tangent' in node && node.tangent ? node.tangent : ''}`;
    places.set(name, find(bytes, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)));
  }
  return places;
}

describe('hdf5', () => {
  before(() => ready({ backend: 'cpu' }));

  for (const [name, file] of Object.entries(foreign.cubes)) {
    it(`reads what h5py writes: ${name}`, () =>
      withoutLeaks(async () => {
        const cube = await WavetableMatrix.fromBytes(unpacked(file), 'foreign.h5');
        expect([cube.width, cube.height, cube.depth, cube.nodeCount]).to.deep.equal([2, 1, 3, 2]);
        expect(cube.metadata).to.deep.equal({ by: 'h5py' });
        for (const [place, values] of Object.entries(foreign.values)) {
          const [x, y, z] = place.split('_').map(Number);
          const node = cube.getNode(x, y, z);
          const tolerance = cube.dtype === 'float16' ? 1e-3 : 0;
          [...(await node.data())].forEach((value, i) => {
            expect(value).to.be.closeTo(values[i], tolerance);
          });
          node.dispose();
        }
        cube.dispose();
      }));
  }

  for (const [name, { file, error: words }] of Object.entries(foreign.hostile)) {
    it(`refuses ${name}, silently, and reads on`, () =>
      withoutLeaks(async () => {
        const { error: print, log } = console;
        const printed: unknown[] = [];
        console.error = console.log = (...what) => printed.push(what);
        try {
          const h5 = await library();
          const open = () => h5.FS.streams.filter(Boolean).length;
          const before = [h5.HEAPU8.length, open()];
          const error = await failure(WavetableMatrix.fromBytes(unpacked(file), 'hostile.h5'));
          expect(error.message).to.include(words);
          expect(error.source).to.equal('hostile.h5');
          expect(h5.HEAPU8.length - before[0]).to.be.below(2 ** 25);
          expect(open(), 'files that stay open').to.equal(before[1]);
        } finally {
          console.error = print;
          console.log = log;
        }
        expect(printed).to.deep.equal([]);
        (await WavetableMatrix.fromBytes(unpacked(foreign.cubes.float16))).dispose();
      }));
  }

  it('a heap of texts whose chain stands still is refused: HDF5 would go round in it for ever', () =>
    withoutLeaks(async () => {
      const bytes = unpacked(foreign.cubes['with attributes']);
      const heap = find(bytes, new TextEncoder().encode('GCOL'));
      // The first object, 'wavecube', ends in the zeros behind all objects.
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(heap + 24, 2000, true);
      const error = await failure(WavetableMatrix.fromBytes(bytes, 'standing.h5'));
      expect(error.message).to.include('cannot be read');
    }));

  it('flips in what others wrote, without checksums, give a typed error or a cube', function () {
    this.timeout(30_000);
    return withoutLeaks(async () => {
      for (const name of ['with attributes', 'big-endian and chunked'] as const) {
        for (const { what, bytes } of flips(unpacked(foreign.cubes[name]), 150)) {
          const read = await WavetableMatrix.fromBytes(bytes, 'flipped.h5').catch((error) => error);
          if (read instanceof WavetableMatrix) read.dispose();
          else expect(read, what).to.be.instanceOf(FormatError);
        }
      }
    });
  });

  it('keeps metadata above the 64 KB that an attribute may have', () =>
    withoutLeaks(async () => {
      const metadata = { long: 'ä€😀'.repeat(50_000) };
      const cube = new WavetableMatrix(1, 1, 1, { resolution: 1, channels: 1, metadata });
      const back = await WavetableMatrix.fromBytes(await cube.toBytes('hdf5'));
      expect(back.metadata).to.deep.equal(metadata);
      cube.dispose();
      back.dispose();
    }));

  it('a damaged dataset is named with its node and offset, and costs no other node in recovery', () =>
    withoutLeaks(async () => {
      const cube = await fuzzCube();
      const bytes = await cube.toBytes('hdf5');
      const original = await plainContents(cube.contents());
      for (const [name, at] of await placesOf(cube, bytes)) {
        const damaged = bytes.slice();
        damaged[at + 5] ^= 16;
        const error = await failure(WavetableMatrix.fromBytes(damaged, 'damaged.h5'));
        expect(error.node?.join('_')).to.equal(name.slice(0, 5));
        expect(error.offset).to.equal(at);
        expect(error.message).to.include('recover: true');
        const recovered = await WavetableMatrix.fromBytes(damaged, 'damaged.h5', { recover: true });
        const { nodes } = await plainContents(recovered.contents());
        const lost = [...original.nodes.keys()].filter((place) => !nodes.has(place));
        expect(lost).to.include(name.length > 5 ? `${name.slice(5)} ${name.slice(0, 5)}` : name);
        expect(lost.length).to.equal(name === '0_1_1' ? 2 : 1);
        for (const [place, node] of nodes) expect(node).to.equal(original.nodes.get(place));
        recovered.dispose();
      }
      cube.dispose();
    }));

  it('without verification damaged values come as they are', () =>
    withoutLeaks(async () => {
      const cube = await fuzzCube();
      const bytes = await cube.toBytes('hdf5');
      const at = (await placesOf(cube, bytes)).get('0_0_0')!;
      bytes[at] ^= 1;
      const back = await WavetableMatrix.fromBytes(bytes, 'damaged.h5', { verify: false });
      const [one, two] = [cube.getNode(0, 0, 0), back.getNode(0, 0, 0)];
      const [before, after] = [await one.data(), await two.data()];
      expect(after[0]).not.to.equal(before[0]);
      expect(after.slice(1)).to.deep.equal(before.slice(1));
      for (const each of [one, two, cube, back]) each.dispose();
    }));

  it('a module that a file broke is replaced, or works again', async () => {
    const broken = await library();
    const { create_group } = broken;
    suspect(broken);
    expect(await library()).to.equal(broken);
    suspect(broken);
    broken.create_group = () => {
      throw new WebAssembly.RuntimeError('unreachable');
    };
    try {
      if (typeof document !== 'undefined') {
        // A bundle has no second copy.
        const error = await library().catch((error) => error);
        expect(error.name).to.equal('DeviceError');
        return;
      }
      expect(await library()).not.to.equal(broken);
      (await loadedFrom(unpacked(foreign.cubes.float16), 'after.h5')).dispose();
    } finally {
      broken.create_group = create_group;
    }
  });

  it('calls of HDF5 leave the module to others as it was, also those that throw', async () => {
    const h5 = await library();
    const { open } = h5.FS;
    const { grow } = WebAssembly.Memory.prototype;
    const files = h5.FS.streams.filter(Boolean).length;
    await failure(WavetableMatrix.fromBytes(unpacked(foreign.cubes.float16).subarray(0, 900), 'cut.h5'));
    expect(h5.FS.open).to.equal(open);
    expect(WebAssembly.Memory.prototype.grow).to.equal(grow);
    expect(h5.FS.streams.filter(Boolean).length).to.equal(files);
  });

  it('takes no options', async () => {
    const cube = new WavetableMatrix(1, 1, 1, { resolution: 1, channels: 1 });
    const error = await cube.toBytes('hdf5', { deflate: true }).catch((error) => error);
    expect(error.name).to.equal('ArgumentError');
    cube.dispose();
  });
});
