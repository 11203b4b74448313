/** A file of HDF5 that is read: its bytes are in memory, and nothing is allocated on their word alone. */
import { check, FormatError } from '../../errors.js';
import { endsWell, isHeap } from './globalheap.js';
import { IO_ERROR } from './growing.js';
import { CHECKSUM } from './layout.js';
import { CallFailed, type Described, type Id, type Library } from './library.js';
import { MemoryFile, Type } from './memoryfile.js';

/** Of the module's memory when it is new; and what HDF5 may take of it for its caches. */
const INITIAL_BYTES = 20 * 2 ** 20;
const SPARE_BYTES = 32 * 2 ** 20;

/** A dataset that is there, as far as its size was checked. */
export interface Dataset {
  path: string;
  /** As NumPy calls it. */
  type: string;
  shape: number[];
  sizeBytes: number;
}

export class ReadFile extends MemoryFile {
  #open: { file: Id; fd: number; node: unknown } | null = null;
  /** Where the last dataset's values lie, where HDF5 read them in one piece. */
  #place: number | undefined;
  #awaited = 0;

  constructor(
    h5: Library,
    readonly bytes: Uint8Array,
    name: string,
  ) {
    super(h5, name);
  }

  /** What it takes to begin with, and at most one dataset at a time: damage and malice ask for more. */
  protected override get memoryBytes(): number {
    return INITIAL_BYTES + this.bytes.length + SPARE_BYTES;
  }

  protected failure(message: string, cause: unknown): FormatError {
    return new FormatError(this.name, message, { cause });
  }

  /** Opened at need: it may be closed at any time. */
  get #file(): Id {
    if (this.#open) return this.#open.file;
    const { h5, bytes } = this;
    // Of old superblocks and of newer ones. HDF5 itself writes no other; heaps are looked through as of such files.
    const [offsetBytes, lengthBytes] = bytes[8] < 2 ? [bytes[13], bytes[14]] : [bytes[9], bytes[10]];
    check(
      offsetBytes === 8 && lengthBytes === 8,
      () => new FormatError(this.name, 'must have offsets and lengths of 8 bytes'),
    );
    const path = `/${crypto.randomUUID()}`;
    h5.FS.writeFile(path, new Uint8Array(0));
    const { node } = h5.FS.lookupPath(path);
    node.contents = bytes;
    node.usedBytes = bytes.length;
    const { read } = node.stream_ops;
    node.stream_ops = {
      ...node.stream_ops,
      read: (stream, buffer, at, length, position) => {
        if (length === this.#awaited) this.#place = position;
        else if (isHeap(bytes, position) && !endsWell(bytes, position)) {
          throw new h5.FS.ErrnoError(IO_ERROR);
        }
        return read(stream, buffer, at, length, position);
      },
    };
    try {
      const file = this.call('cannot be opened', () => h5.open(path, h5.H5F_ACC_RDONLY, false, -1, -1), path);
      this.#open = { file, node, fd: opened(h5, node) };
      return file;
    } catch (error) {
      forget(h5, node, opened(h5, node));
      throw error;
    } finally {
      h5.FS.unlink(path);
    }
  }

  /** What a group holds. */
  names(path: string): string[] {
    const file = this.#file;
    return this.call(`group ${path} cannot be read`, () => this.h5.get_names(file, path, false));
  }

  attributeNames(path: string): string[] {
    const file = this.#file;
    return this.call(`attributes of ${path} cannot be read`, () => this.h5.get_attribute_names(file, path));
  }

  /** @throws FormatError unless it is one integer or one text. */
  attribute(path: string, name: string): number | string {
    const file = this.#file;
    const { h5 } = this;
    const what = `attribute ${name} of ${path}`;
    const described = this.call(`${what} cannot be read`, () => h5.get_attribute_metadata(file, path, name));
    const sizeBytes = this.#checkSize(what, described);
    check(
      described.shape?.length === 0 && described.size > 0,
      () => new FormatError(this.name, `${what} must be one value`),
    );
    const pointer = this.room(sizeBytes);
    return this.#value(what, described, pointer, name, path, () =>
      h5.get_attribute_data(file, path, name, BigInt(pointer)),
    );
  }

  /** Of a dataset that must have one. */
  checksum(path: string): number {
    check(
      this.attributeNames(path).includes(CHECKSUM),
      () => new FormatError(this.name, `dataset ${path} has no checksum, where the file says that all have`),
    );
    return Number(this.attribute(path, CHECKSUM));
  }

  /** What a dataset is. @throws FormatError for one that cannot be read, or would take more bytes than the file has. */
  dataset(path: string): Dataset {
    const file = this.#file;
    const { h5 } = this;
    const described = this.call(`dataset ${path} cannot be read`, () => h5.get_dataset_metadata(file, path));
    const sizeBytes = this.#checkSize(`dataset ${path}`, described);
    check(
      described.virtual_sources === undefined,
      () => new FormatError(this.name, `dataset ${path} is a virtual one, whose values lie in other files`),
    );
    if (described.chunks) {
      const [filter] = this.call(`filters of ${path} cannot be read`, () =>
        h5.get_dataset_filters(file, path),
      );
      check(
        filter === undefined,
        () =>
          new FormatError(
            this.name,
            `dataset ${path} is packed by '${filter.name}', which Wavecube does not read: h5repack -f NONE unpacks it`,
          ),
      );
      const chunkBytes = described.chunks.reduce((a, b) => a * b, described.size);
      check(
        chunkBytes <= this.bytes.length,
        () =>
          new FormatError(this.name, `dataset ${path} has chunks of ${chunkBytes} bytes, more than the file`),
      );
    }
    return { path, type: typeName(described), shape: described.shape ?? [], sizeBytes };
  }

