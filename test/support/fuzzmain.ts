/** Prints what came of damaged files: node --import tsx/esm test/support/fuzzmain.ts [format] [flips] [splices] */
import { ready } from '../../src/index.js';
import { FORMATS } from './formats.js';
import { fuzzFormat, LONG } from './fuzzing.js';

const [only, flips = LONG.flips, splices = LONG.splices] = process.argv.slice(2);
await ready({ backend: 'cpu' });
for (const { name, options = [] } of FORMATS) {
  if (only && only !== name) continue;
  const started = performance.now();
  const counts = { flips: Number(flips), splices: Number(splices) };
  const { sizes, totals } = await fuzzFormat(name, counts, [{}, ...options]);
  console.log(
    `${name}: files of ${sizes.join(', ')} bytes, ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  console.table(totals);
}
