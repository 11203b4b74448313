/** Signals that many wait for: one listener a signal, as Node warns of more than ten, and takes time for each. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back once, when the signal is aborted. It must not be aborted yet. @returns what takes the call back. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let calls = waiting.get(signal);
  if (calls === undefined) {
    const made = new Set<() => void>();
    calls = made;
    waiting.set(signal, made);
    signal.addEventListener(
      'abort',
      () => {
        for (const call of made) call();
      },
      { once: true },
    );
  }
  // Each its own, though two may give the same function.
  const call = () => callback();
  const all = calls.add(call);
  return () => all.delete(call);
}
