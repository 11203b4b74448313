/** Files made to harm: each is refused by a typed error that says why, before memory is asked for on its word. */
import { expect } from 'chai';
import { deflateSync } from 'fflate';
import { crc32 } from '../../src/checksum.js';
import { DeviceError, encodeNpy, ready, WavecubeError, type WavetableMatrix } from '../../src/index.js';
import { Allocations } from '../support/allocations.js';
import { loadedFrom } from '../support/contents.js';
import {
  type HandmadeEnd,
  type HandmadeEntry,
  handmadeZip,
  joined,
  metadataEntry,
  packed,
} from '../support/zips.js';

const HEADER = {
  ...{ format: 'wavecube', version: 1, width: 2, height: 1, depth: 1, resolution: [2, 2], channels: 1 },
  ...{ dtype: 'float32', sparse: true, user: {} },
};
const metadata = (changes: object = {}) => metadataEntry(JSON.stringify({ ...HEADER, ...changes }));
const npy = encodeNpy({ dtype: '<f4', shape: [2, 2, 1], data: Float32Array.of(1, 2, 3, 4) });
const node = (changes: Partial<HandmadeEntry> = {}): HandmadeEntry => ({
  name: 'nodes/0_0_0.npy',
  data: npy,
  ...changes,
});

/** Deflated zeros behind a .npy header that fits them, and what they claim. */
function bomb(name: string, shape: readonly [number, number, number]): HandmadeEntry {
  const whole = encodeNpy({ dtype: '<f4', shape, data: new Float32Array(shape[0] * shape[1] * shape[2]) });
  return { name, data: deflateSync(whole, { level: 9 }), method: 8, bytes: whole.length, crc: crc32(whole) };
}

