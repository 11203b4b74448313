/**
 * A memory copy of the bytes that a pass must move: half of them read, half written, by one Uint8Array.set between
 * two buffers whose pages have been touched.
 */
import { measure } from '../timing.mjs';
import { readCase, say } from './entry.mjs';

const { bytes } = await readCase();
for (const [pass, total] of Object.entries(bytes)) {
  const [from, to] = [new Uint8Array(total / 2).fill(1), new Uint8Array(total / 2).fill(2)];
  const times = await measure(() => {
    to.set(from);
  });
  say({ peer: 'memory copy', pass, times, error: to[to.length - 1] === 1 ? 0 : null });
}
