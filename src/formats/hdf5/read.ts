/** Reads cubes and hierarchies: HDF5.md. */
import { check, FormatError, shown } from '../../errors.js';
import type { Source } from '../../grid/files/bytestream.js';
import type { Contents, CubeContents } from '../../grid/files/contents.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import { budgetOf, checkBudget, ZEROS, zerosBytes } from '../budget.js';
import { Datasets } from './datasets.js';
import { readIndex } from './fileindex.js';
import { checksumOf, FORMAT, METADATA, VERSION } from './layout.js';
import { type Level, levelsOf } from './levels.js';
import { library } from './library.js';
import { type Header, readHeader } from './metadata.js';
import { ReadFile } from './readfile.js';
import { listDatasets } from './walk.js';

/** All but the nodes. HDF5 has the file open no longer then, and opens it again for nodes that the index does not lead to. */
export async function readContents(source: Source, options: ReadOptions): Promise<Contents> {
  const bytes = await source.read(0, source.sizeBytes, options.signal);
  const file = new ReadFile(await library(), bytes, source.name);
  try {
    const { header, hasChecksums } = readRoot(file, options.verify !== false);
    const cubes = levelsOf(header);
    const index = hasChecksums && options.verify !== false ? readIndex(file, cubes, options) : null;
    const budget = { bytes: bytes.length };
    const read = cubes.map((cube, level): CubeContents => {
      const entries = index?.filter((entry) => entry.level === level);
      const listed = entries ? { entries, lost: [] } : listDatasets(file, cube, budget, options);
      return contentsOf(cube, new Datasets(file, cube, listed, hasChecksums, options));
    });
    checkZeros(source, read, options);
    if (header.kind === 'cube') return read[0];
    const { levels, user, ...rest } = header;
    const places = levels.map(({ octave, shifted }, i) => ({ octave, shifted, cube: read[i] }));
    return { ...rest, metadata: user, levels: places };
  } finally {
    file.close();
  }
}

/** A cube that is not sparse gets zeros where the file has no node: memory that the file must bear out. */
function checkZeros(
  { name, sizeBytes }: Source,
  cubes: readonly CubeContents[],
  { maxBytes }: ReadOptions,
): void {
  const nodesOf = ({ expected = [], count, lost = [] }: CubeContents) =>
    count + lost.length - expected.reduce((sum, { tangent, count: n }) => sum + (tangent ? n : 0), 0);
  const zeros = cubes.reduce((sum, cube) => sum + zerosBytes(cube, nodesOf(cube)), 0);
  if (!Number.isFinite(zeros)) return; // Not numbers: the cube refuses them by name.
  checkBudget(name, sizeBytes, ZEROS, zeros, budgetOf(sizeBytes, maxBytes));
}

function contentsOf(cube: Level, datasets: Datasets): CubeContents {
  const { width, height, depth, options, user } = cube;
  return {
    ...{ kind: 'cube', width, height, depth, options, metadata: user },
    count: datasets.count,
    expected: datasets.expected(),
    nodes: datasets.nodes(),
    lost: datasets.lost,
    dispose: () => datasets.dispose(),
  };
}

/** What the file says of itself. */
function readRoot(file: ReadFile, verify: boolean): { header: Header; hasChecksums: boolean } {
  const { name } = file;
  const attributes = file.attributeNames('/');
  const root = (attribute: string) =>
    attributes.includes(attribute) ? file.attribute('/', attribute) : undefined;
  const format = root('format');
  check(
    format === FORMAT,
    () =>
      new FormatError(
        name,
        `is an HDF5 file, but none of Wavecube: its attribute format is ${shown(format)}`,
      ),
  );
  const version = root('version');
  check(
    version === VERSION,
    () => new FormatError(name, `has version ${shown(version)} of the layout; this library reads ${VERSION}`),
  );
  const hasChecksums = Boolean(root('checksums') ?? 0);
  const text = attributes.includes('metadata') ? root('metadata') : file.text(METADATA);
  check(typeof text === 'string', () => new FormatError(name, 'has metadata that are no text'));
  if (hasChecksums && verify) {
    const stored = attributes.includes('metadata') ? undefined : file.checksum(METADATA);
    const actual = checksumOf(METADATA, 'json', [], new TextEncoder().encode(text));
    check(
      stored === actual,
      () => new FormatError(name, 'has damaged metadata: their CRC-32C does not match'),
    );
  }
  return { header: readHeader(text, name), hasChecksums };
}
