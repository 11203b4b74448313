/** Work under way that several wait for: who asks for the same joins in, and it ends when none waits any more. */
import { onAbort } from '../aborts.js';

interface Flight {
  promise: Promise<Uint8Array>;
  waiting: number;
  readonly ending: AbortController;
}

export class Flights {
  readonly #flights = new Map<string, Flight>();

  /** @throws the signal's reason, at once, where it is aborted; for the others the work goes on. */
  async join(
    key: string,
    signal: AbortSignal | undefined,
    start: (signal: AbortSignal) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const flight = this.#flights.get(key) ?? this.#start(key, start);
    flight.waiting++;
    let stop: (() => void) | undefined;
    try {
      if (signal === undefined) return await flight.promise;
      return await Promise.race([
        flight.promise,
        new Promise<never>((_, reject) => {
          stop = onAbort(signal, () => reject(signal.reason));
        }),
      ]);
    } finally {
      stop?.();
      if (--flight.waiting === 0) this.#leave(key, flight, signal?.reason);
    }
  }

  end(reason: unknown): void {
    for (const [key, flight] of this.#flights) this.#leave(key, flight, reason);
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<Uint8Array>): Flight {
    const ending = new AbortController();
    const promise = start(ending.signal);
    const flight = { promise, waiting: 0, ending };
    this.#flights.set(key, flight);
    // Ended work may have nobody left to hear that it failed; of parts of it, one that failed ends the others.
    promise.then(
      () => this.#leave(key, flight),
      (error) => this.#leave(key, flight, error),
    );
    return flight;
  }

  #leave(key: string, flight: Flight, reason?: unknown): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
    flight.ending.abort(reason);
  }
}
