/** Reads cubes and hierarchies from the entries of an archive: their nodes in batches, as they are iterated over. */
import { CompressedWavetable } from '../../codecs/compressed.js';
import { sizeOf } from '../../codecs/parameters.js';
import { check, FormatError, WavecubeError } from '../../errors.js';
import type { Source } from '../../grid/files/bytestream.js';
import type { Contents, CubeContents, LostNode } from '../../grid/files/contents.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import type { StoredNode } from '../../grid/files/storednodes.js';
import { checkBudget, ZEROS, zerosBytes } from '../budget.js';
import { npyHead, viewNpy } from '../npy.js';
import { readContents } from '../zip/content.js';
import { entryError, reasonOf } from '../zip/records.js';
import { type Archive, contentsOf, type Level, type NodeEntry, openArchive } from './archive.js';
import { folderOf, HIERARCHY, keyOf, METADATA, PLACES, type Place, VERSION } from './layout.js';
import { type CubeHeader, cubeHeader, octavesHeader, parseMetadata } from './metadata.js';
import { checkPlaces, type Places, readPlaces } from './places.js';

const EMPTY: Level = { metadata: [], places: [], nodes: [], ruins: [] };

export async function readNpz(source: Source, options: ReadOptions): Promise<Contents> {
  const archive = await openArchive(source, options);
  const { name } = source;
  const [{ said, crc }] = await metadataOf(archive, undefined);
  if (said.format !== HIERARCHY) {
    const [octave] = [...archive.levels.keys()].filter((key) => key !== undefined);
    check(
      octave === undefined || archive.recover,
      () => new FormatError(name, `has entries of octave ${octave}, and is no hierarchy`),
    );
    return readCube(archive, undefined, undefined);
  }
  const { levels: places, ...rest } = octavesHeader(said, `${name}:${METADATA}`);
  if (!archive.recover) checkOctaves(archive, new Set(places.map(({ octave }) => octave)));
  const levels = [];
  for (const { octave, shifted } of places) {
    levels.push({ octave, shifted, cube: await readCube(archive, octave, crc) });
  }
  return { kind: 'octaves', ...rest, levels };
}

/** A hierarchy's entries are those of its octaves. */
function checkOctaves({ source, levels }: Archive, octaves: ReadonlySet<number>): void {
  for (const [octave, { nodes, places, metadata }] of levels) {
    const known = octave === undefined ? nodes.length + places.length === 0 : octaves.has(octave);
    const [{ name }] = [...places, ...nodes, ...metadata];
    check(known, () => new FormatError(source.name, `has an entry '${name}' that this hierarchy has not`));
  }
}

interface Said {
  said: Record<string, unknown>;
  crc: number;
}

async function metadataOf(archive: Archive, octave: number | undefined): Promise<Said[]> {
  const { metadata } = archive.levels.get(octave) ?? EMPTY;
  const name = folderOf(octave) + METADATA;
  const all = await contentsOf(archive, metadata, name, 'so it is no cube of Wavecube');
  return all.map(({ bytes, crc }) => ({ said: parseMetadata(bytes, `${archive.source.name}:${name}`), crc }));
}

/** @param hierarchy the checksum of the metadata of the hierarchy that it is of. */
async function readCube(
  archive: Archive,
  octave: number | undefined,
  hierarchy: number | undefined,
): Promise<CubeContents> {
  const level = archive.levels.get(octave) ?? EMPTY;
  const { header, places } = await headerOf(archive, level, octave, hierarchy);
  if (!archive.recover) checkPlaces(archive.source.name, header, places, level);
  const { width, height, depth, options, user: metadata } = header;
  checkFill(archive, header, level);
  const lost: LostNode[] = [];
  const reading: Reading = { archive, octave, header, level, places, lost };
  return {
    kind: 'cube',
    width,
    height,
    depth,
    options,
    metadata,
    // What metadata say is borne out by places.npy, unless it is damaged: writers make room for so many.
    count: archive.recover ? level.nodes.length : (header.count ?? level.nodes.length),
    ...(!archive.recover && { expected: expectedOf(header, level) }),
    nodes: nodesOf(reading),
    ...(archive.recover && { lost }),
    dispose() {},
  };
}

