/** The codecs there are, by id: Wavecube's own, and what a user provides. */
import { ArgumentError, check, FormatError, shown } from '../errors.js';
import type { WavetableCodec } from './codec.js';

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
  const known = codecs.get(id);
  check(
    known === undefined || known === codec,
    () => new ArgumentError(`provideCodec: there is a codec '${id}' already`),
  );
  codecs.set(id, codec);
}

/** Ids of all codecs. */
export const codecIds = (): string[] => [...codecs.keys()];

/** The codec of a method's name. @throws ArgumentError where there is none. */
export function codecOf(where: string, method: string): WavetableCodec {
  const codec = codecs.get(method);
  check(
    codec !== undefined,
    () =>
      new ArgumentError(
        `${where}: method must be one of ${codecIds()
          .map((id) => `'${id}'`)
          .join(', ')}, got ${shown(method)}`,
      ),
  );
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
