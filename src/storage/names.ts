/** Names in folders. They come out of files, which nobody trusts. */
import { check, FormatError, shown } from '../errors.js';

/**
 * The parts of a name, between its '/'.
 * @throws FormatError for a name that could lead out of its folder on any system: absolute, with '..' or '.', a backslash, a drive, or
 * a character that ends it.
 */
export function partsOfName(folder: string, name: string): string[] {
  const parts = typeof name === 'string' ? name.split('/') : [];
  check(
    // Windows reads '.. ' as '..'. Below 32 is NUL, where C ends a name, and what terminals act on.
    parts.length > 0 &&
      !/^[a-z]:/i.test(name) &&
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      !/[\\\x00-\x1f\x7f]/.test(name) &&
      parts.every((part) => !/^[. ]*$/.test(part)),
    () =>
      new FormatError(folder, `a name in a folder must be plain and lead nowhere else, got ${shown(name)}`),
  );
  return parts;
}
