/**
 * Global heaps, where HDF5 keeps texts of varying length. They have no checksum, and HDF5 2.0 goes round for ever in one whose chain of
 * objects stands still; so the chain is walked before HDF5 sees it ("HDF5 File Format Specification", III.E).
 */

/** 'GCOL', version, size of the collection; then objects: u16 index, u16 references, u32 reserved, u64 bytes, data padded to 8. */
const HEADER = 16;
const MAGIC = [0x47, 0x43, 0x4f, 0x4c];

/** Whether a heap begins there. */
export const isHeap = (bytes: Uint8Array, at: number): boolean =>
  MAGIC.every((letter, i) => bytes[at + i] === letter);

/** Whether a heap's chain comes to its end. */
export function endsWell(bytes: Uint8Array, start: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (start + HEADER > bytes.length) return false;
  const sizeBytes = Number(view.getBigUint64(start + 8, true));
  const end = start + sizeBytes;
  if (sizeBytes < HEADER || end > bytes.length) return false;
  for (let at = start + HEADER; at + HEADER <= end; ) {
    const length = Number(view.getBigUint64(at + 8, true));
    // That of index 0 is what is free, its own header included.
    const isFree = view.getUint16(at, true) === 0;
    const needed = isFree ? length : HEADER + Math.ceil(length / 8) * 8;
    if (needed < HEADER || at + needed > end) return false;
    at += needed;
  }
  return true;
}
