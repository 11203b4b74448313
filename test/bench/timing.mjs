/** One rule of timing for every contender in JavaScript; peers.py repeats it. */
import { performance } from 'node:perf_hooks';

const REPEATS = 7;
const WARM_UP_MS = 500;
/** Shorter calls are timed several at once. */
const SHORTEST_MS = 5;

async function timed(run, calls = 1) {
  const started = performance.now();
  for (let i = 0; i < calls; i++) {
    const pending = run();
    if (pending) await pending;
  }
  return (performance.now() - started) / calls;
}

/**
 * Milliseconds a call, 7 times after at least 3 calls and half a second of warm-up. Calls of seconds: 3 times after
 * one call; above 5 s once after one call; above 20 s the first call is the figure.
 * @param run does the work and frees its result; returns a promise if its end must be awaited.
 */
export async function measure(run) {
  const first = await timed(run);
  if (first > 20_000) return [first];
  if (first > 5_000) return [await timed(run)];
  if (first > 1_500) return [await timed(run), await timed(run), await timed(run)];
  let last = first;
  for (let calls = 1, spent = first; calls < 3 || spent < WARM_UP_MS; calls++)
    spent += last = await timed(run);
  const together = Math.max(1, Math.ceil(SHORTEST_MS / last));
  const times = [];
  for (let i = 0; i < REPEATS; i++) times.push(await timed(run, together));
  return times;
}

export function median(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
