/** A file of HDF5 that is being written, on its way to a sink. */
import { WavecubeError } from '../../errors.js';
import type { Sink } from '../../grid/files/bytestream.js';
import { GrowingFile } from './growing.js';
import type { Creation, Id, Library } from './library.js';
import { MemoryFile, Type } from './memoryfile.js';

const ofInteger = (size: number): Creation => ({ type: Type.Integer, size, signed: false, shape: [] });

type DatasetKind = 'float32' | 'uint16' | 'uint8' | 'uint32' | 'text';
const CREATIONS: Record<DatasetKind, Omit<Creation, 'shape'>> = {
  float32: { type: Type.Float, size: 4 },
  uint16: ofInteger(2),
  uint8: ofInteger(1),
  uint32: ofInteger(4),
  text: { type: Type.String, size: 0, cset: 1 },
};

export class WrittenFile extends MemoryFile {
  readonly #growing: GrowingFile;
  readonly #file: Id;
  #isOpen = true;

  constructor(h5: Library, name: string) {
    super(h5, name);
    const path = `/${crypto.randomUUID()}`;
    this.#growing = new GrowingFile(h5, path);
    try {
      // Of HDF5 1.8 and later, whose metadata have checksums of their own.
      const { H5F_LIBVER_V18: version } = h5;
      const open = () => h5.open(path, h5.H5F_ACC_TRUNC, false, version, version);
      this.#file = this.call('cannot be made', open, path);
    } finally {
      h5.FS.unlink(path);
    }
  }

  protected failure(message: string, cause: unknown): WavecubeError {
    return new WavecubeError(`${this.name}: ${message}`, { cause });
  }

  group(path: string): void {
    this.call(`${path} cannot be made`, () => this.h5.create_group(this.#file, path, false));
  }

  /**
   * @param bytes must stay as they are until `drain`.
   * @returns where the values came to lie, if in one piece.
   */
  dataset(path: string, kind: DatasetKind, shape: readonly number[], bytes: Uint8Array): number | undefined {
    const pointer = this.room(Math.max(1, bytes.length));
    this.h5.HEAPU8.set(bytes, pointer);
    this.#growing.await(bytes, pointer);
    this.call(`${path} cannot be written`, () =>
      this.h5.create_dataset(this.#file, path, BigInt(pointer), {
        ...CREATIONS[kind],
        ...(kind === 'text' && { size: bytes.length }),
        shape: shape.map(BigInt),
      }),
    );
    return this.#growing.landedAt;
  }

  /** @param value an unsigned integer below 2^32, several of them, or a text, which is of fixed length: others lie where no checksum is. */
  attribute(path: string, name: string, value: number | readonly number[] | string): void {
    const { h5 } = this;
    const isText = typeof value === 'string';
    const bytes = isText
      ? new TextEncoder().encode(value)
      : new Uint8Array(Uint32Array.from(typeof value === 'number' ? [value] : value).buffer);
    const what = isText ? { ...CREATIONS.text, size: bytes.length } : CREATIONS.uint32;
    const shape = Array.isArray(value) ? [BigInt(value.length)] : [];
    const pointer = this.room(bytes.length);
    h5.HEAPU8.set(bytes, pointer);
    this.call(`attribute ${name} of ${path} cannot be written`, () =>
      h5.create_attribute(this.#file, path, name, BigInt(pointer), { ...what, shape }),
    );
  }

  drain(sink: Sink): Promise<void> {
    return this.#growing.drain(sink);
  }

  async finish(sink: Sink): Promise<void> {
    this.#isOpen = false;
    this.release(this.#file);
    await this.#growing.finish(sink);
  }

  /** For where it is not finished. */
  dispose(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.release(this.#file);
    } catch {
      // What went wrong before counts.
    }
  }
}
