/**
 * Ctrl-C and its like. Work that can be ended is told to, takes back what it has begun, and the program ends after it; else, at the second
 * signal, and when it takes too long, at once: by way of its 'exit' listeners, which give the terminal back and remove temporary files.
 */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** For taking things back. */
const PATIENCE_MS = 2000;

/** The work under way that can be ended. */
const underWay = new Set<AbortController>();

/** What ended work is told. */
export class Interrupted extends Error {
  override name = 'Interrupted';
  constructor(readonly exitCode: number) {
    super('interrupted');
  }
}

/** From here on these signals exit with 128 + the signal's number, as a shell reports them: 130 for Ctrl-C. */
export function exitOnSignals(): void {
  for (const signal of SIGNALS) {
    const exitCode = 128 + constants.signals[signal];
    process.on(signal, () => {
      const work = [...underWay].filter((one) => !one.signal.aborted);
      if (work.length === 0) process.exit(exitCode);
      for (const one of work) one.abort(new Interrupted(exitCode));
      setTimeout(() => process.exit(exitCode), PATIENCE_MS).unref();
    });
  }
}

/** Does work that ends when its signal says so: it rejects with Interrupted then. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  underWay.add(controller);
  try {
    return await work(controller.signal);
  } finally {
    underWay.delete(controller);
  }
}