/** Metadata and places that go together: a file may be two that were joined. */
async function headerOf(
  archive: Archive,
  level: Level,
  octave: number | undefined,
  hierarchy: number | undefined,
): Promise<{ header: CubeHeader; places: Places | null }> {
  const { name } = archive.source;
  const folder = folderOf(octave);
  const headers = (await metadataOf(archive, octave)).map(({ said, crc }) => ({
    header: cubeHeader(said, `${name}:${folder}${METADATA}`),
    crc,
  }));
  const [{ header: first }] = headers;
  if (first.version !== VERSION) return { header: first, places: null };
  const own = headers.filter(({ header }) => header.hierarchy === hierarchy);
  check(own.length > 0, () => new FormatError(name, `has ${folder}${METADATA} of another hierarchy`));
  const all = await readPlaces(archive, level, folder);
  for (const { header, crc } of own) {
    const places = all.find(({ metadata }) => metadata === crc);
    if (places) return { header, places };
  }
  check(archive.recover, () => new FormatError(name, `has ${folder}${PLACES} of other metadata`));
  check(
    archive.named && headers.length === 1,
    () =>
      new FormatError(
        name,
        `is damaged so that it cannot be told which node is which: ${PLACES}, and the names of entries`,
      ),
  );
  return { header: first, places: null };
}

interface Reading {
  archive: Archive;
  octave: number | undefined;
  header: CubeHeader;
  level: Level;
  /** What places.npy says; null where there is none, or it is damaged. */
  places: Places | null;
  lost: LostNode[];
}

/** Shape and bytes of a node of the cube's own resolution; null where the header has none, which the cube refuses by name. */
function ownNode({ options }: CubeHeader): { shape: [number, number, number]; bytes: number } | null {
  const { resolution = 512, channels = 4, dtype } = options;
  const shape = [...(Array.isArray(resolution) ? resolution : [resolution, resolution]), channels];
  if (shape.length !== 3 || !shape.every((n) => Number.isSafeInteger(n) && n > 0)) return null;
  const [h, w, c] = shape;
  return { shape: [h, w, c], bytes: h * w * c * (dtype === 'float16' ? 2 : 4) };
}

/** A cube that is not sparse gets zeros where the file has no node: memory that the file does not bear out. */
function checkFill(archive: Archive, header: CubeHeader, level: Level): void {
  const bytes = zerosBytes(header, level.nodes.filter(({ place }) => !place.tangent).length);
  if (!Number.isFinite(bytes)) return; // Not numbers: the cube refuses them by name.
  // Of all octaves together.
  archive.unpackedBytes += bytes;
  const { source, allowedBytes, unpackedBytes } = archive;
  checkBudget(source.name, source.sizeBytes, ZEROS, unpackedBytes, allowedBytes);
}

/** How many nodes of the cube's own shape there are, told by their entries' sizes. */
function expectedOf(header: CubeHeader, { nodes }: Level): CubeContents['expected'] {
  const own = ownNode(header);
  if (!own) return [];
  const { shape, bytes } = own;
  const dtype = header.options.dtype === 'float16' ? '<f2' : '<f4';
  const entryBytes = npyHead(dtype, shape).length + bytes;
  const alike = nodes.filter((entry) => !entry.compressed && entry.bytes === entryBytes);
  return ([undefined, 'x', 'y', 'z'] as const)
    .map((tangent) => ({
      shape,
      count: alike.filter(({ place }) => place.tangent === tangent).length,
      ...(tangent && { tangent }),
    }))
    .filter(({ count }) => count > 0);
}

/** Nodes, then tangents, each in the order of the file. */
async function* nodesOf(reading: Reading): AsyncGenerator<StoredNode[]> {
  const { archive, level, places } = reading;
  const known = archive.recover && places ? boundTo(places, level.nodes) : level.nodes;
  const from = (entry: NodeEntry) => entry.start ?? entry.offset;
  const sorted = [...known].sort((a, b) => from(a) - from(b));
  const read = new Set<string>();
  const failures = new Map<string, { offset: number; reason: string }>();
  for (const tangents of [false, true]) {
    const own = sorted.filter(({ place }) => (place.tangent !== undefined) === tangents);
    for await (const contents of readContents(archive.source, own, archive.options)) {
      const batch: StoredNode[] = [];
      for (const content of contents) {
        const { entry } = content;
        const key = keyOf(entry.place);
        if (archive.recover && read.has(key)) continue;
        try {
          if ('error' in content) throw content.error;
          if (tangents && archive.recover) checkTangent(reading, entry, read);
          batch.push(storedNode(reading, entry, content.bytes));
          read.add(key);
        } catch (error) {
          if (!archive.recover || !(error instanceof WavecubeError)) throw error;
          failures.set(key, { offset: entry.offset, reason: reasonOf(error) });
        }
      }
      yield batch;
    }
  }
  if (archive.recover) nameLost(reading, read, failures);
}