  /** The values of a dataset, and where they lie if that is known. */
  read({ path, sizeBytes }: Dataset): { bytes: Uint8Array<ArrayBuffer>; offset: number | undefined } {
    const file = this.#file;
    const { h5 } = this;
    const pointer = this.room(sizeBytes);
    this.#place = undefined;
    this.#awaited = sizeBytes;
    const status = this.call(`dataset ${path} cannot be read`, () =>
      h5.get_dataset_data(file, path, null, null, null, BigInt(pointer)),
    );
    this.#awaited = 0;
    check(status >= 0, () => new FormatError(this.name, `dataset ${path} cannot be read`));
    return { bytes: h5.HEAPU8.slice(pointer, pointer + sizeBytes), offset: this.#place };
  }

  /** The text of a dataset: a string, or bytes of UTF-8. */
  text(path: string): string {
    const file = this.#file;
    const { h5 } = this;
    const dataset = this.dataset(path);
    if (dataset.type === 'uint8') return this.#utf8(path, this.read(dataset).bytes);
    check(
      dataset.type === 'string' && dataset.shape.length === 0,
      () => new FormatError(this.name, `dataset ${path} must be one text, got ${dataset.type}`),
    );
    const described = this.call(`dataset ${path} cannot be read`, () => h5.get_dataset_metadata(file, path));
    const pointer = this.room(dataset.sizeBytes);
    return String(
      this.#value(`dataset ${path}`, described, pointer, '', path, () =>
        h5.get_dataset_data(file, path, null, null, null, BigInt(pointer)),
      ),
    );
  }

  close(): void {
    if (!this.#open) return;
    const { file, node, fd } = this.#open;
    this.#open = null;
    try {
      this.release(file);
    } catch {
      // A damaged file that HDF5 cannot even close; its bytes go all the same.
    } finally {
      forget(this.h5, node, fd);
    }
  }

  /** One integer or text that `read` brings to a pointer. */
  #value(
    what: string,
    { type, size, signed, vlen }: Described,
    pointer: number,
    attribute: string,
    path: string,
    read: () => number,
  ): number | string {
    const { h5 } = this;
    const file = this.#file;
    const fail = () => new FormatError(this.name, `${what} must be an integer or a text`);
    const isInteger = (type === Type.Integer || type === Type.Enumeration) && size <= 8;
    check(isInteger || type === Type.String, fail);
    return this.call(`${what} cannot be read`, () => {
      if (read() < 0) throw new CallFailed('it is damaged');
      if (vlen) {
        const address = new DataView(h5.HEAPU8.buffer, pointer, 4).getUint32(0, true);
        const value = address ? h5.UTF8ToString(address) : '';
        h5.reclaim_vlen_memory(file, path, attribute, BigInt(pointer));
        return value;
      }
      const bytes = h5.HEAPU8.slice(pointer, pointer + size);
      if (type === Type.String) return this.#utf8(what, bytes);
      const wide = new Uint8Array(8).fill(signed && bytes[size - 1] > 127 ? 255 : 0);
      wide.set(bytes);
      return Number(new DataView(wide.buffer).getBigInt64(0, true));
    });
  }

  #utf8(what: string, bytes: Uint8Array): string {
    const end = bytes.indexOf(0);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
    } catch (cause) {
      throw new FormatError(this.name, `${what} is no text in UTF-8`, { cause });
    }
  }

  /** Bytes of what is described. @throws FormatError for more than there are: nothing is allocated on a file's word. */
  #checkSize(what: string, { shape, size }: Described): number {
    check(shape !== null && size > 0, () => new FormatError(this.name, `${what} has no shape`));
    const sizeBytes = shape.reduce((a, b) => a * b, size);
    check(
      sizeBytes <= this.bytes.length,
      () =>
        new FormatError(
          this.name,
          `${what} claims ${sizeBytes} bytes, where the file has ${this.bytes.length} in all`,
        ),
    );
    return sizeBytes;
  }
}

/** @returns the descriptor that opening a file took: the library keeps it to itself. */
function opened(h5: Library, node: unknown): number {
  return h5.FS.streams.findIndex((stream) => stream?.node === node);
}

/** Takes a file's bytes from the module, also where HDF5 still has it open. */
function forget(h5: Library, node: unknown, fd: number): void {
  const file = node as { contents: Uint8Array | null; usedBytes: number };
  file.contents = null;
  file.usedBytes = 0;
  const stream = fd < 0 ? null : h5.FS.streams[fd];
  if (stream && stream.node === node) h5.FS.close(stream);
}

function typeName({ type, size, signed }: Described): string {
  if (type === Type.Integer) return `${signed ? 'int' : 'uint'}${8 * size}`;
  if (type === Type.Float) return `float${8 * size}`;
  return type === Type.String ? 'string' : `class ${type} of HDF5`;
}
