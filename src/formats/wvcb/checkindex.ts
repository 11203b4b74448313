/** An index gone through before it is believed: what each entry says, and all together. */
import { MAX_ELEMENTS } from '../../codecs/container.js';
import { codecFor } from '../../codecs/registry.js';
import { FormatError } from '../../errors.js';
import type { LostNode } from '../../grid/files/contents.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import { budgetOf, checkBudget, ZEROS, zerosBytes } from '../budget.js';
import { PayloadType } from './entries.js';
import type { Head } from './head.js';
import { ALIGNMENT, HEADER_BYTES, type Region } from './header.js';
import { ascending } from './ranges.js';

const TANGENTS = ['x', 'y', 'z'] as const;

export interface CheckedIndex {
  /** Of each cube its entries that are sound, nodes before tangents, each in cell order. */
  cubes: readonly (readonly number[])[];
  /** Of each cube what is not; always empty unless `recover`. */
  lost: LostNode[][];
}

/** A file that payloads lie in. */
export interface PayloadFile {
  name: string;
  sizeBytes: number;
  /** Of one that cannot be read, why. */
  lost?: string;
}

/**
 * @param files the file itself, then its shards.
 * @throws FormatError for the first entry that is wrong, unless `recover`: that is lost then.
 */
export function checkIndex(
  head: Head,
  files: readonly PayloadFile[],
  { recover = false, maxBytes }: ReadOptions,
): CheckedIndex {
  const { index, metadata, name } = head;
  const lost: LostNode[][] = metadata.cubes.map(() => []);
  const wrong = new Set<number>();
  const refuse = (i: number, reason: string) => {
    if (!recover) throw entryError(head, i, reason);
    wrong.add(i);
    // One of no level that there is cannot be told where it belongs.
    const level = Math.min(index.level(i), lost.length - 1);
    lost[level].push(lostNode(head, files, i, reason));
  };
  const codecs = metadata.codecs.map(({ id, version }) => reasonOf(() => codecFor(id, version, '')));
  const seen = new Set<string>();
  for (let i = 0; i < index.count; i++) {
    const reason = !head.isIndexWhole && !index.isWhole(i) ? DAMAGED_ENTRY : wrongOf(head, files, codecs, i);
    if (reason !== null) refuse(i, reason);
    else if (!recover && i > 0) {
      // In order they are all different.
      const order = index.compare(i - 1, i);
      if (order >= 0) refuse(i, order === 0 ? 'is there twice' : 'stands out of order in the index');
    } else if (recover) {
      const key = `${index.level(i)} ${index.role(i)} ${index.place(i)}`;
      if (seen.has(key)) refuse(i, 'is there twice');
      seen.add(key);
    }
  }
  refuseOverlaps(head, wrong, refuse);
  refuseLoneTangents(head, wrong, refuse);
  const cubes: number[][] = metadata.cubes.map(() => []);
  for (let i = 0; i < index.count; i++) if (!wrong.has(i)) cubes[index.level(i)].push(i);
  // Out of order only where the file is damaged.
  if (recover) for (const entries of cubes) entries.sort((i, j) => index.compare(i, j));
  const sizeBytes = head.sizeBytes + files.slice(1).reduce((sum, file) => sum + file.sizeBytes, 0);
  const nodes = nodesByLevel(head);
  const zeros = metadata.cubes.reduce((sum, cube, level) => sum + zerosBytes(cube, nodes[level]), 0);
  checkBudget(name, sizeBytes, ZEROS, zeros, budgetOf(sizeBytes, maxBytes));
  return { cubes, lost };
}

/** Of the node that an entry names; which node that was, a damaged one cannot say for sure. */
const DAMAGED_ENTRY = 'has a damaged entry in the index, which may name another place';

/** Entries of the nodes of each level, sound or not. */
function nodesByLevel({ index, metadata }: Head): number[] {
  const nodes = metadata.cubes.map(() => 0);
  for (let i = 0; i < index.count; i++) if (index.role(i) === 0) nodes[index.level(i)]++;
  return nodes;
}

