/** Requests to a server: so many at once, repeated where what failed may pass, ended by their signals. */

import { onAbort } from '../aborts.js';
import { ArgumentError, check, StorageError } from '../errors.js';
import type { SourceOptions } from '../grid/files/persistence.js';
import { Queue } from './queue.js';
import type { Address } from './url.js';

/** Below 500, what a server answers when it is asked at a bad moment; to the others of them a second attempt gets the same. */
const PASSING = new Set([408, 425, 429]);
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** What a server may ask to be waited for; beyond it the caller hears at once that it is to come later. */
const LONGEST_ASKED_MS = 30_000;
/** A connection over which nothing has come for so long is given up. */
const STALL_MS = 30_000;

/** A failure after which an attempt more is worth while. */
class Passing {
  constructor(
    readonly error: StorageError,
    readonly waitMs?: number,
  ) {}
}

/** An answer as it comes in. */
export interface Answer {
  readonly response: Response;
  /** Hands over the body as it comes; leaving early cancels it. @throws where it breaks off, for another attempt to be made. */
  chunks(): AsyncIterable<Uint8Array>;
  /** What to throw where the body was shorter than it must be, for another attempt to be made. */
  short(got: number, of: number): unknown;
}

export type Requests = ReturnType<typeof requestsTo>;

/** @param stallMs for tests. */
export function requestsTo(options: SourceOptions, stallMs = STALL_MS) {
  const { retries = 3, parallel = 6 } = options;
  check(
    Number.isInteger(retries) && retries >= 0,
    () => new ArgumentError(`open: retries must be a whole number ≥ 0, got ${retries}`),
  );
  check(
    Number.isInteger(parallel) && parallel >= 1,
    () => new ArgumentError(`open: parallel must be a whole number ≥ 1, got ${parallel}`),
  );
  const always = headersOf(options.headers);
  const queue = new Queue(parallel);

  /**
   * Asks until `use` is content with the answer. Statuses other than 200, 206, 412 and 416 are errors before `use` sees them.
   * @param headers those of the next attempt.
   */
  async function ask<T>(
    address: Address,
    headers: () => Record<string, string>,
    signal: AbortSignal,
    use: (answer: Answer) => Promise<T>,
  ): Promise<T> {
    return queue.run(async () => {
      for (let failed = 0; ; failed++) {
        try {
          return await attempt(address, headers(), signal, use);
        } catch (failure) {
          signal.throwIfAborted();
          if (!(failure instanceof Passing)) throw failure;
          if (failed === retries || (failure.waitMs ?? 0) > LONGEST_ASKED_MS) throw failure.error;
          await wait(failure.waitMs ?? pauseMs(failed), signal);
        }
      }
    }, signal);
  }

  async function attempt<T>(
    address: Address,
    headers: Record<string, string>,
    signal: AbortSignal,
    use: (answer: Answer) => Promise<T>,
  ): Promise<T> {
    const { href, shown, authorization } = address;
    const sent = new Headers(always);
    if (authorization && !sent.has('Authorization')) sent.set('Authorization', authorization);
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);

    const request = new AbortController();
    signal.throwIfAborted();
    const stop = onAbort(signal, () => request.abort(signal.reason));
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stalled = false;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        stalled = true;
        request.abort();
      }, stallMs);
    };
    const passing = (message: string, cause?: unknown) =>
      new Passing(
        new StorageError(shown, stalled ? `the server sent nothing for ${stallMs / 1000} s` : message, {
          cause,
        }),
      );

    async function* chunks(response: Response) {
      const reader = response.body?.getReader();
      for (let got = 0; reader; ) {
        const { done, value } = await reader.read().catch((cause) => {
          throw passing(`the answer broke off after ${got} bytes`, cause);
        });
        if (done) return;
        alive();
        got += value.length;
        yield value;
      }
    }

    try {
      alive();
      // Past the browser's cache: it may answer with parts of a state that is no more, and lets one request through at a time.
      const response = await fetch(href, { headers: sent, signal: request.signal, cache: 'no-store' }).catch(
        (cause) => {
          throw passing(
            `the server cannot be reached${inPage() ? ', or lets no page of another site read it' : ''}`,
            cause,
          );
        },
      );
      checkStatus(shown, response);
      return await use({
        response,
        chunks: () => chunks(response),
        short: (got, of) => passing(`the answer has ${got} bytes instead of ${of}`),
      });
    } finally {
      clearTimeout(timer);
      stop();
      // What is left of the body is not to come in.
      request.abort();
    }
  }

  return { ask };
}

export const inPage = (): boolean => typeof location !== 'undefined';

function headersOf(headers: SourceOptions['headers']): Headers {
  try {
    return new Headers(headers);
  } catch {
    // Without the cause, which may quote a secret.
    throw new ArgumentError('open: headers must be names of HTTP headers with their values');
  }
}

function checkStatus(shown: string, response: Response): void {
  const { status } = response;
  if (status === 200 || status === 206 || status === 412 || status === 416) return;
  const missing = status === 404 || status === 410;
  const waitMs = retryAfterMs(response);
  const remarks = [
    missing && ': there is nothing of this name',
    (status === 401 || status === 403) && ': it gives this to others only',
    waitMs !== undefined &&
      waitMs > LONGEST_ASKED_MS &&
      `, and asks to come back in ${Math.ceil(waitMs / 1000)} s`,
  ];
  const answered = `the server answered ${status} ${response.statusText.slice(0, 40)}`.trim();
  const error = new StorageError(shown, answered + remarks.filter(Boolean).join(''), { status, missing });
  throw status >= 500 || PASSING.has(status) ? new Passing(error, waitMs) : error;
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfterMs({ headers }: Response): number | undefined {
  const text = headers.get('Retry-After');
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** Twice as long each time, and half of it by chance, so that readers that failed together don't come back together. */
const pauseMs = (failed: number): number =>
  Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failed) * (0.5 + Math.random());

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
    const timer = setTimeout(() => {
      stop();
      resolve();
    }, ms);
  });
}
