/** Writes a zip archive into a sink, entry by entry: what is kept of each is its record of the directory, at the end. */
import { deflateSync } from 'fflate';
import { crc32 } from '../../checksum.js';
import type { Sink } from '../../grid/files/bytestream.js';
import { freeBytes } from '../budget.js';
import {
  CENTRAL,
  CENTRAL_BYTES,
  DEFLATED,
  END,
  END_BYTES,
  END64,
  END64_BYTES,
  LOCAL,
  LOCAL_BYTES,
  LOCATOR64,
  LOCATOR64_BYTES,
  STORED,
  UTF8,
  WIDE16,
  WIDE32,
  type ZipEntry,
} from './records.js';

/** Where the data of stored entries begins, a multiple: arrays are views of the file then. */
const ALIGNMENT = 64;
/** The extra field that pads: of zipalign's, which readers pass over. */
const ALIGNING = 0xd935;
/** 1980-01-01: a date that never changes makes the bytes a function of the contents alone. */
const DATE = 0x0021;
const CHUNK_BYTES = 64 * 1024;

export class ZipWriter {
  readonly #entries: (ZipEntry & { nameBytes: Uint8Array; start: number })[] = [];
  #unpackedBytes = 0;

  constructor(
    readonly sink: Sink,
    /** Whether entries are deflated, those that it makes smaller. */
    readonly deflate: boolean,
  ) {}

  /**
   * Appends an entry of `head`, then `data`.
   * @param stored never deflated: it can be patched.
   * @returns its number.
   */
  async add(name: string, head: Uint8Array, data: Uint8Array, stored = false): Promise<number> {
    const nameBytes = new TextEncoder().encode(name);
    const bytes = head.length + data.length;
    const crc = crc32(data, crc32(head));
    const packed = stored ? null : this.#deflated(head, data, bytes);
    if (packed) this.#unpackedBytes += bytes;
    const packedBytes = packed?.length ?? bytes;
    const offset = this.sink.sizeBytes;
    const wide = bytes >= WIDE32 ? 20 : 0;
    const plain = LOCAL_BYTES + nameBytes.length + wide;
    const gap = packed ? 0 : paddingTo(offset + plain);
    const start = offset + plain + gap;
    const entry = {
      name,
      nameBytes,
      flags: UTF8,
      method: packed ? DEFLATED : STORED,
      crc,
      packedBytes,
      bytes,
      offset,
      start,
      limit: start + packedBytes,
    };
    this.#entries.push(entry);

    const local = new Uint8Array(plain + gap + (packed ? 0 : head.length));
    const view = new DataView(local.buffer);
    view.setUint32(0, LOCAL, true);
    view.setUint16(4, wide ? 45 : 20, true);
    writeCommon(view, 6, entry, wide > 0);
    view.setUint16(28, wide + gap, true);
    local.set(nameBytes, LOCAL_BYTES);
    if (wide) writeWide(view, LOCAL_BYTES + nameBytes.length, [bytes, packedBytes]);
    if (gap) {
      view.setUint16(plain, ALIGNING, true);
      view.setUint16(plain + 2, gap - 4, true);
      view.setUint16(plain + 4, ALIGNMENT, true);
    }
    if (!packed) local.set(head, plain + gap);
    await this.sink.write(local);
    await this.sink.write(packed ?? data);
    return this.#entries.length - 1;
  }

  /** Overwrites a stored entry with as many bytes. */
  async patch(index: number, head: Uint8Array, data: Uint8Array): Promise<void> {
    const entry = this.#entries[index];
    entry.crc = crc32(data, crc32(head));
    const crc = new Uint8Array(4);
    new DataView(crc.buffer).setUint32(0, entry.crc, true);
    await this.sink.patch(entry.offset + 14, crc);
    await this.sink.patch(entry.start, head);
    await this.sink.patch(entry.start + head.length, data);
  }

  /** The checksum of an entry. */
  crcOf(index: number): number {
    return this.#entries[index].crc;
  }

