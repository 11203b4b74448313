/** Writes cubes and hierarchies: HDF5.md. Of the nodes no more than one is held at a time. */
import { readContainer } from '../../codecs/container.js';
import { checkOptionNames } from '../../errors.js';
import type { Sink } from '../../grid/files/bytestream.js';
import type { Contents, CubeContents } from '../../grid/files/contents.js';
import { eachNode, type StoredNode } from '../../grid/files/storednodes.js';
import {
  CHECKSUM,
  checksumOf,
  datasetPath,
  encodeIndex,
  FORMAT,
  INDEX,
  INDEX_COLUMNS,
  type IndexEntry,
  METADATA,
  type NodeType,
  nodeName,
  octaveFolder,
  VERSION,
} from './layout.js';
import { library } from './library.js';
import { type Header, headerOfCube } from './metadata.js';
import { WrittenFile } from './writtenfile.js';

export async function writeContents(
  contents: Contents,
  sink: Sink,
  options: Record<string, unknown>,
): Promise<void> {
  checkOptionNames("save to 'hdf5'", options, []);
  const file = new WrittenFile(await library(), sink.name);
  try {
    file.attribute('/', 'format', FORMAT);
    file.attribute('/', 'version', VERSION);
    file.attribute('/', 'checksums', 1);
    file.attribute('/', 'kind', contents.kind);
    const index: IndexEntry[] = [];
    const header = await writeNodes(contents, file, sink, index);
    const text = new TextEncoder().encode(JSON.stringify(header));
    file.dataset(METADATA, 'text', [], text);
    file.attribute(METADATA, CHECKSUM, checksumOf(METADATA, 'json', [], text));
    await file.drain(sink);
    const rows = encodeIndex(index);
    const bytes = new Uint8Array(rows.buffer);
    const shape = [index.length, INDEX_COLUMNS];
    file.dataset(INDEX, 'uint32', shape, bytes);
    file.attribute(INDEX, CHECKSUM, checksumOf(INDEX, 'uint32', shape, bytes));
    await file.drain(sink);
    await file.finish(sink);
  } finally {
    file.dispose();
  }
}

/** Nodes of a cube, or of all octaves. */
async function writeNodes(
  contents: Contents,
  file: WrittenFile,
  sink: Sink,
  index: IndexEntry[],
): Promise<Header> {
  if (contents.kind === 'cube') {
    return {
      kind: 'cube',
      ...headerOfCube(contents),
      count: await writeCube(contents, '', 0, file, sink, index),
    };
  }
  const { kind, levels, metadata: user, ...rest } = contents;
  file.group('/octaves');
  const written = [];
  for (const [level, { octave, shifted, cube }] of levels.entries()) {
    const folder = octaveFolder(octave);
    file.group(folder);
    const count = await writeCube(cube, folder, level, file, sink, index);
    written.push({ octave, shifted, ...headerOfCube(cube), count });
  }
  return { kind, ...rest, user, levels: written };
}

/** @returns how many datasets there are. */
async function writeCube(
  cube: CubeContents,
  folder: string,
  level: number,
  file: WrittenFile,
  sink: Sink,
  index: IndexEntry[],
): Promise<number> {
  const before = index.length;
  const groups = new Set<string>();
  file.group(`${folder}/grid`);
  for await (const node of eachNode(cube.nodes)) {
    const group = `${folder}/grid/${nodeName(node)}`;
    if (!groups.has(group)) file.group(group);
    groups.add(group);
    const { bytes, type, shape, ...more } = valuesOf(node, sink.name);
    const place = { x: node.x, y: node.y, z: node.z, tangent: 'tangent' in node ? node.tangent : undefined };
    const path = datasetPath(folder, place, type);
    const crc = checksumOf(path, type, type === 'container' ? [bytes.length] : shape, bytes);
    const offset =
      type === 'container'
        ? file.dataset(path, 'uint8', [bytes.length], bytes)
        : file.dataset(path, type === 'float16' ? 'uint16' : 'float32', shape, bytes);
    file.attribute(path, CHECKSUM, crc);
    if (type === 'float16') file.attribute(path, 'dtype', 'float16');
    for (const [name, value] of Object.entries(more)) file.attribute(path, name, value);
    if (type === 'container') file.attribute(path, 'shape', shape);
    await file.drain(sink);
    index.push({ level, ...place, type, shape, offset: offset ?? 0, sizeBytes: bytes.length, crc });
  }
  return index.length - before;
}

/** The bytes of a node and what they are; of a compressed one also its codec. */
function valuesOf(node: StoredNode, name: string) {
  if ('compressed' in node) {
    const { codec, version, shape } = readContainer(node.compressed, name, false);
    return { bytes: node.compressed, type: 'container' as NodeType, shape, codec, version };
  }
  const { values, shape } = node;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { bytes, type: (values instanceof Uint16Array ? 'float16' : 'float32') as NodeType, shape };
}
