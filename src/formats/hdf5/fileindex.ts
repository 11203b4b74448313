/** The index of a file: where its nodes' values lie, so that they are found without HDF5. */
import { check, FormatError } from '../../errors.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import {
  checksumOf,
  decodeIndex,
  INDEX,
  INDEX_COLUMNS,
  type IndexEntry,
  NODE_TYPES,
  nodeName,
  ROLES,
} from './layout.js';
import { type Level, RECOVER } from './levels.js';
import type { ReadFile } from './readfile.js';

/**
 * The entries, if the file has an index that goes with its groups; null where another program has added or taken nodes since.
 * @throws FormatError for one that is damaged, unless told to recover: the groups then say what there is.
 */
export function readIndex(
  file: ReadFile,
  levels: readonly Level[],
  { recover = false }: ReadOptions,
): IndexEntry[] | null {
  let entries: IndexEntry[];
  try {
    if (!file.names('/').includes(INDEX.slice(1))) return null;
    entries = readEntries(file, levels);
  } catch (error) {
    if (recover && error instanceof FormatError) return null;
    throw error;
  }
  try {
    return levels.every((cube, level) => agrees(file, cube, level, entries)) ? entries : null;
  } catch (error) {
    // Groups that HDF5 cannot list: the index is what is left of them.
    if (recover && error instanceof FormatError) return entries;
    throw error;
  }
}

function readEntries(file: ReadFile, levels: readonly Level[]): IndexEntry[] {
  const dataset = file.dataset(INDEX);
  const { shape, type } = dataset;
  const fail = (why: string) => new FormatError(file.name, `has a damaged index: ${why}${RECOVER}`);
  check(type === 'uint32' && shape.length === 2 && shape[1] === INDEX_COLUMNS, () => fail('it is no table'));
  const { bytes } = dataset.sizeBytes ? file.read(dataset) : { bytes: new Uint8Array(0) };
  check(file.checksum(INDEX) === checksumOf(INDEX, 'uint32', shape, bytes), () =>
    fail('its CRC-32C does not match'),
  );
  const rows = new Uint32Array(bytes.buffer, 0, bytes.length / 4);
  for (let at = 0; at < rows.length; at += INDEX_COLUMNS) {
    check(rows[at] < levels.length && rows[at + 1] < ROLES.length && rows[at + 8] < NODE_TYPES.length, () =>
      fail('it names what there is not'),
    );
  }
  const entries = decodeIndex(rows);
  let sum = 0;
  for (const { type, shape, offset, sizeBytes } of entries) {
    const elementBytes = { float32: 4, float16: 2, container: 0 }[type];
    sum += sizeBytes;
    check(
      sizeBytes > 0 &&
        (elementBytes === 0 || shape[0] * shape[1] * shape[2] * elementBytes === sizeBytes) &&
        offset + sizeBytes <= file.bytes.length &&
        sum <= file.bytes.length,
      () => fail('a node lies beyond the end of the file, or over others'),
    );
  }
  levels.forEach(({ count }, level) => {
    const found = entries.filter((entry) => entry.level === level).length;
    check(count === found, () => fail(`it has ${found} entries for ${count} nodes`));
  });
  return entries;
}

/** Whether the groups of a cube are those of the index. */
function agrees(file: ReadFile, { folder }: Level, level: number, entries: readonly IndexEntry[]): boolean {
  const groups = new Set(file.names(`${folder}/grid`));
  const indexed = new Set(entries.filter((entry) => entry.level === level).map(nodeName));
  return groups.size === indexed.size && [...indexed].every((name) => groups.has(name));
}
