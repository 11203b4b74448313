/** The reader in Python reads what the library wrote: every value, every container, and refuses what is damaged. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { crc32c } from '../../src/checksum.js';
import { readContainer } from '../../src/codecs/container.js';
import { load, OctaveHierarchy, ready, WavetableMatrix } from '../../src/index.js';
import type { Saved } from '../support/contents.js';
import { giveTangents, makeCube } from '../support/cubes.js';
import { random, randomArray } from '../support/numbers.js';
import { hasModule, python } from '../support/python.js';

const READER = fileURLToPath(new URL('../../examples/python/wavecube_reader.py', import.meta.url));
const GOLDEN = fileURLToPath(new URL('../golden/wvcb/', import.meta.url));

/** What a file holds, each node as text; what fails is said. */
const DUMP = `
import json, sys
sys.path.insert(0, sys.argv[1])
from wavecube_reader import Compressed, WavecubeError, open_wavecube
def text(node):
    if isinstance(node, Compressed):
        return [node.codec, node.version, list(node.shape), node.payload.hex()]
    return [node.dtype.name, list(node.shape), node.tobytes().hex()]
def dump(path):
    try:
        with open_wavecube(path) as file:
            cubes = {}
            for cube in file.levels:
                nodes = {' '.join(map(str, place)): text(node) for place, node in cube}
                for x, y, z, role in cube._numbers:
                    if role > 0:
                        nodes[f'{x} {y} {z} {"xyz"[role - 1]}'] = text(cube.node(x, y, z, "xyz"[role - 1]))
                cubes[str(cube.octave)] = {'size': list(cube.size), 'metadata': cube.metadata, 'nodes': nodes}
            return {'hierarchy': file.is_hierarchy, 'metadata': file.metadata, 'cubes': cubes}
    except WavecubeError as error:
        return {'error': str(error)}
print(json.dumps([dump(path) for path in sys.argv[2:]]))
`;

interface Dumped {
  error?: string;
  hierarchy?: boolean;
  metadata?: unknown;
  cubes?: Record<string, { size: number[]; metadata: unknown; nodes: Record<string, unknown[]> }>;
}

const dumped = (...paths: string[]): Dumped[] => JSON.parse(python(DUMP, path.dirname(READER), ...paths));

const hex = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

/** The same of what the library loaded. */
async function expected(saved: Saved): Promise<Dumped> {
  const levels: [string, WavetableMatrix][] =
    saved instanceof OctaveHierarchy
      ? saved.octaves.map((octave) => [String(octave), saved.getMatrix(octave)])
      : [['None', saved]];
  const cubes: Dumped['cubes'] = {};
  for (const [name, cube] of levels) {
    const nodes: Record<string, unknown[]> = {};
    for await (const node of cube.storedNodes()) {
      const place = `${node.x} ${node.y} ${node.z}`;
      if ('compressed' in node) {
        const { codec, version, shape, payload } = readContainer(node.compressed, place);
        nodes[place] = [codec, version, [...shape], hex(payload)];
      } else {
        const dtype = node.values instanceof Uint16Array ? 'float16' : 'float32';
        const bytes = new Uint8Array(node.values.buffer, node.values.byteOffset, node.values.byteLength);
        nodes[node.tangent ? `${place} ${node.tangent}` : place] = [dtype, [...node.shape], hex(bytes)];
      }
    }
    cubes[name] = { size: [cube.width, cube.height, cube.depth], metadata: cube.metadata, nodes };
  }
  return { hierarchy: saved instanceof OctaveHierarchy, metadata: saved.metadata, cubes };
}

