/** JSON that loses nothing: the user's metadata on their way into files, and what files say on its way out of them. */
import { ArgumentError, check, FormatError, shown } from '../../errors.js';

/** How deep a file's JSON may nest: what walks through it needs stack. */
const MAX_DEPTH = 500;
/** Of the user's: formats keep it some levels down. */
const MAX_USER_DEPTH = MAX_DEPTH - 20;

/**
 * The user's metadata as they are now, in a copy that has only what JSON has.
 * @throws ArgumentError that names the first value which JSON would drop or turn into another: NaN, ∞, undefined, a function, a bigint, a
 * Date, a Map, a typed array, a list with holes; for lists and objects that contain themselves, or nest too deep.
 */
export function plainMetadata(where: string, metadata: unknown): Record<string, unknown> {
  const fail = (path: string, what: string) => new ArgumentError(`${where}: ${path} ${what}`);
  const copied = (value: unknown, path: string, depth: number): unknown => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number') {
      check(Number.isFinite(value), () => fail(path, `must be JSON, which has no ${value}`));
      return value;
    }
    check(typeof value === 'object', () => fail(path, `must be JSON, which has no ${nameOf(value)}`));
    check(depth < MAX_USER_DEPTH, () =>
      fail(path.slice(0, 60), `must nest no more than ${MAX_USER_DEPTH} lists and objects`),
    );
    if (Array.isArray(value)) return Array.from(value, (one, i) => copied(one, `${path}[${i}]`, depth + 1));
    check(isPlain(value) && typeof (value as { toJSON?: unknown }).toJSON !== 'function', () =>
      fail(path, `must be JSON, which has no ${nameOf(value)}`),
    );
    check(Object.getOwnPropertySymbols(value).length === 0, () =>
      fail(path, 'must be JSON, which has no keys that are symbols'),
    );
    // By fromEntries, for which '__proto__' is a key like others.
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, copied(one, `${path}.${key}`, depth + 1)]),
    );
  };
  check(typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata), () =>
    fail('metadata', `must be an object, got ${shown(metadata)}`),
  );
  return copied(metadata, 'metadata', 0) as Record<string, unknown>;
}

/** Whether it is an object of no class: of this page or another. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value;
  return value.constructor?.name ?? 'such object';
}

/** The JSON of a file: text, or bytes of UTF-8. @param source what errors call it. @throws FormatError for what is no JSON, or nests too deep. */
export function parseJson(
  json: Uint8Array | string,
  source: string,
  what = 'is no JSON',
  offset?: number,
): unknown {
  try {
    const text = typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json);
    check(
      isShallow(text),
      () =>
        new FormatError(source, `has JSON that nests more than ${MAX_DEPTH} lists and objects`, { offset }),
    );
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(source, what, { offset, cause });
  }
}

/** Whether brackets nest no deeper than is allowed. */
function isShallow(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text.charCodeAt(i);
    if (quoted) {
      if (letter === 0x5c) i++;
      else if (letter === 0x22) quoted = false;
    } else if (letter === 0x22) quoted = true;
    else if (letter === 0x5b || letter === 0x7b) {
      if (++depth > MAX_DEPTH) return false;
    } else if (letter === 0x5d || letter === 0x7d) depth--;
  }
  return true;
}
