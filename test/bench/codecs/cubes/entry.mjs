/** What the cubes' programs share: seeded nodes, coordinates, figures. */
import * as tf from '@tensorflow/tfjs';
import { OWN_CODECS } from '../../../../dist/src/codecs/own.js';
import { ready, WavetableMatrix } from '../../../../dist/src/index.js';
import { say } from '../../contenders/entry.mjs';
import { seededRandom } from '../../reference.mjs';
import { measure, median } from '../../timing.mjs';

export const SIZE = 10;
export const PLACES = Array.from({ length: SIZE ** 3 }, (_, i) => [
  Math.floor(i / SIZE ** 2),
  Math.floor(i / SIZE) % SIZE,
  i % SIZE,
]);

export async function start() {
  tf.enableProdMode(); // tfjs greets on the console otherwise
  await ready({ backend: 'wasm' });
}

/** @returns one of Wavecube's codecs. @throws where this version has none of that id. */
export function codecOf(id) {
  const codec = OWN_CODECS.find((own) => own.id === id);
  if (!codec) throw new Error(`there is no codec '${id}'`);
  return codec;
}

/** [N, 3], uniform over the grid. */
export function coordinates(count, seed) {
  const random = seededRandom(seed);
  return Float32Array.from({ length: 3 * count }, () => random() * (SIZE - 1));
}

export function cubeOf(resolution, options = {}) {
  return new WavetableMatrix(SIZE, SIZE, SIZE, { resolution, channels: 4, cacheBytes: 0, ...options });
}

/** Standard normal numbers of a seed. */
export function normals(seed) {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Figures of one cube. */
export function reporter(cube) {
  const tell = (what, value, more = {}) => say({ peer: cube, pass: what, what, value, ...more });
  return {
    tell,
    /** Medians of 7 after warm-up; fewer where a call takes seconds. @returns ms. */
    async time(what, run) {
      const times = await measure(run);
      const ms = median(times);
      const few = times.length < 7 ? ` (${times.length} run${times.length > 1 ? 's' : ''})` : '';
      tell(what, `${ms.toPrecision(3)} ms${few}`, { ms, times });
      return ms;
    },
    ratio: (what, a, b) => tell(what, `${(a / b).toPrecision(3)}×`, { ratio: a / b }),
    done: () => {
      say({ peer: cube, pass: 'done' });
      process.exit(0);
    },
  };
}

/** Resident set at its peak since the process began, bytes. */
export const peakRss = () => process.resourceUsage().maxRSS * 1024;

export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
export const kilobytes = (bytes) => `${(bytes / 1e3).toFixed(1)} kB`;