describe('examples/python/wavecube_reader.py', function () {
  this.timeout(60_000);
  let folder: string;
  before(async function () {
    if (!hasModule('numpy')) this.skip();
    await ready({ backend: 'cpu' });
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wavecube-python-'));
  });
  after(() => folder && fs.rmSync(folder, { recursive: true, force: true }));

  const inFolder = (name: string) => path.join(folder, name);

  it('reads golden files, fresh cubes, updates, hierarchies and shards to the bit', async () => {
    const fresh = makeCube({ dims: [3, 4, 2], resolution: [16, 17], missingPart: 0.2, metadata: { ü: [1] } });
    giveTangents(fresh);
    const { cube } = fresh;
    for (const [x, method] of (['lossless', 'quantized', 'dct'] as const).entries()) {
      cube.setNode(x, 0, 0, randomArray(544, random(x)));
      await cube.compressNode(x, 0, 0, { method });
    }
    await cube.save(inFolder('fresh.wvcb'));
    await cube.save(inFolder('shards'), { format: 'wvcb', shardBytes: 8192 });
    await cube.save(inFolder('updated.wvcb'));
    const opened = await WavetableMatrix.open(inFolder('updated.wvcb'));
    opened.setNode(1, 1, 1, randomArray(544, random(8)));
    await opened.saveChanges();
    opened.dispose();
    cube.dispose();
    const golden = fs.readdirSync(GOLDEN).filter((name) => name.endsWith('.wvcb'));
    expect(golden).to.have.length.at.least(4);
    const paths = [
      ...golden.map((name) => path.join(GOLDEN, name)),
      ...['fresh.wvcb', 'updated.wvcb', 'shards'].map(inFolder),
    ];
    const found = dumped(...paths);
    for (const [i, one] of paths.entries()) {
      const saved = await load(one);
      expect(found[i], one).to.deep.equal(await expected(saved));
      saved.dispose();
    }
  });

  it('decodes lossless nodes that are stored or deflated', async () => {
    const cube = new WavetableMatrix(2, 1, 1, { resolution: [8, 8], channels: 1 });
    const stored = randomArray(64, random(3));
    // Of the cases of the codec the one that is deflated: bytes that repeat, of floats that are no few levels.
    const base = randomArray(16, random(4));
    const repeated = Float32Array.from({ length: 64 }, (_, i) => base[i % 16]);
    cube.setNode(0, 0, 0, stored);
    cube.setNode(1, 0, 0, repeated);
    for (const x of [0, 1]) await cube.compressNode(x, 0, 0, { method: 'lossless' });
    await cube.save(inFolder('lossless.wvcb'));
    cube.dispose();
    const decoded: (string | null)[] = JSON.parse(
      python(
        `
import json, sys
sys.path.insert(0, sys.argv[1])
from wavecube_reader import open_wavecube
with open_wavecube(sys.argv[2]) as cube:
    decoded = [cube.node(x, 0, 0).decode() for x in (0, 1)]
print(json.dumps([None if one is None else one.tobytes().hex() for one in decoded]))`,
        path.dirname(READER),
        inFolder('lossless.wvcb'),
      ),
    );
    const want = [stored, repeated].map((values) => hex(new Uint8Array(values.buffer)));
    for (const [i, one] of decoded.entries()) if (one !== null) expect(one).to.equal(want[i]);
    expect(decoded.filter((one) => one !== null)).to.have.length.at.least(1);
  });

  it('refuses damaged files, and says where', async () => {
    const bytes = fs.readFileSync(path.join(GOLDEN, 'dense.wvcb'));
    const at = (offset: number) => {
      const other = Buffer.from(bytes);
      other[offset] ^= 1;
      return other;
    };
    const later = at(4);
    later.writeUInt32LE(crc32c(later.subarray(0, 252)), 252);
    const cases: [Buffer, RegExp][] = [
      [at(0), /is no \.wvcb file/],
      [at(100), /damaged header/],
      [later, /has version 0/],
      [at(300), /damaged index/],
      [at(256 + 8 + 64 * 10 + 3), /damaged metadata/],
      [at(bytes.length - 30), /node \(\d, \d, \d\) at byte \d+ is damaged/],
      [Buffer.from(bytes.subarray(0, bytes.length - 1)), /cut short/],
      [Buffer.from(bytes.subarray(0, 90)), /damaged header/],
      [Buffer.alloc(0), /is no \.wvcb file/],
    ];
    const paths = cases.map(([data], i) => {
      fs.writeFileSync(inFolder(`damaged${i}.wvcb`), data);
      return inFolder(`damaged${i}.wvcb`);
    });
    dumped(...paths).forEach(({ error }, i) => {
      expect(error, String(cases[i][1])).to.match(cases[i][1]);
      expect(error).to.include(paths[i]);
    });
  });

  it('has the same CRC-32C, of any length', () => {
    const data = new Uint8Array(5000).map((_, i) => (i * i) % 251);
    const lengths = [0, 1, 2, 3, 4, 5, 63, 64, 511, 512, 513, 1024, 1025, 4999, 5000];
    fs.writeFileSync(inFolder('data'), data);
    const script = `
import json, sys
sys.path.insert(0, sys.argv[1])
from wavecube_reader import crc32c
data = open(sys.argv[2], 'rb').read()
print(json.dumps([crc32c(data[:n]) for n in json.loads(sys.argv[3])]))`;
    const found = JSON.parse(python(script, path.dirname(READER), inFolder('data'), JSON.stringify(lengths)));
    expect(found).to.deep.equal(lengths.map((n) => crc32c(data.subarray(0, n))));
  });

  it('lists what is in a file', () => {
    const program =
      "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')";
    const text = python(program, READER, path.join(GOLDEN, 'octaves.wvcb'));
    expect(text).to.match(/octave 0: 4 × 3 × 1 nodes of/);
    expect(text).to.match(/\(0, 0, 0\) {2}\[1, 4, 2\]/);
  });
});
