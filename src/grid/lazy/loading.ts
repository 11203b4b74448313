/**
 * Reading nodes of an opened cube's file into its banks. Calls under way at once share what they read: a node is read once, for all
 * that wait for it, and for as long as one of them does. Nodes go into banks batch by batch; what was set or deleted meanwhile stays
 * as it is.
 */
import { onAbort } from '../../aborts.js';
import { readContainer } from '../../codecs/container.js';
import { ArgumentError, check, DisposedError, FormatError } from '../../errors.js';
import { cellOf } from '../coordinates.js';
import type { NodeSource } from '../files/nodesource.js';
import { checkStored, type StoredNode } from '../files/storednodes.js';
import type { Settings } from '../options.js';
import { isSame, type PreparedNodes } from '../store.js';
import { type Cells, cellsWhere, countOf, type FileNodes, ROLES, type Role, roleOf } from './filenodes.js';

export interface LoadOptions {
  signal?: AbortSignal;
  /** Called as nodes arrive: how many of the `total` that had to be read are there. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** One read under way. */
interface Fetch {
  /** Those that have not come yet: one that came, and gave way since, is read anew. */
  cells: Cells;
  source: NodeSource;
  /** Calls that wait for it. */
  waiting: Set<() => void>;
  control: AbortController;
  /** Never rejects: says what went wrong. */
  ended: Promise<{ error: unknown } | null>;
}

export class NodeLoader {
  readonly #fetches = new Set<Fetch>();
  #disposed = false;

  /** @param alive throws where the cube cannot be written now. */
  constructor(
    private readonly file: FileNodes,
    readonly settings: Settings,
    private readonly alive: (where: string) => void,
  ) {}

