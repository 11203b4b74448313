/**
 * The shards of a manifest as files that payloads lie in: opened when they are needed, and seen to be those that the manifest means
 * before anything is read of them.
 */
import { check, FormatError, StorageError } from '../../errors.js';
import type { Folder, Source } from '../../grid/files/bytestream.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import type { PayloadFile } from './checkindex.js';
import type { Head } from './head.js';
import { decodeHeader, HEADER_BYTES, isWhole } from './header.js';
import type { PayloadFiles } from './payloads.js';
import { MANIFEST, partsOfShardName } from './shardnames.js';

/** Shards that are open at once; those beyond are closed when nothing is read of them. */
const MOST_OPEN = 64;

interface OpenShard {
  source: Promise<Source>;
  reads: number;
}

export class ShardFiles implements PayloadFiles {
  readonly files: PayloadFile[];
  /** The one that was used last comes last. */
  readonly #open = new Map<number, OpenShard>();

  /** @param folder null where nothing lies beside the manifest. */
  constructor(
    private readonly head: Head,
    private readonly folder: Folder | null,
    private readonly options: ReadOptions,
  ) {
    // Of the manifest itself no byte is a payload.
    this.files = [
      { name: head.name, sizeBytes: 0 },
      ...head.metadata.shards.map(({ name, sizeBytes }) => ({ name: this.#pathOf(name), sizeBytes })),
    ];
  }

  /**
   * Looks at all shards, as reading them does: for what reads them all.
   * With `recover` those that are not there, or cut short, have fewer bytes in `files` from then on.
   */
  async look(signal?: AbortSignal): Promise<void> {
    const { recover = false } = this.options;
    for (let file = 1; file < this.files.length; file++) {
      try {
        await this.#use(file, async ({ sizeBytes }) => {
          const one = this.files[file];
          this.files[file] = { ...one, sizeBytes: Math.min(sizeBytes, one.sizeBytes) };
        });
        signal?.throwIfAborted();
      } catch (error) {
        if (!recover || !(error instanceof FormatError)) throw error;
        this.files[file] = { ...this.files[file], sizeBytes: 0, lost: error.message };
      }
    }
  }

  async open(file: number): Promise<Source> {
    const { name, sizeBytes } = this.files[file];
    return {
      name,
      sizeBytes,
      read: (offset, length, signal) => this.#use(file, (source) => source.read(offset, length, signal)),
      async close() {},
    };
  }

  /** Closes what is open; what is read afterwards opens it again. */
  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const { source } of all) await source.then((one) => one.close()).catch(() => {});
  }

  async #use<T>(file: number, use: (source: Source) => Promise<T>): Promise<T> {
    const known = this.#open.get(file);
    const shard = known ?? { source: this.#opened(file), reads: 0 };
    this.#open.delete(file);
    this.#open.set(file, shard);
    shard.reads++;
    try {
      return await use(await shard.source);
    } catch (error) {
      // The next one may find it there, or be less impatient.
      if (this.#open.get(file) === shard && (await shard.source.catch(() => null)) === null)
        this.#open.delete(file);
      throw error;
    } finally {
      shard.reads--;
      this.#closeIdle();
    }
  }

  #closeIdle(): void {
    for (const [file, { source, reads }] of this.#open) {
      if (this.#open.size <= MOST_OPEN) return;
      if (reads > 0) continue;
      this.#open.delete(file);
      source.then((one) => one.close()).catch(() => {});
    }
  }

  async #opened(file: number): Promise<Source> {
    const { recover = false, verify = true } = this.options;
    const said = this.head.metadata.shards[file - 1];
    const source = await this.#there(file, said.name);
    try {
      // Where it was cut short, what is left may be read; and a damaged header costs nothing where payloads are verified.
      check(source.sizeBytes === said.sizeBytes || recover, () =>
        this.#damaged(file, `has ${source.sizeBytes} bytes, and the manifest says ${said.sizeBytes}`),
      );
      const first = await source.read(0, Math.min(HEADER_BYTES, source.sizeBytes));
      if (!isWhole(first)) {
        check(recover && verify, () => this.#damaged(file, 'has a damaged header'));
        return source;
      }
      const { id, isManifest } = decodeHeader(first, source.name);
      check(!isManifest && id.every((byte, i) => byte === this.head.header.id[i]), () =>
        this.#damaged(file, 'is of another save: its id is not the manifest’s'),
      );
      return source;
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  async #there(file: number, name: string): Promise<Source> {
    check(
      this.folder !== null,
      () =>
        new FormatError(
          this.head.name,
          `is the manifest of ${this.files.length - 1} shards, which lie beside it: open it by its path or URL`,
        ),
    );
    try {
      return await this.folder.open(name);
    } catch (cause) {
      const isMissing = cause instanceof StorageError && cause.missing;
      throw isMissing ? this.#damaged(file, 'is missing', cause) : cause;
    }
  }

  /** An error that says what a whole shard costs. */
  #damaged(file: number, what: string, cause?: unknown): FormatError {
    const { index } = this.head;
    let [first, nodes, tangents] = [-1, 0, 0];
    for (let i = 0; i < index.count; i++) {
      if (index.shard(i) !== file) continue;
      if (first < 0 || index.offset(i) < index.offset(first)) first = i;
      if (index.role(i) === 0) nodes++;
      else tangents++;
    }
    const costs = `${nodes} nodes${tangents > 0 ? ` and ${tangents} tangents` : ''}`;
    const { name } = this.files[file];
    if (first < 0) return new FormatError(name, `${what}; no node is in it`, { cause });
    const [offset, node] = [index.offset(first), index.place(first)];
    return new FormatError(
      name,
      `${what}; that costs ${costs}, the first of them (${node.join(', ')}) at byte ${offset}; { recover: true } reads the rest`,
      { offset, node, cause },
    );
  }

  #pathOf(name: string): string {
    const folder = this.folder?.name.replace(/[/\\]$/, '');
    return folder ? `${folder}/${name}` : name;
  }
}

/** Of a manifest its shards. @param look whether all are looked at now. */
export async function shardFiles(
  head: Head,
  folder: Folder | null,
  options: ReadOptions,
  look: boolean,
): Promise<ShardFiles> {
  const shards = new ShardFiles(head, folder, options);
  if (!look) return shards;
  try {
    await shards.look(options.signal);
    return shards;
  } catch (error) {
    await shards.close();
    throw error;
  }
}

/** Whether a folder holds a cube of many files, or what is left of one. */
export async function isShardFolder(folder: Folder): Promise<boolean> {
  if (folder.list) {
    const names = await folder.list();
    return names.includes(MANIFEST) || names.some((name) => partsOfShardName(name) !== null);
  }
  try {
    await (await folder.open(MANIFEST)).close();
    return true;
  } catch (error) {
    if (error instanceof StorageError && error.missing) return false;
    throw error;
  }
}
