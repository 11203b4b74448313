/** A cube of Gaussians, as the `open` part opens it. */
import { stat } from 'node:fs/promises';
import { WavetableMatrix } from '../../../dist/src/index.js';
import { mixtureNodes } from '../codecs/cubes/mixtures.mjs';
import { GAUSSIANS, ms, PLACES, start, tell, timed } from './entry.mjs';

await start();
const cube = new WavetableMatrix(10, 10, 10, { resolution: 512, channels: 4 });
const nodes = mixtureNodes(PLACES.length, 512, 3);
PLACES.forEach((place, i) => {
  cube.setNode(...place, nodes[i].compressed);
});
tell('saved, fsync and rename included', ms(await timed(() => cube.save(GAUSSIANS))));
const { size } = await stat(GAUSSIANS);
tell('bytes', `${size}, ${(size / 1000).toFixed(1)} KB`);
tell('of them nodes as they are', cube.getMemoryUsage().storedBytes);
