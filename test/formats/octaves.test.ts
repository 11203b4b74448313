import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { unzipSync, zipSync } from 'fflate';
import {
  decodeNpy,
  encodeNpy,
  FormatError,
  OctaveHierarchy,
  type OctaveHierarchyOptions,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { makeCube } from '../support/cubes.js';
import { random, randomArray } from '../support/numbers.js';
import { filled } from '../support/octaves.js';

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a failure');
}

/** Every stored byte, by octave and node. */
async function stored(hierarchy: OctaveHierarchy): Promise<Map<string, number[]>> {
  const out = new Map<string, number[]>();
  for (const octave of hierarchy.octaves) {
    for await (const node of hierarchy.getMatrix(octave).storedNodes()) {
      const bytes = 'compressed' in node ? node.compressed : new Uint8Array(node.values.slice().buffer);
      out.set(`${octave} ${node.x}_${node.y}_${node.z}`, [...bytes]);
    }
  }
  return new Map([...out].sort());
}

const metadataOf = (entries: Record<string, Uint8Array>) =>
  JSON.parse(new TextDecoder().decode(decodeNpy(entries['metadata.npy'], 'test').data as Uint8Array));

/** The archive with its metadata, or its entries, changed. */
function changed(
  bytes: Uint8Array,
  change: (header: Record<string, unknown>, entries: Record<string, Uint8Array>) => void,
): Uint8Array {
  const entries = unzipSync(bytes);
  const header = metadataOf(entries);
  change(header, entries);
  const data = new TextEncoder().encode(JSON.stringify(header));
  return zipSync(
    { ...entries, 'metadata.npy': encodeNpy({ dtype: '|u1', shape: [data.length], data }) },
    { level: 0 },
  );
}

const LAYOUTS: OctaveHierarchyOptions[] = [
  { octaveLevels: [-1, 0, 2], gridScale: 2, resolution: 1, channels: 2 },
  {
    octaveLevels: [-1, 0, 2],
    gridScale: 2,
    resolution: 1,
    channels: 3,
    basis: 'laplacian',
    offset: 'half-cell',
    boundary: { x: 'wrap', y: 'reflect', z: 'clamp' },
    trainable: true,
    octaves: { 2: { channels: 1, grid: [7, 5, 3] }, [-1]: { offset: 'none' } },
  },
];

eachBackend('npz of octaves', () => {
  for (const layout of LAYOUTS) {
    for (const deflate of [false, true]) {
      it(`bytes → hierarchy is bit-exact, ${layout.basis ?? 'levels'}${deflate ? ', deflated' : ''}`, () =>
        withoutLeaks(async () => {
          const made = new OctaveHierarchy(4, 3, 2, { ...layout, metadata: { note: 'ünïcode' } });
          const { boundary } = made.getMatrix(0).options;
          filled(made, (boundary as { x: 'clamp' }).x);
          const back = await OctaveHierarchy.fromBytes(await made.toBytes('npz', { deflate }));
          expect(back.octaves).to.deep.equal(made.octaves);
          expect([back.width, back.height, back.depth, back.channels]).to.deep.equal([
            4,
            3,
            2,
            made.channels,
          ]);
          expect(back.resolution).to.deep.equal(made.resolution);
          expect(back.basis).to.equal(made.basis);
          expect(back.metadata).to.deep.equal({ note: 'ünïcode' });
          for (const octave of made.octaves) {
            expect(back.getMatrix(octave).options).to.deep.equal(made.getMatrix(octave).options);
          }
          expect(await stored(back)).to.deep.equal(await stored(made));
          const at = [
            [0.3, 1.8, 0.9],
            [2.9, 0.1, 0.4],
            [-1.2, 2.5, 1.1],
          ];
          const octaves = [-0.3, 1.1, 2];
          const [one, two] = [made, back].map((h) => h.sampleBatchBlended(at, octaves));
          expect([...(await two.data())]).to.deep.equal([...(await one.data())]);
          expect(await back.toBytes('npz', { deflate })).to.deep.equal(
            await made.toBytes('npz', { deflate }),
          );
          tf.dispose([one, two]);
          made.dispose();
          back.dispose();
        }));
    }
  }

  it('nodes that wait are compressed by their octave’s codec first, and stay compressed', () =>
    withoutLeaks(async () => {
      const made = new OctaveHierarchy(1, 1, 1, {
        octaveLevels: [-2, 0],
        baseResolution: 16,
        channels: 1,
        octaves: { 0: { compression: 'dct' } },
      });
      const smooth = (n: number) =>
        Float32Array.from({ length: n * n }, (_, i) => Math.sin((3 * i) / (n * n)));
      made.getMatrix(-2).setNode(0, 0, 0, smooth(4));
      made.getMatrix(0).setNode(0, 0, 0, smooth(16));
      const back = await OctaveHierarchy.fromBytes(await made.toBytes());
      expect(back.octaves.map((o) => back.getMatrix(o).getCodec(0, 0, 0))).to.deep.equal([null, 'dct']);
      expect(back.getMatrix(0).options.compression).to.deep.equal({ method: 'dct', quality: 0.95 });
      expect(await stored(back)).to.deep.equal(await stored(made));
      made.dispose();
      back.dispose();
    }));
});

