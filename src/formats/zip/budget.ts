/**
 * What an archive may unpack to, as a small file must not ask for all memory: deflate makes a gigabyte of zeros from a megabyte. What
 * was written here keeps within it, entries beyond it being stored; for other files there is { maxBytes }.
 */
import { ArgumentError, check, FormatError, shown } from '../../errors.js';

const FREE_BYTES = 24 * 2 ** 20;
const FREE_RATIO = 32;

/** Bytes that the packed entries of a file of this size may unpack to, unless the caller allows more. */
export const freeBytes = (sizeBytes: number): number => FREE_BYTES + FREE_RATIO * sizeBytes;

/** @throws ArgumentError unless maxBytes is a number of bytes. */
export function budgetOf(sizeBytes: number, maxBytes: number | undefined): number {
  check(
    maxBytes === undefined || (typeof maxBytes === 'number' && maxBytes >= 0),
    () => new ArgumentError(`load: maxBytes must be a number of bytes, got ${shown(maxBytes)}`),
  );
  return maxBytes ?? freeBytes(sizeBytes);
}

/** @throws FormatError where `bytes` are more than is allowed. @param what that takes them. */
export function checkBudget(
  source: string,
  sizeBytes: number,
  what: string,
  bytes: number,
  allowed: number,
): void {
  check(
    bytes <= allowed,
    () =>
      new FormatError(
        source,
        `has ${sizeBytes} bytes, and ${what} would take ${bytes}, more than the ${allowed} allowed; ` +
          `if the file is to be trusted, load it with { maxBytes: ${bytes} }`,
      ),
  );
}