/** What is wrong with an entry by itself; null where nothing is. @param codecs of each in the metadata, why it cannot be read. */
function wrongOf(
  { index, metadata }: Head,
  files: readonly PayloadFile[],
  codecs: readonly (string | null)[],
  i: number,
): string | null {
  const cube = metadata.cubes[index.level(i)];
  if (!cube) return `must be of one of ${metadata.cubes.length} levels, got ${index.level(i)}`;
  const { width, height, depth, options } = cube;
  const [x, y, z] = index.place(i);
  if (x >= width || y >= height || z >= depth)
    return `lies outside the grid of ${width} × ${height} × ${depth}`;
  const role = index.role(i);
  if (role > TANGENTS.length) return `has unknown role ${role}`;
  const shape = index.shape(i);
  const elements = shape[0] * shape[1] * shape[2];
  if (shape.some((n) => n < 1) || shape[2] !== options.channels) {
    return `must be [H, W, ${options.channels}], got [${shape.join(', ')}]`;
  }
  const type = index.type(i);
  const codec = index.codec(i);
  const sizeBytes = index.sizeBytes(i);
  const offset = index.offset(i);
  if (type > PayloadType.Container) return `has a payload of unknown type ${type}`;
  if (type === PayloadType.Container) {
    if (codec === 0 || codec > codecs.length) return `must name one of ${codecs.length} codecs, got ${codec}`;
    const unread = codecs[codec - 1];
    if (unread !== null) return unread;
    if (role !== 0) return 'is a tangent, and compressed';
    if (elements > MAX_ELEMENTS)
      return `must have at most ${MAX_ELEMENTS} elements, got [${shape.join(', ')}]`;
    if (index.parametersOffset(i) !== offset)
      return 'has its compressed parameters elsewhere than its payload';
    if (!(sizeBytes >= 1)) return 'has an empty payload';
  } else {
    const dtype = type === PayloadType.Float16 ? 'float16' : 'float32';
    if (dtype !== (options.dtype ?? 'float32')) return `is ${dtype}, in a cube of ${options.dtype}`;
    if (codec !== 0 || index.parametersOffset(i) !== 0) return 'is dense, and has a codec';
    const needed = elements * (type === PayloadType.Float16 ? 2 : 4);
    if (sizeBytes !== needed)
      return `must have ${needed} bytes, [${shape.join(', ')}] of ${dtype}, got ${sizeBytes}`;
  }
  const shard = index.shard(i);
  const file = files[shard];
  if (!file) return `lies in shard ${shard}; there are ${files.length - 1}`;
  if (offset % ALIGNMENT !== 0 || offset < HEADER_BYTES)
    return `must lie at a multiple of ${ALIGNMENT}, got byte ${offset}`;
  if (file.lost !== undefined) return file.lost;
  const end = offset + sizeBytes;
  if (!Number.isSafeInteger(end) || end > file.sizeBytes) {
    return `lies beyond the end: ${sizeBytes} bytes at byte ${offset} of ${file.sizeBytes}`;
  }
  return null;
}

function reasonOf(call: () => unknown): string | null {
  try {
    call();
    return null;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return error.message.replace(/^: /, '');
  }
}

function refuseOverlaps(
  { index, header }: Head,
  wrong: ReadonlySet<number>,
  refuse: (i: number, reason: string) => void,
): void {
  const sound: number[] = [];
  for (let i = 0; i < index.count; i++) if (!wrong.has(i)) sound.push(i);
  const order = ascending(sound.length, (a, b) => {
    const [i, j] = [sound[a], sound[b]];
    return index.shard(i) - index.shard(j) || index.offset(i) - index.offset(j);
  });
  const head: readonly Region[] = [header.index, header.metadata];
  let before = -1;
  for (const a of order) {
    const i = sound[a];
    const start = index.offset(i);
    const end = start + index.sizeBytes(i);
    const isInHead =
      index.shard(i) === 0 && head.some(({ offset, bytes }) => start < offset + bytes && offset < end);
    const isInLast =
      before >= 0 &&
      index.shard(before) === index.shard(i) &&
      start < index.offset(before) + index.sizeBytes(before);
    if (isInHead) refuse(i, `overlaps the file's index or metadata, at byte ${start}`);
    else if (isInLast) refuse(i, `overlaps node (${index.place(before).join(', ')}), at byte ${start}`);
    else before = i;
  }
}

function refuseLoneTangents(
  { index, metadata, header }: Head,
  wrong: Set<number>,
  refuse: (i: number, reason: string) => void,
): void {
  const isShard = !header.isManifest && header.id.some((byte) => byte !== 0);
  const nodes = metadata.cubes.map(() => new Set<number>());
  const cell = (i: number) => {
    const { height, depth } = metadata.cubes[index.level(i)];
    return (index.x(i) * height + index.y(i)) * depth + index.z(i);
  };
  for (const isNode of [true, false]) {
    for (let i = 0; i < index.count; i++) {
      if (wrong.has(i) || (index.role(i) === 0) !== isNode) continue;
      if (isNode) nodes[index.level(i)].add(cell(i));
      else if (nodes[index.level(i)].has(cell(i))) continue;
      // Its node is in another shard of the same save.
      else if (isShard) wrong.add(i);
      else refuse(i, 'has no node');
    }
  }
}

/** What errors call an entry. */
export function nameOf({ index, metadata }: Head, i: number): string {
  const role = index.role(i);
  const octave = metadata.cubes[index.level(i)]?.octave;
  const what = role === 0 ? 'node' : `tangent along ${TANGENTS[role - 1] ?? '?'} of node`;
  return `${what} (${index.place(i).join(', ')})${octave === undefined ? '' : ` of octave ${octave}`}`;
}

/** An error about what an entry says. */
function entryError(head: Head, i: number, reason: string): FormatError {
  const offset = head.header.index.offset + head.index.at(i);
  const what = `${nameOf(head, i)} ${reason} (entry at byte ${offset}); { recover: true } reads the rest`;
  return new FormatError(head.name, what, { offset, node: head.index.place(i) });
}

export function lostNode(head: Head, files: readonly PayloadFile[], i: number, reason: string): LostNode {
  const { index, metadata } = head;
  const [x, y, z] = index.place(i);
  const octave = metadata.cubes[index.level(i)]?.octave;
  const tangent = tangentOf(head, i);
  const file = files[index.shard(i)]?.name ?? head.name;
  const offset = index.offset(i);
  return {
    x,
    y,
    z,
    ...(octave !== undefined && { octave }),
    ...(tangent && { tangent }),
    file,
    ...(Number.isSafeInteger(offset) && { offset }),
    reason,
  };
}

/** The axis of a tangent. */
export const tangentOf = ({ index }: Head, i: number): 'x' | 'y' | 'z' | undefined =>
  TANGENTS[index.role(i) - 1];
