/** Files under way: written beside their target, and renamed over it when they are whole and on the disk. */
import { ArgumentError, check, DisposedError, StorageError } from '../errors.js';
import type { Sink } from '../grid/files/bytestream.js';
import { nodeFs, nodePath, readable, syncFolder } from './filesystem.js';
import { temporaryBeside } from './temporary.js';
import { begin, end } from './underway.js';

const BUFFER_BYTES = 2 ** 20;

/** Writes all of `bytes` at a place of an open file. */
export function writeExactly(fd: number, bytes: Uint8Array, offset: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const from = (done: number) =>
      nodeFs().write(fd, bytes, done, bytes.length - done, offset + done, (error, written) => {
        if (error) reject(error);
        else if (done + written < bytes.length) from(done + written);
        else resolve();
      });
    from(0);
  });
}

const whenDone = (start: (done: (error?: Error | null) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));

/**
 * A reader of the target sees the old file or the new one, at any moment and after a crash at any byte. The last commit wins.
 * The temporary file is made within this call: nothing can remove it at exit that is not there yet.
 */
export class FileSink implements Sink {
  readonly path: string;
  readonly #fd: number;
  #isClosed = false;
  /** Of the file that it takes the place of. */
  readonly #mode: number | undefined;
  #state: 'open' | 'committed' | 'aborted' = 'open';
  /** Appended and not yet in the file, which ends at #inFile. */
  #buffer = new Uint8Array(0);
  #held = 0;
  #inFile = 0;
  /** Calls wait for those before them. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #failure: unknown;

  /** @param name what errors call the target. */
  constructor(
    readonly target: string,
    readonly name: string,
  ) {
    const fs = nodeFs();
    this.path = temporaryBeside(target);
    begin(this.path);
    try {
      const old = fs.statSync(target, { throwIfNoEntry: false });
      check(
        old === undefined || old.isFile(),
        () => new StorageError(name, old?.isDirectory() ? 'it is a folder' : 'it is no plain file'),
      );
      // Who could not read the old file is not to read the new one, nor what it is until then.
      if (old !== undefined && process.platform !== 'win32') this.#mode = old.mode & 0o777;
      this.#fd = fs.openSync(this.path, 'wx', this.#mode === undefined ? 0o666 : 0o600);
    } catch (error) {
      fs.rmSync(this.path, { force: true });
      end(this.path);
      throw readable(name, error, nodePath().dirname(target));
    }
  }

  get sizeBytes(): number {
    return this.#inFile + this.#held;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#waiting === 0 && this.#state === 'open' && this.#hold(bytes)) return;
    await this.#next(async () => {
      if (this.#hold(bytes)) return;
      await this.#flush();
      if (this.#hold(bytes)) return;
      await writeExactly(this.#fd, bytes, this.#inFile);
      this.#inFile += bytes.length;
    });
  }

  async patch(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#next(async () => {
      check(
        Number.isSafeInteger(offset) && offset >= 0 && offset + bytes.length <= this.sizeBytes,
        () =>
          new ArgumentError(
            `${this.name}: patch must stay within the ${this.sizeBytes} bytes written, got ${bytes.length} at byte ${offset}`,
          ),
      );
      if (offset >= this.#inFile) return this.#buffer.set(bytes, offset - this.#inFile);
      await this.#flush();
      await writeExactly(this.#fd, bytes, offset);
    });
  }

  async commit(): Promise<void> {
    const fs = nodeFs();
    try {
      await this.#next(async () => {
        await this.#flush();
        const mode = this.#mode;
        if (mode !== undefined) await whenDone((done) => fs.fchmod(this.#fd, mode, done));
        await whenDone((done) => fs.fsync(this.#fd, done));
        await this.#close();
        await whenDone((done) => fs.rename(this.path, this.target, done));
        this.#state = 'committed';
        end(this.path);
        await syncFolder(nodePath().dirname(this.target));
      });
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    // What waits is not to begin, what has begun is to end before the file is closed.
    if (this.#state === 'open') this.#state = 'aborted';
    await this.#last;
    if (this.#state === 'committed') return;
    await this.#close().catch(() => {});
    // A failed removal must not hide what failed first.
    await whenDone((done) => nodeFs().rm(this.path, { force: true }, done)).catch(() => {});
    end(this.path);
  }

  /** Takes bytes into the buffer where they fit. */
  #hold(bytes: Uint8Array): boolean {
    if (this.#failure !== undefined || this.#held + bytes.length > BUFFER_BYTES) return false;
    if (this.#buffer.length === 0) this.#buffer = new Uint8Array(BUFFER_BYTES);
    this.#buffer.set(bytes, this.#held);
    this.#held += bytes.length;
    return true;
  }

  async #flush(): Promise<void> {
    if (this.#held === 0) return;
    await writeExactly(this.#fd, this.#buffer.subarray(0, this.#held), this.#inFile);
    this.#inFile += this.#held;
    this.#held = 0;
  }

  /** Does one thing after the other; after one that failed, nothing: the file has a hole. */
  async #next(step: () => Promise<void>): Promise<void> {
    this.#waiting++;
    const before = this.#last;
    const run = async () => {
      await before;
      check(
        this.#state === 'open',
        () => new DisposedError(`${this.name}: it has been ${this.#state} already`),
      );
      if (this.#failure !== undefined) throw this.#failure;
      try {
        await step();
      } catch (error) {
        const failure = readable(this.name, error, nodePath().dirname(this.target));
        if (!(failure instanceof ArgumentError)) this.#failure = failure;
        throw failure;
      }
    };
    const done = run().finally(() => this.#waiting--);
    this.#last = done.catch(() => {});
    await done;
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#buffer = new Uint8Array(0);
    await whenDone((done) => nodeFs().close(this.#fd, done));
  }
}
