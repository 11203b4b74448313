/** So many tasks at once and no more; the others wait in the order in which they came. */
import { onAbort } from '../aborts.js';

export class Queue {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(parallel: number) {
    this.#free = parallel;
  }

  /** @throws the signal's reason, at once, where it is aborted before the task has begun. */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      return await task();
    } finally {
      // The place goes to the next one straight on, so that none who comes just now can take it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = onAbort(signal, () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      });
      const enter = () => {
        stop();
        resolve();
      };
      this.#waiting.push(enter);
    });
  }
}
