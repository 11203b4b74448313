/** Many nodes of a few bytes each. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { WavetableMatrix } from '../../../dist/src/index.js';
import { folder, median, ms, start, tell, timed } from './entry.mjs';

await start();
const path = join(folder, 'small.wvcb');
const cube = new WavetableMatrix(100, 100, 10, { resolution: 1, channels: 3 });
const node = new Float32Array(3);
for (let i = 0; i < 100_000; i++) {
  node.fill(i);
  cube.setNode(Math.floor(i / 1000), Math.floor(i / 10) % 100, i % 10, node);
}
const saves = [];
const loads = [];
for (let i = 0; i < 5; i++) {
  saves.push(await timed(() => cube.save(path)));
  loads.push(await timed(async () => (await WavetableMatrix.load(path)).dispose()));
}
tell('bytes', (await stat(path)).size);
tell('saved, fsync and rename included', ms(median(saves)));
tell('loaded', ms(median(loads)));
