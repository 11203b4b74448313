/** A cube of 4 GB dense, opened and sampled once in a process that has loaded the library and its backend. */
import { WavetableMatrix } from '../../../dist/src/index.js';
import { GAUSSIANS, ms, peakRss, start, tell, timed } from './entry.mjs';

await start();
globalThis.gc?.();
const idle = peakRss();
let cube;
const opened = await timed(async () => {
  cube = await WavetableMatrix.open(GAUSSIANS);
});
let values;
const sampled = await timed(async () => {
  const table = await cube.sampleBatchAsync([[3.3, 4.4, 5.5]]);
  values = await table.data();
  table.dispose();
});
tell('open', ms(opened));
tell('one sample, its nodes read', ms(sampled));
tell('both', ms(opened + sampled));
tell(
  'peak RSS above the idle process',
  `${((peakRss() - idle) / 2 ** 20).toFixed(0)} MiB (idle ${(idle / 2 ** 20).toFixed(0)} MiB)`,
);
if (!values.every(Number.isFinite)) throw new Error('the sample is not finite');
cube.dispose();
