/** What the parts share: figures, places of nodes, medians, memory. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { ready } from '../../../dist/src/index.js';

export { median } from '../timing.mjs';

export const [folder, rounds] = [process.argv[2], Number(process.argv[3])];
export const GAUSSIANS = join(folder, 'gaussians.wvcb');

export const PLACES = Array.from({ length: 1000 }, (_, i) => [
  Math.floor(i / 100),
  Math.floor(i / 10) % 10,
  i % 10,
]);

export async function start() {
  tf.enableProdMode(); // tfjs greets on the console otherwise
  await ready({ backend: 'wasm' });
}

export const tell = (what, figure) => console.log(`| ${what} | ${figure} |`);
export const ms = (time) => `${time.toPrecision(3)} ms`;

export async function timed(run) {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

/** Resident set at its peak since the process began, bytes: maxRSS of a child that was forked may be its parent's. */
export function peakRss() {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}
