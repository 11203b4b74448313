/** A file of HDF5 in memory. Every failure of HDF5 is an error that names the file. */
import { check, DeviceError, type WavecubeError } from '../../errors.js';
import { attempt, CallFailed, type Id, type Library } from './library.js';

/** Classes of HDF5's types. */
export enum Type {
  Integer = 0,
  Float = 1,
  String = 3,
  Enumeration = 8,
}

export abstract class MemoryFile {
  #pointer = 0;
  #capacity = 0;

  constructor(
    protected readonly h5: Library,
    /** What errors call it. */
    readonly name: string,
  ) {}

  /** How large the module's memory may get. */
  protected get memoryBytes(): number | undefined {
    return undefined;
  }

  /** @param doing for the message: what HDF5 cannot do. */
  protected call<T>(doing: string, action: () => T, path?: string): T {
    try {
      return attempt(this.h5, { path, memoryBytes: this.memoryBytes }, action);
    } catch (cause) {
      if (!(cause instanceof CallFailed)) throw cause;
      throw this.failure(`${doing}: ${cause.message}`, cause);
    }
  }

  protected abstract failure(message: string, cause: unknown): WavecubeError;

  /** Room in the module's memory, until the next call. */
  protected room(bytes: number): number {
    if (bytes > this.#capacity) {
      this.#giveBack();
      this.#pointer = this.call('has no memory', () => this.h5._malloc(bytes)) >>> 0;
      check(
        this.#pointer !== 0,
        () => new DeviceError(`${this.name}: h5wasm has no memory for a dataset of ${bytes} bytes`),
      );
      this.#capacity = bytes;
    }
    return this.#pointer;
  }

  #giveBack(): void {
    if (this.#pointer) this.h5._free(this.#pointer);
    this.#pointer = 0;
    this.#capacity = 0;
  }

  /** Closes it in HDF5, and takes its bytes from the module, which may have lost track of it in a damaged file. */
  protected release(file: Id): void {
    this.#giveBack();
    this.call('cannot be closed', () => this.h5.close_file(file));
  }
}
