/** What files claim of themselves asks for no memory that their bytes do not bear out; { maxBytes } takes their word for it. */
import { expect } from 'chai';
import { hdf5 } from '../../src/formats/hdf5.js';
import { npyHead } from '../../src/formats/npy.js';
import { cubeJson } from '../../src/formats/npz/metadata.js';
import { npz } from '../../src/formats/npz.js';
import { wvcb } from '../../src/formats/wvcb.js';
import { zarr } from '../../src/formats/zarr.js';
import { ZipWriter } from '../../src/formats/zip/writing.js';
import { memorySink, memorySource } from '../../src/grid/files/bytestream.js';
import type { CubeContents, OctavesContents } from '../../src/grid/files/contents.js';
import { FormatError, type StoredNode, type WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { loadedFrom, plainContents } from '../support/contents.js';
import { failure } from '../support/failure.js';
import { memoryFolder } from '../support/folders.js';

const NODE: StoredNode = { x: 0, y: 0, z: 0, shape: [2, 2, 1], values: Float32Array.of(1, 2, 3, 4) };

function contents(options: object, nodes: StoredNode[] = [], more: Partial<CubeContents> = {}): CubeContents {
  return {
    ...{ kind: 'cube', width: 2, height: 1, depth: 1, metadata: {}, count: nodes.length, dispose() {} },
    options: { resolution: [2, 2], channels: 1, dtype: 'float32', ...options },
    nodes: (async function* () {
      if (nodes.length > 0) yield nodes;
    })(),
    ...more,
  };
}

/** Octaves of a cube of zeros each, none of them in the file. */
const emptyOctaves = (count: number, bytesEach: number): OctavesContents => ({
  ...{ kind: 'octaves', width: 2, height: 1, depth: 1, basis: 'levels', blend: 'linear', resolution: [2, 2] },
  metadata: {},
  levels: Array.from({ length: count }, (_, octave) => ({
    octave,
    shifted: [false, false, false],
    cube: contents({ sparse: false, resolution: [bytesEach / 8, 1] }),
  })),
});

async function bytesOf(format: typeof npz, held: CubeContents | OctavesContents): Promise<Uint8Array> {
  let bytes = new Uint8Array();
  const sink = memorySink('file', (all) => {
    bytes = all as Uint8Array<ArrayBuffer>;
  });
  await format.write(held, sink, {});
  await sink.commit();
  return bytes;
}

eachBackend('claims of files', (backend) => {
  for (const format of [npz, wvcb, hdf5]) {
    it(`${format.name}: zeros in the place of missing nodes are counted over all octaves`, () =>
      withoutLeaks(async () => {
        const bytes = await bytesOf(format, emptyOctaves(8, 2 ** 22));
        const error = await failure(loadedFrom(bytes, 'file'));
        expect(error).to.be.an.instanceof(FormatError);
        expect(error.message).to.match(/zeros for nodes that it has not .*maxBytes/);
        if (backend !== 'cpu') return;
        const octaves = await loadedFrom(bytes, 'file', { maxBytes: 2 ** 25 });
        octaves.dispose();
      }));

    it(`${format.name}: a sparse cube of 2^28 places takes the memory of its nodes`, () =>
      withoutLeaks(async () => {
        const held = contents({}, [NODE], { width: 2 ** 14, height: 2 ** 14 });
        const used = () => globalThis.process?.memoryUsage?.().arrayBuffers;
        const before = used();
        const cube = (await loadedFrom(await bytesOf(format, held), 'file')) as WavetableMatrix;
        expect(cube.nodeCount).to.equal(1);
        if (before !== undefined) expect(used()! - before).to.be.below(2 ** 26);
        cube.dispose();
      }));
  }
});

describe('claims of damaged files', () => {
  it('npz: a count that nothing bears out makes no room', async () => {
    let bytes = new Uint8Array();
    const sink = memorySink('file', (all) => {
      bytes = all as Uint8Array<ArrayBuffer>;
    });
    const zip = new ZipWriter(sink, false);
    const json = cubeJson(contents({}), 2 ** 40, undefined);
    const metadata = await zip.add('metadata.npy', npyHead('|u1', [json.length]), json, true);
    const values = (NODE as { values: Float32Array }).values;
    const node = await zip.add('nodes/0_0_0.npy', npyHead('<f4', [2, 2, 1]), new Uint8Array(values.buffer));
    const rows = Int32Array.of(-1, -1, -1, -1, zip.crcOf(metadata), 0, 0, 0, 0, zip.crcOf(node));
    await zip.add('places.npy', npyHead('<i4', [2, 5]), new Uint8Array(rows.buffer), true);
    await zip.finish();
    await sink.commit();
    const recovered = (await npz.read(memorySource(bytes, 'file'), { recover: true })) as CubeContents;
    expect(recovered.count).to.equal(1);
    const back = await npz.read(memorySource(await bytesOf(npz, recovered), 'file'), {});
    expect((await plainContents(back)).nodes.size).to.equal(1);
  });

  it('zarr: an array of others has as many nodes as its files may hold', async () => {
    const json = {
      ...{ zarr_format: 3, node_type: 'array', shape: [2 ** 14, 2 ** 14, 1, 2, 2, 1], data_type: 'float32' },
      chunk_grid: { name: 'regular', configuration: { chunk_shape: [1, 1, 1, 2, 2, 1] } },
      chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
      codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
      ...{ fill_value: 0, attributes: {} },
    };
    const files = new Map([
      ['zarr.json', new TextEncoder().encode(JSON.stringify(json))],
      ['c/5/0/0/0/0/0', new Uint8Array(16)],
    ]);
    const held = (await zarr.readFolder!(memoryFolder('others.zarr', files), {})) as CubeContents;
    expect(held.count).to.equal(1);
    expect([...(await plainContents(held)).nodes.keys()]).to.deep.equal(['5_0_0']);
    held.dispose();
  });
});
