/** The node index of a .wvcb file: ../WVCB.md. Kept as its bytes, so that an index of many nodes costs no more than they. */
import { crc32c } from '../../checksum.js';
import type { NodeShape } from '../../grid/bank.js';
import { ENTRY_BYTES, readU64 } from './header.js';

export enum PayloadType {
  Float32 = 0,
  Float16 = 1,
  Container = 2,
}

/** One node, or one tangent of a node. */
export interface IndexEntry {
  x: number;
  y: number;
  z: number;
  /** Of the payload, and its length in bytes. */
  offset: number;
  bytes: number;
  crc: number;
  shape: NodeShape;
  /** 0 dense; k: the k-th of the metadata's codecs. */
  codec: number;
  level: number;
  /** 0 the node; 1, 2, 3 its tangent along x, y, z. */
  role: number;
  type: PayloadType;
  /** 0 this file; k: the k-th shard. */
  shard: number;
}

const COUNT_BYTES = 8;
const CRC_AT = 60;

function writeU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** Bytes of an index of so many entries. */
export const indexBytes = (count: number): number => COUNT_BYTES + ENTRY_BYTES * count;

/** The entries of an index, as its bytes have them: unchecked. */
export class NodeIndex {
  readonly #view: DataView;
  /** Whole entries that there are bytes for. */
  readonly count: number;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.count = Math.max(0, Math.floor((bytes.length - COUNT_BYTES) / ENTRY_BYTES));
  }

  /** Where entry i begins in the index. */
  at(i: number): number {
    return COUNT_BYTES + ENTRY_BYTES * i;
  }

  #u32(i: number, field: number): number {
    return this.#view.getUint32(this.at(i) + field, true);
  }

  /** Entries that the index says it has; NaN for no sensible number. */
  get said(): number {
    return readU64(this.#view, 0);
  }
  x(i: number): number {
    return this.#u32(i, 0);
  }
  y(i: number): number {
    return this.#u32(i, 4);
  }
  z(i: number): number {
    return this.#u32(i, 8);
  }
  place(i: number): [x: number, y: number, z: number] {
    return [this.x(i), this.y(i), this.z(i)];
  }
  offset(i: number): number {
    return readU64(this.#view, this.at(i) + 12);
  }
  sizeBytes(i: number): number {
    return readU64(this.#view, this.at(i) + 20);
  }
  parametersOffset(i: number): number {
    return readU64(this.#view, this.at(i) + 28);
  }
  crc(i: number): number {
    return this.#u32(i, 36);
  }
  shape(i: number): [height: number, width: number, channels: number] {
    return [this.#u32(i, 40), this.#u32(i, 44), this.#u32(i, 48)];
  }
  codec(i: number): number {
    return this.#view.getUint16(this.at(i) + 52, true);
  }
  level(i: number): number {
    return this.#view.getUint16(this.at(i) + 54, true);
  }
  role(i: number): number {
    return this.bytes[this.at(i) + 56];
  }
  type(i: number): number {
    return this.bytes[this.at(i) + 57];
  }
  shard(i: number): number {
    return this.#view.getUint16(this.at(i) + 58, true);
  }
  /** Whether the entry's own checksum holds. */
  isWhole(i: number): boolean {
    const at = this.at(i);
    return this.#u32(i, CRC_AT) === crc32c(this.bytes.subarray(at, at + CRC_AT));
  }

  entry(i: number): IndexEntry {
    const [x, y, z] = this.place(i);
    return {
      x,
      y,
      z,
      offset: this.offset(i),
      bytes: this.sizeBytes(i),
      crc: this.crc(i),
      shape: this.shape(i),
      codec: this.codec(i),
      level: this.level(i),
      role: this.role(i),
      type: this.type(i),
      shard: this.shard(i),
    };
  }

  /** Below 0 where entry i stands before j in the order of level, role, x, y, z; 0 where these are the same. */
  compare(i: number, j: number): number {
    return (
      this.level(i) - this.level(j) ||
      this.role(i) - this.role(j) ||
      this.x(i) - this.x(j) ||
      this.y(i) - this.y(j) ||
      this.z(i) - this.z(j)
    );
  }
}

/**
 * The index with those entries put right that are off by one bit, as their own checksums tell: a CRC-32C of so few bytes finds each single
 * bit, and no two of them alike. The others stay as they are.
 */
export function repaired(index: NodeIndex): NodeIndex {
  const bytes = index.bytes.slice();
  const copy = new NodeIndex(bytes);
  for (let i = 0; i < copy.count; i++) {
    const at = copy.at(i);
    for (let bit = 0; bit < 8 * ENTRY_BYTES && !copy.isWhole(i); bit++) {
      bytes[at + (bit >> 3)] ^= 1 << (bit & 7);
      if (!copy.isWhole(i)) bytes[at + (bit >> 3)] ^= 1 << (bit & 7);
    }
  }
  return copy;
}

/** An index under way: entries in any order become the bytes of one in the right order. */
export class IndexBuilder {
  #bytes = new Uint8Array(indexBytes(16));
  #view = new DataView(this.#bytes.buffer);
  count = 0;

  add(entry: IndexEntry): void {
    const at = indexBytes(this.count++);
    if (at + ENTRY_BYTES > this.#bytes.length) {
      const more = new Uint8Array(indexBytes(2 * this.count));
      more.set(this.#bytes);
      this.#bytes = more;
      this.#view = new DataView(more.buffer);
    }
    const view = this.#view;
    const { shape, offset } = entry;
    view.setUint32(at, entry.x, true);
    view.setUint32(at + 4, entry.y, true);
    view.setUint32(at + 8, entry.z, true);
    writeU64(view, at + 12, offset);
    writeU64(view, at + 20, entry.bytes);
    writeU64(view, at + 28, entry.type === PayloadType.Container ? offset : 0);
    view.setUint32(at + 36, entry.crc, true);
    for (let k = 0; k < 3; k++) view.setUint32(at + 40 + 4 * k, shape[k], true);
    view.setUint16(at + 52, entry.codec, true);
    view.setUint16(at + 54, entry.level, true);
    view.setUint8(at + 56, entry.role);
    view.setUint8(at + 57, entry.type);
    view.setUint16(at + 58, entry.shard, true);
  }

  /** Codecs of a role's entries, by their numbers. */
  codecs(role: number): Set<number> {
    const index = new NodeIndex(this.#bytes.subarray(0, indexBytes(this.count)));
    const used = new Set<number>();
    for (let i = 0; i < index.count; i++) if (index.role(i) === role) used.add(index.codec(i));
    return used;
  }

  /** The index, sorted. */
  finish(): Uint8Array {
    const index = new NodeIndex(this.#bytes.subarray(0, indexBytes(this.count)));
    this.#view.setUint32(0, this.count, true);
    for (let i = 0; i < index.count; i++) {
      const at = index.at(i);
      this.#view.setUint32(at + CRC_AT, crc32c(this.#bytes.subarray(at, at + CRC_AT)), true);
    }
    let isSorted = true;
    for (let i = 1; i < index.count && isSorted; i++) isSorted = index.compare(i - 1, i) < 0;
    if (isSorted) return index.bytes;
    const order = Uint32Array.from({ length: index.count }, (_, i) => i).sort((i, j) => index.compare(i, j));
    const sorted = new Uint8Array(index.bytes.length);
    sorted.set(index.bytes.subarray(0, COUNT_BYTES));
    order.forEach((i, to) => {
      sorted.set(index.bytes.subarray(index.at(i), index.at(i + 1)), index.at(to));
    });
    return sorted;
  }
}

/** The bytes of an index of these entries. */
export function encodeIndex(entries: Iterable<IndexEntry>): Uint8Array {
  const builder = new IndexBuilder();
  for (const entry of entries) builder.add(entry);
  return builder.finish();
}