  /**
   * Has cells at hand, and keeps them there until the result is called.
   * @throws FormatError of a damaged node, ChangedError, the signal's reason; what has been read stays at hand.
   */
  async load(where: string, cells: Cells, { signal, onProgress }: LoadOptions = {}): Promise<() => void> {
    signal?.throwIfAborted();
    const release = this.file.pin(cells);
    try {
      const total = countOf(this.#missing(cells));
      const progress = () => onProgress?.({ done: total - countOf(this.#missing(cells)), total });
      for (;;) {
        const missing = this.#missing(cells);
        if (countOf(missing) === 0) break;
        const mine = this.#unasked(missing);
        const fetch = countOf(mine) > 0 ? this.#start(where, mine) : this.#underWay(missing);
        const failure = await waitFor(fetch, progress, signal);
        this.alive(where);
        // What fails another call is no error of this one, which may not even need that node: it reads again what it does.
        if (failure && countOf(mine) > 0) throw failure.error;
        if (!failure) this.#checkComplete(fetch, cells);
      }
      this.file.use(cells);
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Whether a cell is being read. */
  isReading(role: Role, cell: number): boolean {
    return [...this.#fetches].some(({ cells }) => cells[role].has(cell));
  }

  /** Ends all reads. */
  dispose(): void {
    this.#disposed = true;
    for (const { control } of this.#fetches) {
      control.abort(new DisposedError('prefetch: the cube was disposed meanwhile'));
    }
  }

  #missing(cells: Cells): Cells {
    return cellsWhere(cells, (role, cell) => this.file.isAway(role, cell));
  }

  #unasked(cells: Cells): Cells {
    // What another file says, which the cube was moved from, is not what is missing.
    const asked = [...this.#fetches].filter(({ source }) => source === this.file.source);
    return cellsWhere(cells, (role, cell) => !asked.some((fetch) => fetch.cells[role].has(cell)));
  }

  #underWay(cells: Cells): Fetch {
    const asks = ({ cells: asked, source }: Fetch) =>
      source === this.file.source &&
      ROLES.some((role) => [...cells[role]].some((cell) => asked[role].has(cell)));
    return [...this.#fetches].find(asks)!;
  }

  #start(where: string, cells: Cells): Fetch {
    const control = new AbortController();
    const { source } = this.file;
    const fetch: Fetch = { cells, source, control, waiting: new Set(), ended: Promise.resolve(null) };
    this.#fetches.add(fetch);
    // Nobody waits for a read that was given up: who wants its nodes reads them anew.
    control.signal.addEventListener('abort', () => this.#fetches.delete(fetch), { once: true });
    fetch.ended = this.#read(where, fetch).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    // Before those who wait go on: they must not find it under way.
    fetch.ended = fetch.ended.then((end) => {
      this.#fetches.delete(fetch);
      return end;
    });
    return fetch;
  }

  async #read(where: string, { cells, source, control, waiting }: Fetch): Promise<void> {
    const which = ROLES.flatMap((role) => [...cells[role]].map((cell) => this.file.numberOf(role, cell)!));
    which.sort((a, b) => a - b);
    for await (const batch of source.read(which, control.signal)) {
      control.signal.throwIfAborted();
      check(!this.#disposed, () => new DisposedError(`${where}: the cube was disposed meanwhile`));
      this.alive(where);
      if (source !== this.file.source) return;
      this.#admit(where, batch, cells);
      for (const progress of waiting) progress();
    }
  }

  /** Puts nodes into banks, but those that were set, deleted or read meanwhile. */
  #admit(where: string, batch: readonly StoredNode[], asked: Cells): void {
    for (const role of ROLES) {
      const mine = batch.flatMap((node) => {
        const tangent = 'tangent' in node ? node.tangent : undefined;
        if (roleOf({ tangent }) !== role) return [];
        const cell = cellOf(where, this.settings.dims, node.x, node.y, node.z);
        return asked[role].delete(cell) && this.file.isAway(role, cell) ? [{ node, cell }] : [];
      });
      if (mine.length === 0) continue;
      const store = this.file.stores[role];
      const prepared = preparedNodes(this.file, role, mine, this.settings);
      const bytesOf = new Map(prepared.packed.map(({ cell, bytes }) => [cell, bytes.length]));
      store.admit(where, prepared, this.file.residency.makeRoom, (cell, bank) => {
        this.file.admitted(role, cell, { bank, bytes: 4 * bank.lanes + (bytesOf.get(cell) ?? 0) });
      });
    }
  }

  /** @throws FormatError where a source did not give what it was asked for. @param pinned what cannot have been evicted since. */
  #checkComplete({ cells, source }: Fetch, pinned: Cells): void {
    if (source !== this.file.source) return;
    for (const role of ROLES) {
      for (const cell of cells[role]) {
        if (!pinned[role].has(cell) || !this.file.isAway(role, cell)) continue;
        const { x, y, z } = this.file.entry(role, cell)!;
        const node = [x, y, z] as const;
        throw new FormatError(
          this.file.source.name,
          `does not give the node (${node.join(', ')}) that it holds`,
          { node },
        );
      }
    }
  }
}

/** Waits for the end of a read, or for the signal; the last one that gives up ends it. */
async function waitFor(
  fetch: Fetch,
  progress: () => void,
  signal: AbortSignal | undefined,
): Promise<{ error: unknown } | null> {
  fetch.waiting.add(progress);
  let stop: (() => void) | undefined;
  try {
    if (!signal) return await fetch.ended;
    signal.throwIfAborted();
    const aborted = new Promise<never>((_, reject) => {
      stop = onAbort(signal, () => reject(signal.reason));
    });
    return await Promise.race([fetch.ended, aborted]);
  } finally {
    stop?.();
    fetch.waiting.delete(progress);
    if (fetch.waiting.size === 0) fetch.control.abort(signal?.reason);
  }
}

/** Nodes of one role as a store takes them. @throws FormatError for what the cube takes not, or the file's index says otherwise. */
export function preparedNodes(
  file: FileNodes,
  role: Role,
  nodes: readonly { node: StoredNode; cell: number }[],
  settings: Settings,
): PreparedNodes {
  const { name } = file.source;
  return file.stores[role].prepare(
    name,
    nodes.map(({ node, cell }) => {
      try {
        const stored = checkStored(name, node, settings);
        const { shape, codec } = file.entry(role, cell)!;
        const found =
          'compressed' in stored ? readContainer(stored.compressed, name, false) : { ...stored, codec: null };
        check(isSame(found.shape, shape) && found.codec === codec, () => {
          const [is, said] = [found, { shape, codec }].map(
            (one) => `[${one.shape.join(', ')}] of ${one.codec ?? 'values'}`,
          );
          return new FormatError(name, `holds a node ${is} where its index says ${said}`);
        });
        return { cell, ...stored };
      } catch (cause) {
        throw faultOf(cause, name, node);
      }
    }),
  );
}

/** What a cube refuses is the fault of the file that says it. */
function faultOf(cause: unknown, source: string, { x, y, z }: StoredNode): unknown {
  if (!(cause instanceof ArgumentError)) return cause;
  return new FormatError(source, cause.message, { cause, node: [x, y, z] });
}