describe('hostile npz files', function () {
  this.timeout(30_000);
  let allocations: Allocations;
  before(() => ready({ backend: 'cpu' }));
  beforeEach(() => {
    allocations = new Allocations();
  });
  afterEach(() => allocations.stop());

  /** Refused, with recovery as well, unless that leaves what is to be trusted. */
  async function refused(
    bytes: Uint8Array,
    message: RegExp,
    recovers: 'refused' | 'rest' = 'rest',
  ): Promise<void> {
    const limit = 2 * bytes.length + 2 * 10 ** 6;
    const read = (options: object) =>
      allocations
        .within(limit, () => loadedFrom(bytes, 'hostile.npz', options))
        .then(
          (saved) => saved,
          (error) => error,
        );
    const error = await read({});
    expect(error, error?.stack).to.be.instanceOf(WavecubeError);
    expect(error.message).to.match(message);
    // What no device could hold is not the file's fault.
    if (!(error instanceof DeviceError)) expect(error.message).to.match(/hostile\.npz/);
    const rest = await read({ recover: true });
    if (recovers === 'refused') expect(rest, rest?.stack).to.be.instanceOf(WavecubeError);
    else if (!(rest instanceof WavecubeError)) {
      expect(rest, rest?.stack).to.respondTo('dispose');
      rest.dispose();
    }
  }

  it('made by hand without harm, are read', async () => {
    const cube = (await loadedFrom(handmadeZip([metadata(), node()]), 'good.npz')) as WavetableMatrix;
    expect(cube.nodeCount).to.equal(1);
    cube.dispose();
    const comment = new TextEncoder().encode('a comment');
    const commented = await loadedFrom(handmadeZip([metadata(), node()], { comment }), 'good.npz');
    commented.dispose();
    const deferred = node({
      flags: 8,
      crc: 0,
      bytes: 0,
      packedBytes: 0,
      central: { crc: crc32(npy), bytes: npy.length, packedBytes: npy.length },
    });
    (await loadedFrom(handmadeZip([metadata(), deferred]), 'good.npz')).dispose();
  });

  it('with sizes that overflow, or offsets beyond the file', async () => {
    const huge = 0xfffffffe;
    const cases: [HandmadeEntry, RegExp][] = [
      [node({ packedBytes: huge, bytes: huge }), /overlaps what follows/],
      [node({ bytes: huge }), /claims 4294967294 bytes in/],
      [node({ method: 8, bytes: huge }), /cannot hold the 4294967294 bytes/],
      [node({ packedBytes: 0xffffffff, bytes: 0xffffffff }), /damaged at entry 1/],
      [node({ central: { offset: huge } }), /overlaps what follows/],
      [node({ central: { offset: 7 } }), /overlaps|not where|header that is not/],
    ];
    for (const [entry, message] of cases) await refused(handmadeZip([metadata(), entry]), message);
    const ends: [HandmadeEnd, RegExp][] = [
      [{ count: 0xfffe }, /cannot hold the 65534 entries/],
      [{ count: 1 }, /damaged at entry 1 of 1/],
      [{ directoryOffset: huge }, /does not end at/],
      [{ directoryOffset: 0 }, /does not end at/],
      [{ directoryBytes: huge }, /does not end at/],
      [{ directoryBytes: 0xffffffff }, /lacks the zip64 record/],
      [{ disk: 1 }, /one of several/],
      [{ before: new Uint8Array(9) }, /does not end at/],
    ];
    for (const [end, message] of ends) await refused(handmadeZip([metadata(), node()], end), message);
  });

  it('with zip64 records that lie', async () => {
    const locator = (at: number) => packed([4, 0x07064b50], [4, 0], [8, at], [4, 1]);
    const record = (count: number, bytes: number, at: number, size = 44) =>
      packed(
        [4, 0x06064b50],
        [8, size],
        [2, 45],
        [2, 45],
        [4, 0],
        [4, 0],
        [8, count],
        [8, count],
        [8, bytes],
        [8, at],
      );
    const plain = handmadeZip([metadata(), node()]);
    const view = new DataView(plain.buffer, plain.length - 22);
    const [bytes, at] = [view.getUint32(12, true), view.getUint32(16, true)];
    const wide = (before: Uint8Array) =>
      handmadeZip([metadata(), node()], {
        before,
        count: 0xffff,
        directoryBytes: 0xffffffff,
        directoryOffset: 0xffffffff,
      });
    const good = await loadedFrom(wide(joined(record(2, bytes, at), locator(at + bytes))), 'good.npz');
    good.dispose();
    for (const [count, size, offset] of [
      [2 ** 32, bytes, at],
      [2 ** 52, bytes, at],
      [2, 2 ** 52, at],
      [2, bytes, 2 ** 52],
      [3, bytes, at],
    ]) {
      await refused(wide(joined(record(count, size, offset), locator(at + bytes))), /directory/);
    }
    await refused(wide(joined(record(2, bytes, at), locator(0))), /not where it should be/);
    await refused(wide(joined(record(2, bytes, at), locator(2 ** 50))), /not where it should be/);
    await refused(wide(joined(record(2, bytes, at, 45), locator(at + bytes))), /contradicts/);
  });

  it('with entries that overlap, or are one another', async () => {
    const first = metadata();
    const second = node({ name: 'nodes/1_0_0.npy', central: { offset: first.data.length + 30 + 12 } });
    await refused(handmadeZip([first, node(), second]), /overlaps what follows/);
    await refused(handmadeZip([first, node(), node()]), /is there twice/);
    await refused(
      handmadeZip([first, node(), node({ name: 'compressed/0_0_0.npy' })]),
      /second for its place/,
    );
    await refused(
      handmadeZip([first, node({ central: { name: 'nodes/1_0_0.npy' } })]),
      /not what the directory says/,
    );
    await refused(handmadeZip([first, node({ central: { crc: 1 } })]), /not what the directory says/);
    await refused(
      handmadeZip([first, node({ method: 8, central: { method: 0 } })]),
      /not what the directory says/,
    );
    // An entry within an entry: its own header claims what is left of the file.
    const inner = handmadeZip([node({ name: 'nodes/1_0_0.npy' })]).subarray(0, 30 + 15 + npy.length);
    const offset = 30 + 12 + first.data.length + 30 + 15;
    const both = [first, node({ data: inner }), node({ name: 'nodes/1_0_0.npy', central: { offset } })];
    await refused(handmadeZip(both), /overlaps what follows/);
  });

  it('with what this library does not read: encryption, other packings, other flags, other files', async () => {
    await refused(handmadeZip([metadata(), node({ flags: 1 })]), /encrypted/);
    await refused(handmadeZip([metadata(), node({ flags: 0x41 })]), /encrypted/);
    await refused(handmadeZip([metadata(), node({ flags: 0x20 })]), /unknown flags/);
    await refused(handmadeZip([metadata(), node({ method: 14 })]), /method 14/);
    await refused(handmadeZip([metadata(), node({ central: { disk: 2 } })]), /damaged at entry 1/);
    await refused(handmadeZip([]), /no metadata\.npy/, 'refused');
  });

  it('with names that lead out of the archive, or that no cube has', async () => {
    for (const name of [
      '../nodes/0_0_0.npy',
      '/nodes/0_0_0.npy',
      'nodes/../../0_0_0.npy',
      'C:/0_0_0.npy',
      'nodes\\0_0_0.npy',
      'nodes/0_0_0.npy\0.txt',
    ]) {
      await refused(handmadeZip([metadata(), node({ name })]), /leads out of the archive/);
    }
    for (const name of [
      'nodes/00_0_0.npy',
      'nodes/-1_0_0.npy',
      'nodes/0_0.npy',
      'nodes/0_0_9999999999.npy',
      'NODES/0_0_0.npy',
      'nodes/',
      '',
      '__proto__',
      'nodes/0_0_0.npy/',
      'octaves/01/metadata.npy',
    ]) {
      await refused(handmadeZip([metadata(), node({ name })]), /none that a cube has/);
    }
    await refused(handmadeZip([metadata(), node({ name: Uint8Array.of(0xff, 0xfe) })]), /damaged at entry 1/);
    await refused(handmadeZip([metadata(), node({ name: 'octaves/0/nodes/0_0_0.npy' })]), /no hierarchy/);
    await refused(handmadeZip([metadata(), node({ name: 'nodes/2_0_0.npy' })]), /outside the grid/);
  });

  it('that unpack to much more than they are', async () => {
    // 1,000 to one, in one entry or in many, within what deflate can do.
    const one = bomb('nodes/0_0_0.npy', [2048, 2048, 2]);
    await refused(
      handmadeZip([metadata({ resolution: [2048, 2048], channels: 2 }), one]),
      /maxBytes/,
      'refused',
    );
    const many = Array.from({ length: 40 }, (_, x) => bomb(`nodes/${x}_0_0.npy`, [512, 512, 1]));
    await refused(handmadeZip([metadata({ width: 40, resolution: 512 }), ...many]), /maxBytes/, 'refused');
    // Metadata.
    const text = `{"format": "wavecube", "user": {"a": "${' '.repeat(5 * 2 ** 20)}"}}`;
    const { data } = metadataEntry(text);
    const deflated = {
      name: 'metadata.npy',
      data: deflateSync(data),
      method: 8,
      bytes: data.length,
      crc: crc32(data),
    };
    await refused(handmadeZip([deflated]), /unpacks to/, 'refused');
    // What claims less than it unpacks to, and what claims more.
    const small = bomb('nodes/0_0_0.npy', [64, 64, 1]);
    await refused(handmadeZip([metadata(), { ...small, bytes: 100 }]), /damaged/);
    await refused(handmadeZip([metadata(), { ...small, bytes: 20_000 }]), /damaged/);
    await refused(
      handmadeZip([metadata(), { ...small, data: Uint8Array.of(255, 255, 255), bytes: 128 }]),
      /damaged|inflated/,
    );
  });

  it('of zeros in earnest are read with maxBytes, and what is saved here is read without', async () => {
    allocations.stop();
    const shape = [2048, 2048, 2] as const;
    const said = metadata({ width: 1, resolution: [2048, 2048], channels: 2 });
    const bytes = handmadeZip([said, bomb('nodes/0_0_0.npy', shape)]);
    const cube = (await loadedFrom(bytes, 'zeros.npz', { maxBytes: 2 ** 26 })) as WavetableMatrix;
    expect(cube.nodeCount).to.equal(1);
    const saved = await cube.toBytes('npz', { deflate: true });
    const back = (await loadedFrom(saved, 'saved.npz')) as WavetableMatrix;
    expect(back.nodeCount).to.equal(1);
    cube.dispose();
    back.dispose();
  });

  it('with grids and axes beyond all bounds', async () => {
    const huge: [object, RegExp][] = [
      [{ width: 2 ** 32 }, /at most|more than/],
      [{ width: 2 ** 24, height: 2 ** 24, depth: 2 ** 24 }, /cells/],
      [{ width: 2 ** 53 }, /at most/],
      [{ width: 1e308, height: 1e308 }, /at most/],
      [{ width: -1 }, /positive/],
      [{ width: 1.5 }, /positive/],
      [{ width: '2' }, /width, height and depth/],
      [{ width: null }, /width, height and depth/],
      [{ sparse: false, width: 1000, height: 1000, depth: 100 }, /zeros for nodes that it has not/],
      [{ sparse: false, resolution: 2 ** 20 }, /zeros for nodes that it has not/],
      [{ resolution: [0, 1] }, /resolution/],
      [{ resolution: {} }, /resolution/],
      [{ channels: 2 ** 40 }, /must/],
      [{ axes: { x: Array.from({ length: 3000 }, (_, i) => i) } }, /positions/],
      [{ axes: { x: { min: 0, max: '1' } } }, /axes|min/],
      [{ axes: { __proto__: null, w: [0] } }, /no option/],
      [{ pageBytes: 4 }, /pageBytes/],
      [{ metadata: {} }, /metadata/],
      [{ what: 1 }, /what/],
      [{ user: [] }, /metadata as an object/],
      [{ version: 4 }, /version 4 of the npz layout; this library reads 1, 2 and 3/],
      [{ version: '__proto__' }, /version/],
    ];
    for (const [changes, message] of huge)
      await refused(handmadeZip([metadata(changes), node()]), message, 'rest');
  });

  it('with 2³² nodes in their metadata, and places of none', async () => {
    const count = 2 ** 32;
    const three = metadata({ version: 3, count });
    await refused(handmadeZip([three, node()]), /no places\.npy/);
    const row = (...numbers: number[]) => Int32Array.of(-1, -1, -1, -1, crc32(three.data), ...numbers);
    const placesOf = (data: Int32Array, shape = [data.length / 5, 5]) => ({
      name: 'places.npy',
      data: encodeNpy({ dtype: '<i4', shape, data }),
    });
    await refused(handmadeZip([three, placesOf(row()), node()]), /not the one/);
    await refused(handmadeZip([three, placesOf(row(), [2 ** 32, 5]), node()]), /needs 85899345920/);
    await refused(
      handmadeZip([three, placesOf(row(0, 0, 0, 0, crc32(npy))), node()]),
      /metadata of 4294967296/,
    );
    await refused(handmadeZip([three, placesOf(row(0, 0, 0, 9, 0)), node()]), /no sense/);
    await refused(handmadeZip([three, placesOf(row(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), node()]), /two rows/);
  });

  it('with JSON that is deep, or that reaches for prototypes', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    await refused(handmadeZip([metadataEntry(deep)]), /nests more than/, 'refused');
    await refused(
      handmadeZip([metadata({ axes: 'deep' })].map(({ name, data }) => ({ name, data: data.slice(0, -1) }))),
      /damaged|needs|holds/,
      'refused',
    );
    await refused(
      handmadeZip([metadataEntry('{"format": "wavecube", "version": 1, "__proto__": {"width": 1}}')]),
      /must say width/,
      'refused',
    );
    const proto = `${JSON.stringify(HEADER).slice(0, -1)}, "__proto__": {"polluted": true}}`;
    await refused(handmadeZip([metadataEntry(proto), node()]), /__proto__/, 'refused');
    for (const text of ['null', '3', '[]', '"wavecube"', '{', '']) {
      await refused(handmadeZip([metadataEntry(text)]), /must hold an object|no JSON/, 'refused');
    }
    expect(({} as { polluted?: boolean }).polluted).to.equal(undefined);
  });

  it('with arrays that are not what they say', async () => {
    const header = (text: string) => {
      const head = new TextEncoder().encode(text.padEnd(117));
      return joined(
        Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0),
        head,
        Uint8Array.of(10),
        new Uint8Array(16),
      );
    };
    const fields = (descr: string, shape: string, more = '') =>
      header(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, ${more}}`);
    const cases: [Uint8Array, RegExp][] = [
      [fields('<f4', '(4294967296, 4294967296, 4294967296)'), /needs/],
      [fields('<f4', '(2, 2, 99999999999999999999)'), /of no sense/],
      [fields('<f4', '(-2, -2, 1)'), /of no sense/],
      [fields('<f4', '(0x2, 2, 1)'), /of no sense/],
      [fields('<f4', '(4,)'), /must be \[H, W, 1\]/],
      [fields('<f4', '(0, 2, 1)'), /needs 0/],
      [fields('|O', '(2, 2, 1)'), /dtype \|O/],
      [fields('>f4', '(2, 2, 1)'), /dtype >f4/],
      [fields('__proto__', '(2, 2, 1)'), /dtype __proto__/],
      [fields('<f4', '(2, 2, 1)', "'descr': '<f4', "), /of no sense/],
      [fields('<f4', '(2, 2, 1)', "'more': True, "), /more than/],
      [fields('<f4', "(2, 2, __import__('os'))"), /of no sense/],
      [header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2, 1), }"), /of no sense/],
    ];
    for (const [data, message] of cases) await refused(handmadeZip([metadata(), node({ data })]), message);
  });

  it('with headers in their data and no directory cost little to scan', async () => {
    // Each claims all that follows it.
    const head = (left: number) =>
      joined(
        packed(
          [4, 0x04034b50],
          [2, 20],
          [2, 0],
          [2, 0],
          [4, 0],
          [4, 1],
          [4, left],
          [4, left],
          [2, 15],
          [2, 0],
        ),
        new TextEncoder().encode('nodes/0_0_0.npy'),
      );
    const count = 20_000;
    const lying = new Uint8Array(45 * count);
    for (let i = 0; i < count; i++) lying.set(head(lying.length - 45 * (i + 1)), 45 * i);
    const start = performance.now();
    const first = handmadeZip([metadata(), node()]);
    await refused(
      joined(first.subarray(0, 30 + 12 + metadata().data.length), lying),
      /is no whole zip archive/,
    );
    expect(performance.now() - start).to.be.below(5000);
  });
});