eachBackend('npz of octaves, damaged', () => {
  it('each class names the other where a file holds that', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: [2, 1, 1] });
      const made = new OctaveHierarchy(2, 1, 1, { octaveLevels: [0, 1], resolution: 1, channels: 1 });
      const one = await failure(WavetableMatrix.fromBytes(await made.toBytes(), 'pyramid.npz'));
      expect(one).to.be.instanceOf(FormatError);
      expect(one.message).to.contain('pyramid.npz').and.to.contain('OctaveHierarchy.load');
      const two = await failure(OctaveHierarchy.fromBytes(await cube.toBytes(), 'cube.npz'));
      expect(two).to.be.instanceOf(FormatError);
      expect(two.message).to.contain('cube.npz').and.to.contain('WavetableMatrix.load');
      const none = await failure(OctaveHierarchy.fromBytes(new Uint8Array(9), 'zeros.npz'));
      expect(none).to.be.instanceOf(FormatError);
      cube.dispose();
      made.dispose();
    }));

  it('a truncation gives a typed error that names the file; a flipped bit that, or the same hierarchy', async () => {
    const made = new OctaveHierarchy(2, 1, 1, LAYOUTS[0]);
    filled(made);
    const bytes = await made.toBytes();
    const want = await stored(made);
    for (let length = 0; length < bytes.length; length += 61) {
      await withoutLeaks(async () => {
        const error = await failure(OctaveHierarchy.fromBytes(bytes.slice(0, length), 'cut.npz'));
        expect(error).to.be.instanceOf(FormatError);
        expect(error.message).to.contain('cut.npz');
      });
    }
    const next = random(3);
    for (let i = 0; i < 250; i++) {
      const damaged = bytes.slice();
      damaged[Math.floor(next() * bytes.length)] ^= 1 << Math.floor(next() * 8);
      await withoutLeaks(async () => {
        try {
          const back = await OctaveHierarchy.fromBytes(damaged, 'flip.npz');
          expect(await stored(back)).to.deep.equal(want);
          back.dispose();
        } catch (error) {
          expect(error, String((error as Error).stack)).to.be.instanceOf(FormatError);
        }
      });
    }
    made.dispose();
  });

  it('a header of no sense, or entries that do not belong together, are refused as the file’s fault', async () => {
    const made = new OctaveHierarchy(4, 3, 2, LAYOUTS[1]);
    made.getMatrix(0).setNode(0, 0, 0, randomArray(3, random(1)));
    const bytes = await made.toBytes();
    type Header = Record<string, unknown> & { levels: { octave: unknown; shifted: unknown }[] };
    const changes: ((header: Header, entries: Record<string, Uint8Array>) => void)[] = [
      (h) => void (h.format = 'something'),
      (h) => void (h.version = 9),
      (h) => void (h.levels = []),
      (h) => void (h.levels[0].octave = 0.5),
      (h) => void (h.levels[0].octave = 7),
      (h) => void (h.levels[0] = h.levels[1]),
      (h) => void (h.levels[1].shifted = [true]),
      (h) => void (h.levels[1].shifted = null),
      (h) => void (h.levels = 3 as never),
      (h) => void (h.levels[0] = null as never),
      (h) => void (h.width = 0),
      (h) => void (h.width = 'wide'),
      (h) => void (h.basis = 'gauss'),
      (h) => void (h.blend = 'slerp'),
      (h) => void (h.resolution = [0, 1]),
      (h) => void (h.resolution = undefined),
      (h) => void (h.user = 3),
      (_, e) => {
        delete e['octaves/0/metadata.npy'];
      },
      (_, e) => {
        e['octaves/5/metadata.npy'] = e['octaves/0/metadata.npy'];
      },
      (_, e) => {
        e['nodes/0_0_0.npy'] = e['octaves/0/nodes/0_0_0.npy'];
      },
      (_, e) => {
        e['octaves/0/nodes/9_0_0.npy'] = e['octaves/0/nodes/0_0_0.npy'];
      },
    ];
    for (const change of changes) {
      await withoutLeaks(async () => {
        const damaged = changed(bytes, change as never);
        const error = await failure(
          OctaveHierarchy.fromBytes(damaged, 'odd.npz').then((h) => h.dispose()),
        ).catch(() => new Error('was taken'));
        expect(error, `${change}: ${error.stack}`).to.be.instanceOf(FormatError);
        expect(error.message).to.contain('odd.npz');
      });
    }
    made.dispose();
  });
}, ['cpu']);
