/** Reading a .wvcb file whole. */

import type { Source } from '../../grid/files/bytestream.js';
import type { Contents, CubeContents, LostNode } from '../../grid/files/contents.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import type { StoredNode } from '../../grid/files/storednodes.js';
import { type CheckedIndex, checkIndex, lostNode, tangentOf } from './checkindex.js';
import { PayloadType } from './entries.js';
import { type Head, readHead } from './head.js';
import { CHUNK_BYTES, oneFile, type PayloadFiles, type PayloadReading, readPayloads } from './payloads.js';
import { shardFiles } from './shards.js';

/** Read ahead while the last ones are restored. */
const CHUNKS: Omit<PayloadReading, 'verify' | 'mostBytes'> = {
  gapBytes: 64 * 1024,
  wasteBytes: Number.POSITIVE_INFINITY,
  freeBytes: 64,
  ahead: 3,
  reuse: true,
};

/** The file alone, without shards. */
export function ownFile(source: Source, { header }: Head): PayloadFiles {
  return oneFile(source, Math.min(source.sizeBytes, header.fileBytes));
}

/** Where the payloads are: in the file, or of a manifest beside it. @param look whether all shards are looked at now. */
export async function filesOf(
  source: Source,
  head: Head,
  options: ReadOptions,
  look: boolean,
): Promise<PayloadFiles> {
  if (!head.header.isManifest) return ownFile(source, head);
  return shardFiles(head, (await source.folder?.()) ?? null, options, look);
}

export async function readFile(source: Source, options: ReadOptions): Promise<Contents> {
  const head = await readHead(source, options);
  return readFrom(head, await filesOf(source, head, options, true), options);
}

/** All of a file, or of shards. */
export async function readFrom(head: Head, from: PayloadFiles, options: ReadOptions): Promise<Contents> {
  try {
    const checked = checkIndex(head, from.files, options);
    const close = () => void from.close?.();
    return contentsOf(head, checked, (level) => nodesOf(head, from, checked, level, options), close);
  } catch (error) {
    await from.close?.();
    throw error;
  }
}

/** Contents whose nodes are read as they are asked for. @param dispose called when a cube's are not needed any more. */
export function contentsOf(
  head: Head,
  checked: CheckedIndex,
  nodes: (level: number) => AsyncIterable<readonly StoredNode[]>,
  dispose = () => {},
): Contents {
  const cubes = head.metadata.cubes.map((_, level): CubeContents => {
    return { ...cubeWithoutNodes(head, checked, level), nodes: nodes(level), dispose };
  });
  return withCubes(head, cubes);
}

/** A cube of the file, but its nodes. */
export function cubeWithoutNodes(
  head: Head,
  { cubes, lost }: CheckedIndex,
  level: number,
): Omit<CubeContents, 'nodes' | 'dispose'> {
  const { width, height, depth, options, metadata } = head.metadata.cubes[level];
  return {
    kind: 'cube',
    width,
    height,
    depth,
    options,
    metadata,
    count: cubes[level].length,
    expected: expectedOf(head, cubes[level]),
    lost: lost[level],
  };
}

/** The file's cube, or the hierarchy of its cubes. */
export function withCubes<Cube>({ header, metadata }: Head, cubes: readonly Cube[]) {
  if (metadata.hierarchy === null) return cubes[0];
  const [width, height, depth] = header.dims;
  const levels = cubes.map((cube, i) => {
    const { octave, shifted } = metadata.cubes[i];
    return { octave: octave!, shifted: shifted!, cube };
  });
  return {
    kind: 'octaves' as const,
    width,
    height,
    depth,
    resolution: header.resolution,
    ...metadata.hierarchy,
    levels,
  };
}

function expectedOf(head: Head, entries: readonly number[]): NonNullable<CubeContents['expected']> {
  const { index } = head;
  const all = new Map<string, NonNullable<CubeContents['expected']>[number]>();
  for (const i of entries) {
    if (index.type(i) === PayloadType.Container) continue;
    const shape = index.shape(i);
    const tangent = tangentOf(head, i);
    const key = `${shape} ${tangent}`;
    const known = all.get(key);
    if (known) known.count++;
    else all.set(key, { shape, count: 1, ...(tangent && { tangent }) });
  }
  return [...all.values()];
}

/** Nodes of a level, then its tangents; those whose node was lost are lost with it. */
export async function* nodesOf(
  head: Head,
  from: PayloadFiles,
  { cubes, lost }: CheckedIndex,
  level: number,
  { verify = true, recover = false, signal }: ReadOptions,
): AsyncGenerator<readonly StoredNode[]> {
  const { index } = head;
  const gone = new Set<string>();
  const lose = (i: number, one: LostNode) => {
    lost[level].push(one);
    if (index.role(i) === 0) gone.add(String(index.place(i)));
  };
  const { chunkBytes: mostBytes = CHUNK_BYTES } = from;
  const reading = { ...CHUNKS, mostBytes, verify, signal, ...(recover && { lose }) };
  const firstTangent = cubes[level].findIndex((i) => index.role(i) > 0);
  const nodes = firstTangent < 0 ? cubes[level] : cubes[level].slice(0, firstTangent);
  yield* readPayloads(head, from, nodes, reading);
  if (firstTangent < 0) return;
  const tangents = cubes[level].slice(firstTangent).filter((i) => {
    const isGone = gone.has(String(index.place(i)));
    if (isGone) lost[level].push(lostNode(head, from.files, i, 'its node is lost'));
    return !isGone;
  });
  yield* readPayloads(head, from, tangents, reading);
}
