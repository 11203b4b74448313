/** Files that are opened node by node, in memory: a format of tests, whose reads are counted, and can fail. */
import { readContainer } from '../../src/codecs/container.js';
import {
  type Contents,
  type CubeContents,
  type FileFormat,
  FormatError,
  type NodeSource,
  type OctaveHierarchy,
  type Opened,
  provideFormat,
  type Source,
  type StoredEntry,
  type StoredNode,
  type WavetableMatrix,
} from '../../src/index.js';

interface StoredCube {
  contents: Omit<CubeContents, 'nodes' | 'dispose'>;
  nodes: StoredNode[];
  entries: StoredEntry[];
}
type StoredFile =
  | { kind: 'cube'; cube: StoredCube }
  | {
      kind: 'octaves';
      contents: Omit<Extract<Contents, { kind: 'octaves' }>, 'levels'>;
      levels: { octave: number; shifted: readonly boolean[]; cube: StoredCube }[];
    };

/** A file, and what has been done to it. */
export interface LazyFile {
  bytes: Uint8Array;
  /** Entries that were read, by 'x_y_z', with ' x' and so on of tangents and 'octave:' of hierarchies before it. */
  reads: string[];
  /** Calls of read. */
  calls: number;
  /** Holders that have not closed it. */
  open: number;
  /** Entries that are damaged. */
  damaged: Set<string>;
  /** Awaited before each batch. */
  before: (key: string) => Promise<void> | void;
  /** Largest read at once, in the file's bytes. */
  mostBytes: number;
}

const files: { stored: StoredFile; file: LazyFile }[] = [];
const MAGIC = 'LAZY';

export const keyOf = ({ x, y, z, tangent }: StoredEntry, octave?: number) =>
  `${octave === undefined ? '' : `${octave}:`}${x}_${y}_${z}${tangent ? ` ${tangent}` : ''}`;

/** What a cube or a hierarchy is as a file that is opened. */
export async function lazyFile(of: WavetableMatrix | OctaveHierarchy): Promise<LazyFile> {
  const contents = of.contents();
  let stored: StoredFile;
  if (contents.kind === 'cube') stored = { kind: 'cube', cube: await storedCube(contents) };
  else {
    const { levels, ...rest } = contents;
    const all = [];
    for (const level of levels) all.push({ ...level, cube: await storedCube(level.cube) });
    stored = { kind: 'octaves', contents: rest, levels: all };
  }
  const bytes = new Uint8Array([...MAGIC].map((c) => c.charCodeAt(0)).concat(files.length));
  const file: LazyFile = {
    bytes,
    reads: [],
    calls: 0,
    open: 0,
    damaged: new Set(),
    before: () => {},
    mostBytes: 0,
  };
  files.push({ stored, file });
  return file;
}

async function storedCube({ nodes, dispose: _, ...contents }: CubeContents): Promise<StoredCube> {
  const all: StoredNode[] = [];
  for await (const batch of nodes) {
    for (const node of batch) {
      all.push(
        'values' in node
          ? { ...node, values: node.values.slice() }
          : { ...node, compressed: node.compressed.slice() },
      );
    }
  }
  const entries = all.map((node): StoredEntry => {
    const { x, y, z } = node;
    if ('values' in node) {
      const { shape, tangent } = node;
      return { x, y, z, shape, codec: null, sizeBytes: node.values.byteLength, tangent };
    }
    const { shape, codec } = readContainer(node.compressed, 'test.lazy');
    return { x, y, z, shape, codec, sizeBytes: node.compressed.length };
  });
  return { contents, nodes: all, entries };
}

function nodeSource(file: LazyFile, cube: StoredCube, octave?: number): NodeSource {
  file.open++;
  let closed = false;
  return {
    name: 'test.lazy',
    entries: cube.entries,
    async *read(which, signal) {
      if (closed) throw new Error('read after close');
      file.calls++;
      for (let i = 0; i < which.length; i += 2) {
        const batch = which.slice(i, i + 2);
        for (const number of batch) {
          const key = keyOf(cube.entries[number], octave);
          await file.before(key);
          signal?.throwIfAborted();
          file.reads.push(key);
          const { x, y, z } = cube.entries[number];
          if (file.damaged.has(key)) {
            throw new FormatError('test.lazy', `is damaged at ${key}`, { offset: number, node: [x, y, z] });
          }
        }
        file.mostBytes = Math.max(
          file.mostBytes,
          which.reduce((sum, number) => sum + cube.entries[number].sizeBytes, 0),
        );
        await Promise.resolve();
        signal?.throwIfAborted();
        yield batch.map((number) => cube.nodes[number]);
      }
    },
    share: () => nodeSource(file, cube, octave),
    close() {
      if (closed) throw new Error('closed twice');
      closed = true;
      file.open--;
    },
  };
}

const format: FileFormat = {
  name: 'test-lazy',
  extensions: ['.lazy'],
  sniff: (head) => MAGIC === String.fromCharCode(...head.subarray(0, 4)),
  write() {
    throw new Error('not written');
  },
  read() {
    throw new Error('not read');
  },
  async open(source: Source): Promise<Opened> {
    const [number] = await source.read(4, 1);
    const { stored, file } = files[number];
    const opened = (cube: StoredCube, octave?: number) => ({
      ...cube.contents,
      source: nodeSource(file, cube, octave),
    });
    if (stored.kind === 'cube') return opened(stored.cube);
    const levels = stored.levels.map((level) => ({ ...level, cube: opened(level.cube, level.octave) }));
    return { ...stored.contents, levels };
  },
};
provideFormat(format);
