/** Files on a server, read by range requests. */
import { ChangedError, check, DisposedError, StorageError } from '../errors.js';
import { checkRange, type Folder, memorySource, type Source } from '../grid/files/bytestream.js';
import { roomFor } from './download.js';
import { Flights } from './flights.js';
import {
  contentRange,
  isEncoded,
  isSameState,
  unsatisfiedSize,
  type Validators,
  validatorsOf,
} from './httpheaders.js';
import { type Answer, inPage, type Requests } from './requests.js';
import type { Address } from './url.js';

/** What the first request asks for: what most formats need to begin with, in one round trip. */
const HEAD_BYTES = 2 ** 15;
/** Larger reads are parted, so that several connections carry them and one that breaks off costs a part. */
const PART_BYTES = 2 ** 23;

interface Opening {
  head: Uint8Array;
  sizeBytes: number;
  validators: Validators;
}

/** @param folder what the source's folder() gives. @throws StorageError where the server ignores ranges, and the file is not small. */
export async function openUrl(
  requests: Requests,
  address: Address,
  folder: () => Promise<Folder>,
  signal: AbortSignal,
): Promise<Source> {
  const asked = () => ({ Range: `bytes=0-${HEAD_BYTES - 1}` });
  const opening = await requests.ask(address, asked, signal, (answer) => openingOf(address, answer));
  const { shown: name } = address;
  const { head, sizeBytes } = opening;
  if (head.length === sizeBytes) return { ...memorySource(head, name), folder };

  const flights = new Flights();
  let closed = false;
  const source: Source = {
    name,
    sizeBytes,
    async read(offset, length, reading) {
      reading?.throwIfAborted();
      check(!closed, () => new DisposedError(`${name}: it has been closed`));
      checkRange(source, offset, length);
      if (offset + length <= head.length) return head.subarray(offset, offset + length);
      return flights.join(`${offset} ${length}`, reading, (all) =>
        readRange(requests, address, opening, offset, length, all),
      );
    },
    folder,
    async close() {
      closed = true;
      flights.end(new DisposedError(`${name}: it has been closed`));
    },
  };
  return source;
}

async function openingOf({ shown }: Address, { response, chunks, short }: Answer): Promise<Opening> {
  const { status } = response;
  const validators = validatorsOf(response);
  if (status === 416) {
    // There is no first byte.
    check(
      (unsatisfiedSize(response) ?? 0) === 0,
      () =>
        new StorageError(shown, 'the server answered 416 to its first bytes, which it must have', { status }),
    );
    return { head: new Uint8Array(), sizeBytes: 0, validators };
  }
  check(
    status !== 412,
    () => new StorageError(shown, 'the server answered 412 Precondition Failed', { status }),
  );
  if (status === 200) {
    const length = response.headers.get('Content-Length');
    const announced = length === null || isEncoded(response) ? undefined : Number(length);
    const { bytes, ended } =
      (announced ?? 0) > HEAD_BYTES
        ? { bytes: new Uint8Array(), ended: false }
        : await take(chunks(), HEAD_BYTES);
    check(
      ended,
      () =>
        new StorageError(
          shown,
          'the server ignores range requests and sends the whole file: load() downloads it whole, and opening it needs a server of ranges',
          { status },
        ),
    );
    if (announced !== undefined && bytes.length !== announced) throw short(bytes.length, announced);
    return { head: bytes, sizeBytes: bytes.length, validators };
  }
  checkPlain(shown, response);
  const range = contentRange(response);
  check(
    range !== null,
    () =>
      new StorageError(
        shown,
        'the server does not say which bytes it sends and how many there are: Content-Range is ' +
          (response.headers.get('Content-Range') ??
            (inPage() ? 'absent, or not in Access-Control-Expose-Headers' : 'absent')),
        { status },
      ),
  );
  check(range.start === 0 && range.end < HEAD_BYTES, () => otherBytes(shown, range));
  const { bytes } = await take(chunks(), range.end + 1);
  if (bytes.length !== range.end + 1) throw short(bytes.length, range.end + 1);
  return { head: bytes, sizeBytes: range.size, validators };
}

