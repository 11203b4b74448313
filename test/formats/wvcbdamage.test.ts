import { expect } from 'chai';
import { wvcb } from '../../src/formats/wvcb.js';
import type { LostNode } from '../../src/index.js';
import {
  type ArgumentError,
  FormatError,
  memorySource,
  OctaveHierarchy,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { giveTangents, makeCube } from '../support/cubes.js';
import { random } from '../support/numbers.js';
import fc from '../support/properties.js';
import { failure, keyOf, partsOf, storedBytes, storedOf, tampered, withMetadata } from '../support/wvcb.js';

/** A file with tangents, a node of each dense form and of two codecs. */
async function sample(): Promise<{ bytes: Uint8Array; stored: Map<string, unknown> }> {
  const made = makeCube({ dims: [3, 2, 1], resolution: [4, 3], channels: 2, metadata: { by: 'test' } });
  giveTangents(made);
  await made.cube.compressNode(0, 0, 0, { method: 'lossless' });
  await made.cube.compressNode(2, 1, 0, { method: 'quantized', quality: 0.5 });
  const bytes = await made.cube.toBytes('wvcb');
  const stored = await storedOf(made.cube);
  made.cube.dispose();
  return { bytes, stored };
}

/** As its JSON says it. */
interface Metadata {
  codecs: unknown[];
  cube: { options: object; user: object };
  octaves: { levels: object[] };
}

/** What a reader that recovers gets: each node's bytes, and the lost. */
async function recovered(
  bytes: Uint8Array,
): Promise<{ stored: Map<string, unknown>; lost: readonly LostNode[] }> {
  const contents = await wvcb.read(memorySource(bytes, 'hurt.wvcb'), { recover: true });
  if (contents.kind !== 'cube') throw new Error('expected a cube');
  const stored = new Map<string, unknown>();
  for await (const batch of contents.nodes)
    for (const node of batch) stored.set(keyOf(node), storedBytes(node));
  return { stored: new Map([...stored].sort(([a], [b]) => (a < b ? -1 : 1))), lost: contents.lost ?? [] };
}

const without = (stored: Map<string, unknown>, keys: readonly string[]) =>
  new Map([...stored].filter(([key]) => !keys.includes(key)));

eachBackend('wvcb, damaged', () => {
  let bytes: Uint8Array;
  let stored: Map<string, unknown>;
  before(async () => {
    ({ bytes, stored } = await sample());
  });

  it('every truncation is refused by name and place; what recover reads of it is what was written, the rest is listed', async () => {
    const { entries } = partsOf(bytes);
    for (let length = 0; length < bytes.length; length += length < 300 ? 1 : 13) {
      const cut = bytes.slice(0, length);
      const error = await failure(WavetableMatrix.fromBytes(cut, 'cut.wvcb'));
      expect(error).to.be.instanceOf(FormatError);
      expect(error.message).to.contain('cut.wvcb');
      if (length < entries[0].at + 64 * entries.length + 700) continue;
      expect(error.message).to.contain('{ recover: true }');
      const { stored: found, lost } = await recovered(cut);
      const here = entries.filter(({ offset, bytes: size }) => offset + size <= length);
      const nodes = here.filter(
        (entry) =>
          entry.role === 0 ||
          here.some((node) => node.role === 0 && node.x === entry.x && node.y === entry.y),
      );
      const keys = nodes.map((entry) => keyOf({ ...entry, tangent: ['', 'x', 'y', 'z'][entry.role] }));
      expect([...found.keys()].sort()).to.deep.equal(keys.sort());
      expect(found).to.deep.equal(
        without(
          stored,
          [...stored.keys()].filter((key) => !keys.includes(key)),
        ),
      );
      expect(lost.length).to.equal(entries.length - keys.length);
    }
  });

  it('every flipped bit is a typed error or the same cube', async () => {
    const next = random(11);
    for (let i = 0; i < 400; i++) {
      const damaged = bytes.slice();
      damaged[Math.floor(next() * bytes.length)] ^= 1 << Math.floor(next() * 8);
      await withoutLeaks(async () => {
        try {
          const back = await WavetableMatrix.fromBytes(damaged, 'flip.wvcb');
          expect(await storedOf(back)).to.deep.equal(stored);
          back.dispose();
        } catch (error) {
          expect(error, String((error as Error).stack)).to.be.instanceOf(FormatError);
        }
      });
    }
  });

  it('a flipped bit costs recover the nodes that it hit: all others are there, and no byte is wrong', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(8 * bytes.length - 1), async (bit) => {
        const damaged = bytes.slice();
        damaged[bit >> 3] ^= 1 << (bit & 7);
        const at = bit >> 3;
        const { metadata, entries } = partsOf(bytes);
        const isIn = ({ offset, bytes: length }: { offset: number; bytes: number }) =>
          at >= offset && at < offset + length;
        if (at < 256 || isIn(metadata)) {
          expect(await failure(recovered(damaged))).to.be.instanceOf(FormatError);
          return;
        }
        const { stored: found, lost } = await recovered(damaged);
        // One bit of an entry is put right by the entry's own checksum.
        const hit = entries.filter(isIn);
        expect(hit.length).to.be.at.most(1);
        const keys = hit.flatMap(({ x, y, z, role }) =>
          (role === 0 ? ['', 'x', 'y', 'z'] : [['', 'x', 'y', 'z'][role]]).map((tangent) =>
            keyOf({ x, y, z, tangent }),
          ),
        );
        expect(found).to.deep.equal(without(stored, keys));
        expect(lost.length).to.equal(keys.length);
      }),
      { numRuns: 300 },
    ));

  it('a hurt payload names file, offset and node, and the way to the rest', async () => {
    const { entries } = partsOf(bytes);
    for (const { x, y, z, offset, role } of entries) {
      const damaged = bytes.slice();
      damaged[offset + 5] ^= 4;
      const error = (await failure(WavetableMatrix.fromBytes(damaged, 'hurt.wvcb'))) as FormatError;
      expect(error).to.be.instanceOf(FormatError);
      expect(error.source).to.equal('hurt.wvcb');
      expect(error.offset).to.equal(offset);
      expect(error.node).to.deep.equal([x, y, z]);
      expect(error.message)
        .to.contain(`(${x}, ${y}, ${z})`)
        .and.to.contain('{ recover: true } reads the rest');
      const { lost } = await recovered(damaged);
      expect(lost[0]).to.include({ x, y, z, file: 'hurt.wvcb', offset });
      expect(lost[0].tangent).to.equal(['x', 'y', 'z'][role - 1]);
      expect(lost[0].reason).to.contain('CRC-32C');
      // Its tangents, which mean nothing without it.
      expect(lost.length).to.equal(role === 0 ? 4 : 1);
    }
  });

  it('without verification a hurt dense payload is read as it is', async () => {
    const { entries } = partsOf(bytes);
    const dense = entries.find(({ x, role }) => x === 1 && role === 0)!;
    const damaged = bytes.slice();
    damaged[dense.offset] ^= 1;
    const back = await WavetableMatrix.fromBytes(damaged, 'hurt.wvcb', { verify: false });
    const found = await storedOf(back);
    const [, values] = stored.get('1_0_0') as [unknown, number[]];
    expect(found.get('1_0_0')).to.deep.equal([
      [4, 3, 2],
      [values[0] ^ 1, ...values.slice(1)],
    ]);
    back.dispose();
  });

  it('a whole copy of the header at the end stands in for a damaged one', async () => {
    const out = new Uint8Array(Math.ceil(bytes.length / 64) * 64 + 256);
    out.set(bytes);
    const grown = tampered(out, (head) => head.setBigUint64(72, BigInt(out.length), true));
    grown.set(grown.slice(0, 256), out.length - 256);
    for (const at of [0, 9, 100, 252]) {
      const damaged = grown.slice();
      damaged[at] ^= 255;
      // The magic is what formats are told by.
      const contents = await wvcb.read(memorySource(damaged, 'copy.wvcb'), {});
      const found = new Map<string, unknown>();
      if (contents.kind !== 'cube') throw new Error('expected a cube');
      for await (const batch of contents.nodes)
        for (const node of batch) found.set(keyOf(node), storedBytes(node));
      expect(new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))).to.deep.equal(stored);
    }
    // Not one of a file of another length.
    const other = tampered(grown, (_, all) => all.fill(0, 72, 79));
    const damaged = grown.slice();
    damaged.set(other.subarray(0, 256), out.length - 256);
    damaged[9] ^= 255;
    expect((await failure(WavetableMatrix.fromBytes(damaged))).message).to.contain('damaged header');
  });

  it('bytes behind the end that the header says mean nothing', async () => {
    const more = new Uint8Array(bytes.length + 1000).fill(7);
    more.set(bytes);
    const back = await WavetableMatrix.fromBytes(more);
    expect(await storedOf(back)).to.deep.equal(stored);
    back.dispose();
  });
}, ['cpu']);

