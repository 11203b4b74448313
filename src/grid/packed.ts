/**
 * What a cube keeps of its compressed nodes besides their rows: their bytes, which are what is stored, and, bounded by
 * cacheBytes each, what was unpacked or decoded of them to be at hand.
 */
import { CompressedWavetable } from '../codecs/compressed.js';
import { DecodedCache } from './cache.js';
import type { Settings } from './options.js';

/** Touched cells that are remembered, so that a second look finds them hot. */
const REMEMBERED = 2 ** 16;

export class PackedNodes {
  /** Decoded rows of nodes that cannot be blended. */
  readonly decoded: DecodedCache;
  /** Decoded rows of nodes that are needed again and again; null where the cube keeps none. */
  readonly hot: DecodedCache | null;
  readonly #bytes = new Map<number, Uint8Array>();
  /** Nodes without a form, unpacked on the host: the oldest first. */
  readonly #unpacked = new Map<number, CompressedWavetable>();
  #unpackedBytes = 0;
  readonly #needed = new Set<number>();
  readonly #limitBytes: number;

  constructor(settings: Settings) {
    const { dims, cacheBytes } = settings;
    const cache = () => new DecodedCache(dims, cacheBytes);
    this.#limitBytes = cacheBytes;
    this.decoded = cache();
    this.hot = cacheBytes > 0 ? cache() : null;
  }

  set(cell: number, bytes: Uint8Array): void {
    this.drop(cell);
    this.#bytes.set(cell, bytes);
  }

  /** The bytes of a compressed node; undefined of a dense one. */
  get(cell: number): Uint8Array | undefined {
    return this.#bytes.get(cell);
  }

  /** All bytes as they are now. */
  snapshot(): ReadonlyMap<number, Uint8Array> {
    return new Map(this.#bytes);
  }

  /** A cell's node is another one now, or none: forgets what was kept of it. */
  drop(cell: number): void {
    this.#bytes.delete(cell);
    this.#needed.delete(cell);
    this.decoded.drop(cell);
    this.hot?.drop(cell);
    this.#forget(cell);
  }

  /** A compressed node's parameters and constants, from the ones last used. */
  unpacked(cell: number): CompressedWavetable {
    let compressed = this.#unpacked.get(cell);
    if (compressed) {
      this.#unpacked.delete(cell);
    } else {
      compressed = CompressedWavetable.read(this.#bytes.get(cell)!, { verify: false });
      this.#unpackedBytes += unpackedBytes(compressed);
      for (const other of this.#unpacked.keys()) {
        if (this.#unpackedBytes <= this.#limitBytes) break;
        this.#forget(other);
      }
    }
    this.#unpacked.set(cell, compressed);
    return compressed;
  }

  /** Whether all these cells were asked for before; they have been now. */
  neededBefore(cells: Iterable<number>): boolean {
    let all = true;
    for (const cell of cells) {
      if (this.#needed.has(cell)) continue;
      all = false;
      if (this.#needed.size >= REMEMBERED) this.#needed.clear();
      this.#needed.add(cell);
    }
    return all;
  }

  /** Bytes as stored. */
  get storedBytes(): number {
    let sum = 0;
    for (const bytes of this.#bytes.values()) sum += bytes.length;
    return sum;
  }

  /** Bytes of what is at hand. */
  get cachedBytes(): number {
    return this.decoded.residentBytes + (this.hot?.residentBytes ?? 0) + this.#unpackedBytes;
  }

  get indexBytes(): number {
    return this.decoded.indexBytes + (this.hot?.indexBytes ?? 0);
  }

  cloneInto(twin: PackedNodes): void {
    for (const [cell, bytes] of this.#bytes) twin.#bytes.set(cell, bytes);
  }

  /** Gives back what is at hand; the bytes stay. */
  dropDecoded(): void {
    this.decoded.clear();
    this.hot?.clear();
    for (const cell of [...this.#unpacked.keys()]) this.#forget(cell);
  }

  dispose(): void {
    this.dropDecoded();
    this.#bytes.clear();
  }

  #forget(cell: number): void {
    const compressed = this.#unpacked.get(cell);
    if (!compressed) return;
    this.#unpackedBytes -= unpackedBytes(compressed);
    this.#unpacked.delete(cell);
    compressed.dispose();
  }
}

/** On the host, and on the device. */
function unpackedBytes({ parameters: { params, constants } }: CompressedWavetable): number {
  const arrays = [...Object.values(params), ...Object.values(constants)];
  return arrays.reduce((sum, { values }) => sum + 2 * values.byteLength, 0);
}
