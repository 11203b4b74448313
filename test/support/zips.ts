/** Zip archives made by hand, each field as it is wanted. */
import { crc32 } from '../../src/checksum.js';
import { encodeNpy } from '../../src/index.js';

export interface HandmadeEntry {
  name: string | Uint8Array;
  /** As it is in the file. */
  data: Uint8Array;
  method?: number;
  flags?: number;
  crc?: number;
  bytes?: number;
  packedBytes?: number;
  /** What the directory says, where it is not what is so. */
  central?: Partial<{
    name: string;
    method: number;
    flags: number;
    crc: number;
    bytes: number;
    packedBytes: number;
    offset: number;
    disk: number;
  }>;
}

export interface HandmadeEnd {
  count?: number;
  disk?: number;
  directoryBytes?: number;
  directoryOffset?: number;
  comment?: Uint8Array;
  /** Bytes between the directory and the end record. */
  before?: Uint8Array;
}

/** Little-endian numbers of so many bytes each. */
export function packed(...fields: readonly (readonly [bytes: number, value: number])[]): Uint8Array {
  const out: number[] = [];
  for (const [bytes, value] of fields) {
    let rest = BigInt(value);
    for (let i = 0; i < bytes; i++, rest >>= 8n) out.push(Number(rest & 255n));
  }
  return Uint8Array.from(out);
}

export const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

export function handmadeZip(entries: readonly HandmadeEntry[], end: HandmadeEnd = {}): Uint8Array {
  const locals: Uint8Array[] = [];
  const centrals: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { data, method = 0, flags = 0, central = {} } = entry;
    const encode = (name: string | Uint8Array) =>
      typeof name === 'string' ? new TextEncoder().encode(name) : name;
    const said = {
      name: entry.name,
      method,
      flags,
      crc: entry.crc ?? crc32(data),
      packedBytes: entry.packedBytes ?? data.length,
      bytes: entry.bytes ?? data.length,
      offset,
      disk: 0,
    };
    const common = ({ name, method, flags, crc, packedBytes, bytes }: typeof said) =>
      [
        [2, flags],
        [2, method],
        [4, 0x210000],
        [4, crc],
        [4, packedBytes],
        [4, bytes],
        [2, encode(name).length],
      ] as const;
    const local = joined(packed([4, 0x04034b50], [2, 20], ...common(said), [2, 0]), encode(said.name), data);
    const other = { ...said, ...central };
    centrals.push(
      joined(
        packed(
          [4, 0x02014b50],
          [2, 20],
          [2, 20],
          ...common(other),
          [2, 0],
          [2, 0],
          [2, other.disk],
          [2, 0],
          [4, 0],
          [4, other.offset],
        ),
        encode(other.name),
      ),
    );
    locals.push(local);
    offset += local.length;
  }
  const directory = joined(...centrals);
  const { count = entries.length, disk = 0, comment = new Uint8Array(), before = new Uint8Array() } = end;
  const { directoryBytes = directory.length, directoryOffset = offset } = end;
  return joined(
    ...locals,
    directory,
    before,
    packed(
      [4, 0x06054b50],
      [2, disk],
      [2, disk],
      [2, count],
      [2, count],
      [4, directoryBytes],
      [4, directoryOffset],
      [2, comment.length],
    ),
    comment,
  );
}

/** metadata.npy of a text. */
export function metadataEntry(text: string): HandmadeEntry {
  const data = new TextEncoder().encode(text);
  return { name: 'metadata.npy', data: encodeNpy({ dtype: '|u1', shape: [data.length], data }) };
}
