/** What headers of an answer say of the file (RFC 9110, 8.8 and 14.4). In a page some may be hidden, and are then absent here. */

export interface ContentRange {
  start: number;
  /** The last byte's offset. */
  end: number;
  /** Bytes of the whole file. */
  size: number;
}

/** Null where there is none, or where it does not say how long the file is. */
export function contentRange({ headers }: Response): ContentRange | null {
  const found = /^bytes (\d+)-(\d+)\/(\d+)$/i.exec(headers.get('Content-Range')?.trim() ?? '');
  if (!found) return null;
  const [start, end, size] = found.slice(1).map(Number);
  return start <= end && end < size && Number.isSafeInteger(size) ? { start, end, size } : null;
}

/** The file's size in the answer to a range that it does not have. */
export function unsatisfiedSize({ headers }: Response): number | undefined {
  const found = /^bytes \*\/(\d+)$/i.exec(headers.get('Content-Range')?.trim() ?? '');
  return found ? Number(found[1]) : undefined;
}

/** Whether the body is not the file itself, but packed for the way. */
export function isEncoded({ headers }: Response): boolean {
  const encoding = headers.get('Content-Encoding')?.trim().toLowerCase();
  return Boolean(encoding) && encoding !== 'identity';
}

/** An ETag that stands for the very bytes; a weak one only for what they mean. */
export function strongEtag({ headers }: Response): string | undefined {
  const etag = headers.get('ETag');
  return etag?.startsWith('"') ? etag : undefined;
}

/** Which state of the file an answer is of. */
export interface Validators {
  etag: string | null;
  lastModified: string | null;
}

export const validatorsOf = ({ headers }: Response): Validators => ({
  etag: headers.get('ETag'),
  lastModified: headers.get('Last-Modified'),
});

/**
 * Whether two answers are of one state of the file, as far as both say. The same strong ETag decides: copies of a file on several machines
 * may have times of their own.
 */
export function isSameState(before: Validators, now: Validators): boolean {
  if (before.etag !== null && now.etag !== null) {
    if (before.etag !== now.etag) return false;
    if (before.etag.startsWith('"')) return true;
  }
  if (before.lastModified !== null && now.lastModified !== null)
    return before.lastModified === now.lastModified;
  // One who told it apart before, and tells no more, cannot be trusted to answer from the same state.
  return before.etag === null && before.lastModified === null
    ? true
    : now.etag !== null && before.etag !== null;
}
