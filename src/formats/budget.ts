/**
 * What a file may ask for beyond its own bytes, as a small one must not ask for all memory: deflate makes a gigabyte of zeros from a
 * megabyte, and a dense cube has zeros where its file has no node. What was written here keeps within it; for other files there is
 * { maxBytes }.
 */

import { ArgumentError, check, FormatError, shown } from '../errors.js';
import type { CubeContents } from '../grid/files/contents.js';

const FREE_BYTES = 24 * 2 ** 20;
const FREE_RATIO = 32;

/** Bytes that a file of this size may unpack to, unless the caller allows more. */
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

/** What checkBudget is told of them. */
export const ZEROS = 'zeros for nodes that it has not';

/** The bytes of the zeros that a cube gets where its file has no node; none of a sparse one. NaN where its options are no numbers. */
export function zerosBytes(
  { width, height, depth, options }: Pick<CubeContents, 'width' | 'height' | 'depth' | 'options'>,
  nodes: number,
): number {
  if (options.sparse !== false) return 0;
  const { resolution = 512, channels = 4, dtype } = options;
  const [h, w] = Array.isArray(resolution) ? resolution : [resolution, resolution];
  return Math.max(0, width * height * depth - nodes) * h * w * channels * (dtype === 'float16' ? 2 : 4);
}
