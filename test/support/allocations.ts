/**
 * What a piece of code allocates: every buffer made by a constructor, or by a method that makes its result by one (slice, map, filter),
 * is counted before it is made, and refused beyond a limit, so that a mistake costs no memory. The process's peak of resident
 * memory catches what is no buffer: strings, arrays, objects. Counted in bytes that were ever asked for, which is no less than what was
 * held at once.
 */
const COUNTED = [
  ...['ArrayBuffer', 'Uint8Array', 'Int8Array', 'Uint8ClampedArray', 'Uint16Array', 'Int16Array'],
  ...['Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
] as const;

type BufferConstructor = { new (...args: unknown[]): object; BYTES_PER_ELEMENT?: number; prototype: object };

/** Thrown at an allocation beyond the limit: no error that a reader of files may throw. */
export class AllocationError extends Error {
  override name = 'AllocationError';
}

/** The bytes that a constructor with these arguments asks for. */
function bytesOf(argument: unknown, elementBytes: number): number {
  if (typeof argument === 'number') return argument * elementBytes;
  if (typeof argument !== 'object' || argument === null) return 0;
  if (argument instanceof ArrayBuffer || Object.prototype.toString.call(argument).includes('SharedArray'))
    return 0;
  const { length } = argument as { length?: unknown };
  return typeof length === 'number' ? length * elementBytes : 0;
}

const peakBytes = (): number => (globalThis.process?.resourceUsage?.().maxRSS ?? 0) * 1024;

/** Bytes of the process's own that may be added to its peak by chance: heaps and arenas that grow, garbage. */
const GROWTH_BYTES = 64 * 2 ** 20;

/** Counts allocations from its making to `stop`. Nothing else may run meanwhile. */
export class Allocations {
  #limit = Number.POSITIVE_INFINITY;
  #bytes = 0;
  #exceeded: AllocationError | null = null;
  readonly #restore: (() => void)[] = [];

  constructor() {
    const globals = globalThis as unknown as Record<string, BufferConstructor>;
    for (const name of COUNTED) {
      const real = globals[name];
      const counted: BufferConstructor = new Proxy(real, {
        construct: (target, args, newTarget) => {
          this.#count(name, bytesOf(args[0], target.BYTES_PER_ELEMENT ?? 1));
          return Reflect.construct(target, args, newTarget === counted ? target : newTarget);
        },
      });
      globals[name] = counted;
      // What slice and map make their results with.
      Object.defineProperty(real.prototype, 'constructor', {
        value: counted,
        configurable: true,
        writable: true,
      });
      this.#restore.push(() => {
        globals[name] = real;
        Object.defineProperty(real.prototype, 'constructor', {
          value: real,
          configurable: true,
          writable: true,
        });
      });
    }
  }

  /** What `body` gives. @throws AllocationError if it asks for more than `limit` bytes, though it may have caught the refusal. */
  async within<T>(limit: number, body: () => Promise<T>): Promise<T> {
    this.#bytes = 0;
    this.#exceeded = null;
    this.#limit = limit;
    const before = peakBytes();
    try {
      return await body();
    } finally {
      this.#limit = Number.POSITIVE_INFINITY;
      if (this.#exceeded) {
        // biome-ignore lint/correctness/noUnsafeFinally: whatever came of the refusal, it is the failure.
        throw this.#exceeded;
      }
      const grown = peakBytes() - before;
      if (grown > limit + GROWTH_BYTES) {
        // biome-ignore lint/correctness/noUnsafeFinally: as above.
        throw new AllocationError(`the process's peak grew by ${grown} bytes, above the limit of ${limit}`);
      }
    }
  }

  /** Asked for since `within` began. */
  get bytes(): number {
    return this.#bytes;
  }

  stop(): void {
    for (const restore of this.#restore.splice(0)) restore();
  }

  #count(what: string, bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#limit) return;
    this.#exceeded ??= new AllocationError(
      `${what} of ${bytes} bytes makes ${this.#bytes} in all, above the limit of ${this.#limit}`,
    );
    throw this.#exceeded;
  }
}
