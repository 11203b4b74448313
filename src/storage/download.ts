/** A URL's bytes, all of them. */
import { ChangedError, check, StorageError } from '../errors.js';
import { contentRange, isEncoded, strongEtag } from './httpheaders.js';
import type { Requests } from './requests.js';
import type { Address } from './url.js';

const FIRST_BYTES = 2 ** 16;

/**
 * Downloads as the bytes come, and sees that they are as many as were announced. A download that broke off goes on where it was, if the
 * server serves ranges and says that it is still the same file; else it begins anew.
 */
export async function download(
  requests: Requests,
  address: Address,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let bytes = new Uint8Array(0);
  let got = 0;
  let size: number | undefined;
  let etag: string | undefined;
  const resuming = (): Record<string, string> =>
    got > 0 && etag !== undefined && size !== undefined ? { Range: `bytes=${got}-`, 'If-Range': etag } : {};
  await requests.ask(address, resuming, signal, async ({ response, chunks, short }) => {
    const { status, headers } = response;
    if (status === 206) {
      const range = contentRange(response);
      check(
        // A server that does not know If-Range goes on with whatever is there now.
        got > 0 &&
          range?.start === got &&
          range.size === size &&
          strongEtag(response) === etag &&
          !isEncoded(response),
        () => new ChangedError(address.shown, 'the server goes on with another file than it began with'),
      );
    } else {
      check(
        status === 200,
        () =>
          new StorageError(address.shown, `the server answered ${status} ${response.statusText}`, { status }),
      );
      got = 0;
      const length = headers.get('Content-Length');
      // What is sent in another encoding has that many bytes before it is decoded.
      size = length === null || isEncoded(response) ? undefined : Number(length);
      etag = strongEtag(response);
      bytes = roomFor(address, size ?? FIRST_BYTES);
    }
    for await (const chunk of chunks()) {
      if (got + chunk.length > bytes.length) {
        const grown = roomFor(address, Math.max(got + chunk.length, 2 * bytes.length));
        grown.set(bytes.subarray(0, got));
        bytes = grown;
      }
      bytes.set(chunk, got);
      got += chunk.length;
    }
    if (size !== undefined && got !== size) throw short(got, size);
  });
  return got === bytes.length ? bytes : bytes.slice(0, got);
}

/** Memory is taken up as it is written to: what a server announces costs nothing until it comes. */
export function roomFor({ shown }: Address, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new StorageError(shown, `${length} bytes at once are more than memory can hold`, { cause });
  }
}