/** Entries of the places that places.npy names, with its checksums for theirs: zip has none of names. */
function boundTo(places: Places, entries: readonly NodeEntry[]): NodeEntry[] {
  return entries.flatMap((entry) => {
    const crc = places.of.get(keyOf(entry.place))?.crc;
    return crc === undefined ? [] : [{ ...entry, crc }];
  });
}

function checkTangent({ archive }: Reading, entry: NodeEntry, read: ReadonlySet<string>): void {
  check(read.has(keyOf({ ...entry.place, tangent: undefined })), () =>
    entryError(archive.source.name, entry, 'is the tangent of a node that is lost'),
  );
}

/** The node of an entry. @throws FormatError unless it can be one of this cube; with recovery nothing is left to be found by the cube. */
function storedNode({ archive, header }: Reading, entry: NodeEntry, bytes: Uint8Array): StoredNode {
  const { name } = archive.source;
  const { place, compressed, node, offset } = entry;
  const { channels = 4, dtype: stored } = header.options;
  const refuse = (holds: boolean, what: () => string) => check(holds, () => entryError(name, entry, what()));
  refuse(isInside(place, header), () => `is outside the grid`);
  let array: ReturnType<typeof viewNpy>;
  try {
    array = viewNpy(bytes, `${name}:${entry.name}`);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FormatError(name, `entry '${entry.name}' at byte ${offset}: ${cause.message}`, {
      offset,
      node,
      cause,
    });
  }
  const { dtype, shape, data } = array;
  if (compressed) {
    refuse(
      dtype === '|u1' && shape.length === 1,
      () => `must be uint8 [n], got ${dtype} [${shape.join(', ')}]`,
    );
    const container = data as Uint8Array;
    if (archive.recover) {
      const { shape: own } = CompressedWavetable.read(container, { source: `${name}:${entry.name}` });
      refuse(own[2] === channels, () => `has ${own[2]} channels, and the cube ${channels}`);
    }
    const { x, y, z } = place;
    return { x, y, z, compressed: container };
  }
  const wanted = stored === 'float16' ? '<f2' : '<f4';
  refuse(
    dtype === wanted && shape.length === 3 && shape[2] === channels && sizeOf(shape) > 0,
    () => `must be [H, W, ${channels}] ${wanted}, got [${shape.join(', ')}] ${dtype}`,
  );
  const values = data as Float32Array | Uint16Array;
  return { ...place, shape: shape as [number, number, number], values };
}

const isInside = ({ x, y, z }: Place, { width, height, depth }: CubeHeader) =>
  x < width && y < height && z < depth;

/** Names what there should be and was not read. */
function nameLost(
  { archive, octave, header, level, places, lost }: Reading,
  read: ReadonlySet<string>,
  failures: ReadonlyMap<string, { offset: number; reason: string }>,
): void {
  const { source } = archive;
  const wanted = new Map<string, Place>();
  const want = (place: Place) => wanted.set(keyOf(place), place);
  if (places) for (const { place } of places.of.values()) want(place);
  else {
    for (const { place } of [...level.nodes, ...level.ruins]) want(place);
    const { width, height, depth } = header;
    // An old file of a dense cube: every place has a node.
    if (header.options.sparse === false && header.count === undefined) {
      for (let x = 0; x < width; x++)
        for (let y = 0; y < height; y++) for (let z = 0; z < depth; z++) want({ x, y, z });
    }
  }
  const offsets = new Map(level.ruins.map(({ place, offset }) => [keyOf(place), offset]));
  for (const [key, place] of wanted) {
    if (read.has(key)) continue;
    const { offset = offsets.get(key), reason = 'the file has no entry of it' } = failures.get(key) ?? {};
    lost.push({
      ...place,
      ...(octave !== undefined && { octave }),
      file: source.name,
      ...(offset !== undefined && { offset }),
      reason,
    });
  }
}