/** Up to `most` bytes, and whether they were all. */
async function take(
  chunks: AsyncIterable<Uint8Array>,
  most: number,
): Promise<{ bytes: Uint8Array; ended: boolean }> {
  const bytes = new Uint8Array(most);
  let got = 0;
  for await (const chunk of chunks) {
    if (got + chunk.length > most) return { bytes, ended: false };
    bytes.set(chunk, got);
    got += chunk.length;
  }
  return { bytes: bytes.slice(0, got), ended: true };
}

/** The part of the range that the head does not hold, from the server. */
async function readRange(
  requests: Requests,
  address: Address,
  opening: Opening,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = roomFor(address, length);
  const held = opening.head.subarray(Math.min(offset, opening.head.length));
  bytes.set(held);
  const parts: Promise<void>[] = [];
  for (let at = held.length; at < length; at += PART_BYTES) {
    const part = bytes.subarray(at, Math.min(at + PART_BYTES, length));
    parts.push(readPart(requests, address, opening, offset + at, part, signal));
  }
  await Promise.all(parts);
  return bytes;
}

async function readPart(
  requests: Requests,
  address: Address,
  opening: Opening,
  offset: number,
  into: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const { shown } = address;
  const conditions = conditionsOf(address, opening.validators);
  let got = 0;
  // After a part that broke off, or was shorter than asked for, only what is missing is asked for.
  const asked = () => ({ Range: `bytes=${offset + got}-${offset + into.length - 1}`, ...conditions });
  while (got < into.length) {
    await requests.ask(address, asked, signal, async ({ response, chunks, short }) => {
      checkState(shown, opening, response);
      checkPlain(shown, response);
      const range = contentRange(response);
      const first = offset + got;
      check(range !== null && range.start === first && range.end < offset + into.length, () =>
        otherBytes(shown, range),
      );
      const end = got + range.end + 1 - first;
      for await (const chunk of chunks()) {
        check(got + chunk.length <= end, () => otherBytes(shown, range));
        into.set(chunk, got);
        got += chunk.length;
      }
      if (got < end) throw short(got, end);
    });
  }
}

/**
 * Lets the server refuse where the file is another one. A weak ETag would always fail there; a page asks without, as other sites'
 * servers would first be asked for permission, and may not give it. The answer is checked either way.
 */
function conditionsOf({ href }: Address, { etag, lastModified }: Validators): Record<string, string> {
  if (inPage() && new URL(href).origin !== location.origin) return {};
  if (etag?.startsWith('"')) return { 'If-Match': etag };
  return lastModified === null ? {} : { 'If-Unmodified-Since': lastModified };
}

/** @throws ChangedError for an answer from another state of the file than the first. */
function checkState(shown: string, { sizeBytes, validators }: Opening, response: Response): void {
  const { status } = response;
  const size = status === 416 ? unsatisfiedSize(response) : (contentRange(response)?.size ?? sizeBytes);
  const isSame = status !== 412 && size === sizeBytes && isSameState(validators, validatorsOf(response));
  check(
    // An answer of 416 need not say which state it is of.
    isSame || (status === 416 && size === sizeBytes),
    () =>
      new ChangedError(shown, 'is another file on the server than the one that was opened; open it again'),
  );
  check(
    status === 206,
    () =>
      new StorageError(
        shown,
        `the server answered ${status} to a request for a range, which it served when the file was opened`,
        { status },
      ),
  );
}

function checkPlain(shown: string, response: Response): void {
  check(
    !isEncoded(response),
    () =>
      new StorageError(
        shown,
        `the server sends ranges with Content-Encoding '${response.headers.get('Content-Encoding')?.slice(0, 20)}', which are no bytes of the file: turn that off for it`,
        { status: response.status },
      ),
  );
}

function otherBytes(shown: string, range: { start: number; end: number } | null): StorageError {
  return new StorageError(
    shown,
    `the server sent other bytes than were asked for${range ? `: ${range.start} … ${range.end}` : ''}`,
    { status: 206 },
  );
}
