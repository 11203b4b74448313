/** Ctrl-C and its like end the program by way of its 'exit' listeners: they give the terminal back and remove files. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** From here on these signals exit with 128 + the signal's number, as a shell reports them: 130 for Ctrl-C. */
export function exitOnSignals(): void {
  for (const signal of SIGNALS) process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
