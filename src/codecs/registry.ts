/** The codecs there are, by id: Wavecube's own, and what a user provides. */
import type { Tensor3D } from '@tensorflow/tfjs';
import { ArgumentError, check, FormatError, shown } from '../errors.js';
import type { EncodeOptions, HostWavetable, WavetableCodec } from './codec.js';
import type { CompressedWavetable } from './compressed.js';
import type { Quality } from './quality.js';

const codecs = new Map<string, WavetableCodec>();

/**
 * Makes a codec known: its bytes can be read, and cubes compress with its id as method.
 * @throws ArgumentError for an id that is taken, or is not 1 to 64 letters of ASCII.
 */
export function provideCodec(codec: WavetableCodec): void {
  const { id } = codec;
  check(
    typeof id === 'string' && /^[\x21-\x7e]{1,64}$/.test(id),
    () => new ArgumentError(`provideCodec: id must be 1 to 64 ASCII letters, got ${shown(id)}`),
  );
  const lacking = ['encode', 'decode', 'compress', 'unpack', 'checkParameters'].filter(
    (name) => typeof (codec as unknown as Record<string, unknown>)[name] !== 'function',
  );
  check(
    lacking.length === 0 && Number.isInteger(codec.version) && codec.version >= 0,
    () =>
      new ArgumentError(
        `provideCodec: '${id}' must extend WavetableCodec with a version and ${lacking.join(', ') || 'its methods'}`,
      ),
  );
  const known = codecs.get(id);
  check(
    (known === undefined || known === codec) && !choosers.has(id),
    () => new ArgumentError(`provideCodec: there is a codec '${id}' already`),
  );
  codecs.set(id, codec);
}

/** Ids of all codecs. */
export const codecIds = (): string[] => [...codecs.keys()];

/** What compresses by a method's name: a codec, or what chooses among them. */
export interface Method {
  readonly id: string;
  /** Itself, or a variant whose results are blended by their forms. */
  readonly blending: Method;
  encode(
    wavetable: Tensor3D | HostWavetable,
    quality?: Quality,
    options?: EncodeOptions,
  ): Promise<CompressedWavetable>;
}

const choosers = new Map<string, Method>();

/** Makes a method known that is no codec: its results are those of codecs. */
export function provideMethod(method: Method): void {
  choosers.set(method.id, method);
}

/** @throws ArgumentError where there is none of that name. */
export function methodOf(where: string, name: string): Method {
  const method = codecs.get(name) ?? choosers.get(name);
  check(
    method !== undefined,
    () =>
      new ArgumentError(
        `${where}: method must be one of ${[...codecs.keys(), ...choosers.keys()].map((id) => `'${id}'`).join(', ')}, got ${shown(name)}`,
      ),
  );
  return method;
}

/** A codec that is known to be there. */
export function knownCodec(id: string): WavetableCodec {
  const codec = codecs.get(id);
  check(codec !== undefined, () => new ArgumentError(`there is no codec '${id}'`));
  return codec;
}

/** The codec that wrote some bytes. @throws FormatError that names what is missing. */
export function codecFor(id: string, version: number, source: string): WavetableCodec {
  const codec = codecs.get(id);
  check(
    codec !== undefined,
    () => new FormatError(source, `is of a codec '${id}' that is not here; provideCodec it first`),
  );
  check(
    codec.version === version,
    () => new FormatError(source, `is of version ${version} of '${id}'; this library reads ${codec.version}`),
  );
  return codec;
}
