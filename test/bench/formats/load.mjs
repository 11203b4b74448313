/** A dense cube loaded of each format, in turns with what reads its file alone: each median is of times that had the same neighbours. */
import { readFile } from 'node:fs';
import fs, { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { WavetableMatrix } from '../../../dist/src/index.js';
import { seededRandom } from '../reference.mjs';
import { folder, median, ms, PLACES, rounds, start, tell, timed } from './entry.mjs';

const WARM_UP = 3;

await start();
const path = join(folder, 'dense.wvcb');
const others = ['npz', 'h5'].map((ending) => join(folder, `dense.${ending}`));
const cube = new WavetableMatrix(10, 10, 10, { resolution: 64, channels: 4 });
const random = seededRandom(1);
cube.setNodes(PLACES.map((place) => [...place, Float32Array.from({ length: 64 * 64 * 4 }, random)]));
tell('saved, fsync and rename included', ms(await timed(() => cube.save(path))));
for (const other of others) await cube.save(other);
cube.dispose();
tell('bytes', (await stat(path)).size);

const cases = {
  'fs.readFile': () =>
    new Promise((done, failed) => readFile(path, (error) => (error ? failed(error) : done()))),
  'fs.promises.readFile': () => fs.readFile(path),
  'WavetableMatrix.load': async () => (await WavetableMatrix.load(path)).dispose(),
  'WavetableMatrix.load, verify: false': async () =>
    (await WavetableMatrix.load(path, { verify: false })).dispose(),
  'WavetableMatrix.load of .npz, stored': async () => (await WavetableMatrix.load(others[0])).dispose(),
  'WavetableMatrix.load of .h5': async () => (await WavetableMatrix.load(others[1])).dispose(),
};
const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
const busy = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
for (let round = -WARM_UP; round < rounds; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const before = process.cpuUsage();
    const time = await timed(run);
    const { user, system } = process.cpuUsage(before);
    if (round < 0) continue;
    times[name].push(time);
    busy[name].push((user + system) / 1000);
  }
}
const fastest = Math.min(median(times['fs.readFile']), median(times['fs.promises.readFile']));
for (const name of Object.keys(cases)) {
  const time = median(times[name]);
  tell(
    name,
    `${ms(time)}, ${(time / fastest).toFixed(2)}×; ${ms(median(busy[name]))} of CPU, ${(median(busy[name]) / median(busy['fs.readFile'])).toFixed(2)}×`,
  );
}