eachBackend('wvcb, hostile', () => {
  let bytes: Uint8Array;
  before(async () => {
    ({ bytes } = await sample());
  });
  type Change = Parameters<typeof tampered>[1];
  const refused = async (damaged: Uint8Array, message: string) => {
    await withoutLeaks(async () => {
      const error = await failure(WavetableMatrix.fromBytes(damaged, 'bad.wvcb'));
      expect(error, String(error.stack)).to.be.instanceOf(FormatError);
      expect(error.message).to.contain('bad.wvcb').and.to.contain(message);
    });
  };
  const u64 =
    (at: number, value: number | bigint): Change =>
    (head) =>
      head.setBigUint64(at, BigInt(value), true);
  const u32 =
    (at: number, value: number): Change =>
    (head) =>
      head.setUint32(at, value, true);
  const huge = 2n ** 64n - 64n;

  const heads: [string, Change, string][] = [
    ['a version to come', u32(4, 2), 'version 2'],
    ['no width', u32(8, 0), 'at least one node'],
    ['no channels', u32(28, 0), 'at least one node'],
    ['2³² nodes', u32(8, 2 ** 32 - 1), 'at most 16777216 nodes'],
    ['2³⁰ cells', (head) => [8, 12, 16].map((at) => head.setUint32(at, 1024, true)), 'cells'],
    ['another compression', (_, b) => b.fill(9, 32, 33), 'unknown compression 9'],
    ['neither sparse nor dense', (_, b) => b.fill(2, 33, 34), 'sparse'],
    ['another kind', (_, b) => b.fill(2, 34, 35), 'unknown kind 2'],
    ['other flags', (_, b) => b.fill(4, 35, 36), 'unknown flags 4'],
    ['a manifest without shards', (_, b) => b.fill(1, 35, 36), 'name no shards'],
    ['longer entries', u32(36, 72), '64 bytes, got 72'],
    ['something where zeros are', (_, b) => b.fill(1, 200, 201), 'version 1 does not know'],
    ['generation 0', u64(80, 0), 'generation 0'],
    ['another resolution', u32(20, 5), 'resolution'],
    ['other channels', u32(28, 3), 'the header says otherwise'],
    ['dense where the metadata say sparse', (_, b) => b.fill(0, 33, 34), 'the header says otherwise'],
  ];
  for (const [what, change, message] of heads) {
    it(`a header with ${what} is refused`, () => refused(tampered(bytes, change), message));
  }

  const entry = (
    change: (view: DataView, at: number, entries: ReturnType<typeof partsOf>['entries']) => void,
  ): Change => {
    return (view, _, { entries }) => change(view, entries[1].at, entries);
  };
  const entries: [string, Change, string][] = [
    ['outside the grid', entry((v, at) => v.setUint32(at, 3, true)), 'outside the grid'],
    ['that is there twice', entry((v, at, all) => v.setUint32(at + 4, all[0].y, true)), 'is there twice'],
    ['of an unknown role', entry((v, at) => v.setUint8(at + 56, 4)), 'unknown role 4'],
    ['of an unknown type', entry((v, at) => v.setUint8(at + 57, 3)), 'unknown type 3'],
    ['of another dtype', entry((v, at) => v.setUint8(at + 57, 1)), 'is float16'],
    [
      'of a codec that is dense',
      entry((v, at) => v.setUint16(at + 52, 1, true)),
      'is dense, and has a codec',
    ],
    [
      'of an unnamed codec',
      (v, _, { entries: [one] }) => v.setUint16(one.at + 52, 9, true),
      'one of 2 codecs, got 9',
    ],
    ['whose parameters lie elsewhere', (v, _, { entries: [one] }) => v.setUint8(one.at + 28, 1), 'elsewhere'],
    [
      'that is empty and compressed',
      (v, _, { entries: [one] }) => v.setBigUint64(one.at + 20, 0n, true),
      'empty payload',
    ],
    ['of a level that is none', entry((v, at) => v.setUint16(at + 54, 1, true)), 'one of 1 levels, got 1'],
    ['in a shard that is none', entry((v, at) => v.setUint16(at + 58, 1, true)), 'shard 1; there are 0'],
    ['of no rows', entry((v, at) => v.setUint32(at + 40, 0, true)), '[H, W, 2], got [0, 3, 2]'],
    ['of other channels', entry((v, at) => v.setUint32(at + 48, 3, true)), '[H, W, 2], got [4, 3, 3]'],
    ['of sizes that overflow', entry((v, at) => v.setUint32(at + 40, 2 ** 32 - 1, true)), 'must have'],
    ['that is cut short', entry((v, at) => v.setBigUint64(at + 20, 92n, true)), 'must have 96 bytes'],
    [
      'of a container too large',
      (v, _, { entries: [one] }) => v.setUint32(one.at + 40, 2 ** 31, true),
      'at most',
    ],
    ['beyond the end', entry((v, at) => v.setBigUint64(at + 12, 2n ** 50n, true)), 'beyond the end'],
    ['beyond all ends', entry((v, at) => v.setBigUint64(at + 12, huge, true)), 'multiple of 64'],
    [
      'that is not aligned',
      entry((v, at, all) => v.setBigUint64(at + 12, BigInt(all[1].offset + 4), true)),
      'multiple of 64',
    ],
    ['in the header', entry((v, at) => v.setBigUint64(at + 12, 0n, true)), 'multiple of 64'],
    ['in the index', entry((v, at) => v.setBigUint64(at + 12, 320n, true)), 'index or metadata'],
    [
      'on another',
      entry((v, at, all) => v.setBigUint64(at + 12, BigInt(all[2].offset), true)),
      'overlaps node',
    ],
  ];
  for (const [what, change, message] of entries) {
    it(`an entry ${what} is refused with its node, and costs recover itself alone`, async () => {
      const damaged = tampered(bytes, change);
      await refused(damaged, message);
      const error = (await failure(WavetableMatrix.fromBytes(damaged))) as FormatError;
      expect(error.node, 'node').to.have.length(3);
      expect(error.offset, 'offset').to.be.a('number');
      const { lost, stored } = await recovered(damaged);
      expect(lost.length).to.be.within(1, 8);
      expect(stored.size + lost.length).to.equal(partsOf(bytes).entries.length);
    });
  }

  it('entries out of order are refused, and cost recover nothing', async () => {
    const damaged = tampered(bytes, (_, all, { entries: [one, two] }) => {
      const first = all.slice(one.at, one.at + 64);
      all.copyWithin(one.at, two.at, two.at + 64);
      all.set(first, two.at);
    });
    await refused(damaged, 'out of order');
    expect(await recovered(damaged)).to.deep.equal(await recovered(bytes));
  });

  it('a tangent without its node is refused', async () => {
    // The last node, (2, 1, 0), becomes one at (2, 0, 0)… which is there: so take it out by moving the index behind it.
    const damaged = tampered(bytes, (view, all, { entries: list }) => {
      const last = list.filter(({ role }) => role === 0).length - 1;
      all.copyWithin(list[last].at, list[last + 1].at, list[list.length - 1].at + 64);
      view.setBigUint64(48, BigInt(8 + 64 * (list.length - 1)), true);
      view.setBigUint64(256, BigInt(list.length - 1), true);
    });
    await refused(resealed(damaged), 'has no node');
  });

  /** Checksums of entries that were moved: tampered seals those of the old list. */
  const resealed = (damaged: Uint8Array) => tampered(damaged, () => {});

  const regions: [string, Change, string][] = [
    ['an index beyond the end', u64(40, 2 ** 40), 'index within'],
    ['an index beyond all ends', u64(40, huge), 'beyond 2⁵³'],
    ['an index of 2³² nodes', u64(48, 8n + 64n * 2n ** 32n), 'index within'],
    ['an index in the header', u64(40, 128), 'index within'],
    ['an index of half an entry', u64(48, 40), '64 · n'],
    ['metadata beyond the end', u64(56, 2 ** 52), 'metadata within'],
    ['metadata on the index', u64(56, 300), 'overlap'],
    ['more metadata than file', u64(64, 2 ** 45), 'metadata within'],
    ['a file of more bytes', u64(72, 2 ** 45), 'cut short'],
  ];
  for (const [what, change, message] of regions) {
    it(`${what} is refused before anything is read`, () => refused(tampered(bytes, change), message));
  }

  const json: [string, (json: Metadata) => unknown, string][] = [
    ['no JSON', () => '{', 'are no JSON'],
    ['no UTF-8', () => Uint8Array.of(0x22, 0xff, 0x22), 'are no JSON'],
    ['a list', () => [], "an object 'metadata'"],
    ['a name of later versions', (m) => ({ ...m, later: 1 }), "say 'later'"],
    ['the other kind', (m) => ({ codecs: m.codecs, octaves: {} }), "say 'octaves'"],
    ['no codecs', (m) => ({ cube: m.cube }), "a list 'codecs'"],
    ['a codec that is a number', (m) => ({ ...m, codecs: [1, 2] }), "a list 'codecs'"],
    ['an unknown codec', (m) => ({ ...m, codecs: [{ id: 'magic', version: 1 }, m.codecs[1]] }), "'magic'"],
    [
      'a codec of another version',
      (m) => ({ ...m, codecs: [{ id: 'lossless', version: 99 }, m.codecs[1]] }),
      'version 99',
    ],
    ['codecs in another order', (m) => ({ ...m, codecs: [...m.codecs].reverse() }), 'and the index says'],
    [
      'shards whose names lead elsewhere',
      (m) => ({ ...m, shards: [{ name: '../../etc', sizeBytes: 1 }] }),
      '../../etc',
    ],
    [
      'shards of no manifest',
      (m) => ({ ...m, shards: [{ name: `shard-${'0'.repeat(32)}-00000.wvcb`, sizeBytes: 1 }] }),
      'only a manifest',
    ],
    ['no cube', (m) => ({ codecs: m.codecs }), "an object 'cube'"],
    ['no options', (m) => ({ ...m, cube: { user: {} } }), "an object 'cube.options'"],
    ['no user', (m) => ({ ...m, cube: { options: m.cube.options } }), "an object 'cube.user'"],
  ];
  const options: [string, Record<string, unknown>, string][] = [
    ['an unknown option', { speed: 1 }, "'speed'"],
    ['pageBytes', { pageBytes: 4 }, "'pageBytes'"],
    ['no resolution', { resolution: null }, 'resolution [H, W]'],
    ['no channels', { channels: '2' }, 'resolution [H, W] and channels'],
    ['another dtype', { dtype: 'float64' }, 'dtype'],
    ['another boundary', { boundary: { x: 'hop' } }, 'boundary'],
    ['sparse of text', { sparse: 'yes' }, 'sparse'],
    ['trainable of text', { trainable: 'yes' }, 'trainable'],
    ['axes of text', { axes: { x: 'far' } }, 'axes.x'],
    ['axes of text numbers', { axes: { x: ['0', '1', '2'] } }, 'axes.x'],
    ['axes that stand still', { axes: { x: [0, 0, 1] } }, 'increase'],
    ['another method', { compression: { method: 'magic' } }, 'magic'],
    ['a quality of text', { compression: { method: 'dct', quality: 'best' } }, 'quality'],
    ['negative cacheBytes', { cacheBytes: -1 }, 'cacheBytes'],
    ['periodic of a list', { periodic: [1] }, 'periodic'],
    ['mixed: false', { mixed: false }, 'mixed'],
  ];
  const all: typeof json = [
    ...json,
    ...options.map(([what, more, message]): (typeof json)[number] => [
      what,
      (m) => ({ ...m, cube: { ...m.cube, options: { ...m.cube.options, ...more } } }),
      message,
    ]),
  ];
  for (const [what, change, message] of all) {
    it(`metadata with ${what} are refused`, () => refused(withMetadata(bytes, change), message));
  }

  it('__proto__ in metadata changes no object', async () => {
    const text =
      (user: string, more = '') =>
      (m: never) =>
        JSON.stringify(m)
          .replace('"user":{"by":"test"}', `"user":${user}`)
          .replace('"options":{', `"options":{${more}`);
    const back = await WavetableMatrix.fromBytes(withMetadata(bytes, text('{"__proto__":{"polluted":1}}')));
    expect(({} as Record<string, unknown>).polluted).to.equal(undefined);
    expect((back.metadata as Record<string, unknown>).polluted).to.equal(undefined);
    back.dispose();
    await refused(withMetadata(bytes, text('{}', '"__proto__":{"trainable":true},')), '__proto__');
  });

  it('a dense cube of zeros much larger than its file is refused before they are made', async () => {
    const { cube } = makeCube({ dims: [1, 1, 1], sparse: false, resolution: 1, channels: 1 });
    const small = await cube.toBytes('wvcb');
    cube.dispose();
    const large = tampered(small, (head) => [8, 12, 16].map((at) => head.setUint32(at, 512, true)));
    await refused(large, 'zeros for nodes that it has not');
    const wide = tampered(
      withMetadata(small, (m: Metadata) => ({
        ...m,
        cube: { ...m.cube, options: { ...m.cube.options, resolution: [4096, 4096] } },
      })),
      (head) => [8, 20, 24].map((at) => head.setUint32(at, 4096, true)),
    );
    await refused(wide, 'zeros for nodes that it has not');
  });

  it('levels of a hierarchy that do not belong together are refused', async () => {
    const made = new OctaveHierarchy(2, 2, 1, { octaveLevels: [0, 1], resolution: 1, channels: 1 });
    for (const octave of made.octaves)
      made
        .getMatrix(octave)
        .setNode(
          0,
          0,
          0,
          new Float32Array(made.getMatrix(octave).resolution[0] * made.getMatrix(octave).resolution[1]),
        );
    const whole = await made.toBytes('wvcb');
    made.dispose();
    const cases: [(m: Metadata) => unknown, string][] = [
      [(m) => ({ ...m, octaves: { ...m.octaves, levels: [] } }), 'no octave'],
      [
        (m) => ({ ...m, octaves: { ...m.octaves, levels: [m.octaves.levels[0], m.octaves.levels[0]] } }),
        'an octave twice',
      ],
      [(m) => ({ ...m, octaves: { ...m.octaves, levels: [m.octaves.levels[0]] } }), 'one of 1 levels'],
      [(m) => ({ ...m, octaves: { ...m.octaves, basis: 'other' } }), 'basis'],
      [
        (m) => ({
          ...m,
          octaves: {
            ...m.octaves,
            levels: m.octaves.levels.map((l: object) => ({ ...l, shifted: [1, 0, 0] })),
          },
        }),
        'three booleans',
      ],
      [
        (m) => ({
          ...m,
          octaves: { ...m.octaves, levels: m.octaves.levels.map((l: object) => ({ ...l, width: 2 ** 25 })) },
        }),
        'along an axis',
      ],
      [(m) => ({ ...m, octaves: { ...m.octaves, user: 1 } }), 'octaves.user'],
    ];
    for (const [change, message] of cases) {
      await withoutLeaks(async () => {
        const error = await failure(OctaveHierarchy.fromBytes(withMetadata(whole, change), 'bad.wvcb'));
        expect(error, String(error.stack)).to.be.instanceOf(FormatError);
        expect(error.message).to.contain(message);
      });
    }
    const damaged = whole.slice();
    damaged[partsOf(whole).entries[1].offset] ^= 1;
    const error = (await failure(OctaveHierarchy.fromBytes(damaged))) as FormatError;
    expect(error.message).to.contain('node (0, 0, 0) of octave 1');
  });

  it('each class names the other where a file holds that', async () => {
    const error: ArgumentError = await failure(OctaveHierarchy.fromBytes(bytes));
    expect(error.message).to.contain('WavetableMatrix.load');
  });
}, ['cpu']);