  /** Writes the directory. The sink is the caller's to commit. */
  async finish(): Promise<void> {
    const from = this.sink.sizeBytes;
    let chunk: Uint8Array[] = [];
    let chunkBytes = 0;
    const flush = async () => {
      const whole = new Uint8Array(chunkBytes);
      let at = 0;
      for (const record of chunk) {
        whole.set(record, at);
        at += record.length;
      }
      [chunk, chunkBytes] = [[], 0];
      await this.sink.write(whole);
    };
    for (const entry of this.#entries) {
      const record = centralRecord(entry);
      chunk.push(record);
      chunkBytes += record.length;
      if (chunkBytes > CHUNK_BYTES) await flush();
    }
    if (chunkBytes > 0) await flush();
    await this.sink.write(endRecords(this.#entries.length, from, this.sink.sizeBytes - from));
  }

  /** Null where the bytes are to be stored: deflate gains nothing, or a reader would refuse what the archive unpacks to. */
  #deflated(head: Uint8Array, data: Uint8Array, bytes: number): Uint8Array | null {
    if (!this.deflate || this.#unpackedBytes + bytes > freeBytes(this.sink.sizeBytes)) return null;
    const whole = new Uint8Array(bytes);
    whole.set(head);
    whole.set(data, head.length);
    const packed = deflateSync(whole, { level: 6 });
    return packed.length < bytes ? packed : null;
  }
}

/** Bytes of an extra field that ends at a multiple of the alignment: none, or at least its own six. */
function paddingTo(end: number): number {
  const gap = (ALIGNMENT - (end % ALIGNMENT)) % ALIGNMENT;
  return gap === 0 || gap >= 6 ? gap : gap + ALIGNMENT;
}

/** Flags to the length of the name, as local headers and the directory both have them. */
function writeCommon(
  view: DataView,
  at: number,
  entry: ZipEntry & { nameBytes: Uint8Array },
  wide: boolean,
): void {
  view.setUint16(at, entry.flags, true);
  view.setUint16(at + 2, entry.method, true);
  view.setUint16(at + 6, DATE, true);
  view.setUint32(at + 8, entry.crc, true);
  view.setUint32(at + 12, wide ? WIDE32 : entry.packedBytes, true);
  view.setUint32(at + 16, wide ? WIDE32 : entry.bytes, true);
  view.setUint16(at + 20, entry.nameBytes.length, true);
}

function writeWide(view: DataView, at: number, numbers: readonly number[]): void {
  view.setUint16(at, 1, true);
  view.setUint16(at + 2, 8 * numbers.length, true);
  numbers.forEach((n, i) => {
    view.setBigUint64(at + 4 + 8 * i, BigInt(n), true);
  });
}

function centralRecord(entry: ZipEntry & { nameBytes: Uint8Array }): Uint8Array {
  const { nameBytes, offset, bytes, packedBytes } = entry;
  const numbers = [...(bytes >= WIDE32 ? [bytes, packedBytes] : []), ...(offset >= WIDE32 ? [offset] : [])];
  const extra = numbers.length && 4 + 8 * numbers.length;
  const record = new Uint8Array(CENTRAL_BYTES + nameBytes.length + extra);
  const view = new DataView(record.buffer);
  view.setUint32(0, CENTRAL, true);
  view.setUint16(4, extra ? 45 : 20, true);
  view.setUint16(6, extra ? 45 : 20, true);
  writeCommon(view, 8, entry, bytes >= WIDE32);
  view.setUint16(30, extra, true);
  view.setUint32(42, Math.min(offset, WIDE32), true);
  record.set(nameBytes, CENTRAL_BYTES);
  if (extra) writeWide(view, CENTRAL_BYTES + nameBytes.length, numbers);
  return record;
}

/** The end record, and in front of it that of zip64 where its numbers do not fit. */
function endRecords(count: number, from: number, bytes: number): Uint8Array {
  const wide = count >= WIDE16 || from >= WIDE32 || bytes >= WIDE32 ? END64_BYTES + LOCATOR64_BYTES : 0;
  const out = new Uint8Array(wide + END_BYTES);
  const view = new DataView(out.buffer);
  if (wide) {
    view.setUint32(0, END64, true);
    view.setBigUint64(4, BigInt(END64_BYTES - 12), true);
    view.setUint16(12, 45, true);
    view.setUint16(14, 45, true);
    view.setBigUint64(24, BigInt(count), true);
    view.setBigUint64(32, BigInt(count), true);
    view.setBigUint64(40, BigInt(bytes), true);
    view.setBigUint64(48, BigInt(from), true);
    view.setUint32(END64_BYTES, LOCATOR64, true);
    view.setBigUint64(END64_BYTES + 8, BigInt(from + bytes), true);
    view.setUint32(END64_BYTES + 16, 1, true);
  }
  view.setUint32(wide, END, true);
  view.setUint16(wide + 8, Math.min(count, WIDE16), true);
  view.setUint16(wide + 10, Math.min(count, WIDE16), true);
  view.setUint32(wide + 12, Math.min(bytes, WIDE32), true);
  view.setUint32(wide + 16, Math.min(from, WIDE32), true);
  return out;
}
