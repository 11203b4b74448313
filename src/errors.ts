/**
 * What can go wrong, as types: every error Wavecube throws is a WavecubeError, says what must hold and what
 * came, and leaves the cube as it was.
 */
export class WavecubeError extends Error {
  override name = 'WavecubeError';
}

/** An argument's rank, shape, dtype, option or value is not what the call takes. */
export class ArgumentError extends WavecubeError {
  override name = 'ArgumentError';
}

/** An argument whose shape is wrong. `expected` and `got` say it in a machine's words. */
export class ShapeError extends ArgumentError {
  override name = 'ShapeError';
  constructor(
    where: string,
    what: string,
    readonly expected: string,
    readonly got: readonly number[] | string,
  ) {
    super(
      `${where}: ${what} must be ${expected}, got ${typeof got === 'string' ? got : `[${got.join(', ')}]`}`,
    );
  }
}

/** A node index or a coordinate outside the grid, or not finite. */
export class CoordinateError extends ArgumentError {
  override name = 'CoordinateError';
}

/** A node that is not there is needed; or the tangent of one along `tangent`. */
export class MissingNodeError extends WavecubeError {
  override name = 'MissingNodeError';
  constructor(
    where: string,
    readonly node: readonly [number, number, number],
    readonly tangent: 'x' | 'y' | 'z' | null = null,
  ) {
    super(
      tangent
        ? `${where}: the node at (${node.join(', ')}) has no tangent along ${tangent}; give it with setTangents`
        : `${where}: the cube has no node at (${node.join(', ')}); set it first, or ask hasNode`,
    );
  }
}

/** A cube or a tensor was used after it was disposed. */
export class DisposedError extends WavecubeError {
  override name = 'DisposedError';
}

/** The backend, or what it can hold: not registered, not ready, out of memory, over a limit. */
export class DeviceError extends WavecubeError {
  override name = 'DeviceError';
}

/** Where in a file something is wrong, as far as it is known. */
export interface FormatErrorPlace extends ErrorOptions {
  /** In bytes from the file's start. */
  offset?: number;
  node?: readonly [x: number, y: number, z: number];
}

/** Bytes that are not what their format says. `source` names the file; offset and node where there is one. */
export class FormatError extends WavecubeError {
  override name = 'FormatError';
  readonly offset: number | undefined;
  readonly node: readonly [number, number, number] | undefined;
  constructor(
    readonly source: string,
    message: string,
    { offset, node, ...options }: FormatErrorPlace = {},
  ) {
    super(`${source}: ${message}`, options);
    this.offset = offset;
    this.node = node;
  }
}

/** A file, or what a URL names, changed while it was read: what was read before does not go with what is there now. */
export class ChangedError extends WavecubeError {
  override name = 'ChangedError';
  constructor(
    readonly source: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${source}: ${message}`, options);
  }
}

/** What a StorageError knows beside its message. */
export interface StorageErrorDetails extends ErrorOptions {
  /** What a server answered: 404, 503. */
  status?: number;
  /** Whether there is nothing of this name, rather than something that cannot be reached. Default false. */
  missing?: boolean;
}

/** A place that cannot be read or written: the file system, the server or the network says why. */
export class StorageError extends WavecubeError {
  override name = 'StorageError';
  readonly status: number | undefined;
  readonly missing: boolean;
  constructor(
    /** The path, or the URL without what is secret in it. */
    readonly place: string,
    message: string,
    { status, missing = false, ...options }: StorageErrorDetails = {},
  ) {
    super(`${place}: ${message}`, options);
    this.status = status;
    this.missing = missing;
  }
}

/** Nodes of a cube that was opened are needed at once, and have not been read yet. */
export class NotResidentError extends WavecubeError {
  override name = 'NotResidentError';
  constructor(
    where: string,
    /** All that are needed and not there. */
    readonly nodes: readonly (readonly [x: number, y: number, z: number])[],
  ) {
    const some = nodes.slice(0, 4).map((node) => `(${node.join(', ')})`);
    const more = nodes.length > some.length ? ` and ${nodes.length - some.length} more` : '';
    super(
      `${where}: ${nodes.length === 1 ? 'the node' : 'the nodes'} ${some.join(', ')}${more} ${nodes.length === 1 ? 'is' : 'are'} still in ` +
        'the file; await prefetch(coords) first, or use sampleBatchAsync',
    );
  }
}

/** What a codec was asked for cannot be had from it. `best` is what it reached, null where it could not even try. */
export class QualityNotReachedError extends WavecubeError {
  override name = 'QualityNotReachedError';
  constructor(
    where: string,
    readonly quality: unknown,
    readonly best: { maxError: number; psnr: number; relativeError: number; sizeBytes: number } | null,
  ) {
    super(
      `${where}: quality ${shown(quality)} was not reached; ${
        best
          ? `the best had a maximum error of ${best.maxError.toPrecision(3)} and ${best.psnr.toFixed(1)} dB in ${best.sizeBytes} bytes`
          : 'this codec does not take such a wavetable'
      }; another method, or 'auto', may reach it`,
    );
  }
}

/** The one guard: throws what `error` makes unless `holds`. */
export function check(holds: boolean, error: () => WavecubeError): asserts holds {
  if (!holds) throw error();
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value);
  const text = typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Options must be an object of known names: a misspelt one would be passed over in silence. */
export function checkOptionNames(where: string, options: unknown, known: readonly string[]): void {
  check(
    typeof options === 'object' && options !== null && !Array.isArray(options),
    () =>
      new ArgumentError(`${where}: options must be an object of ${known.join(', ')}, got ${shown(options)}`),
  );
  for (const name of Object.keys(options as object)) {
    check(
      known.includes(name),
      () =>
        new ArgumentError(
          `${where}: no option is called '${name}'; ${known.length > 0 ? `there are ${known.join(', ')}` : 'there is none'}`,
        ),
    );
  }
}
