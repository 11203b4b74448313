import { frequencyAt } from '../../dist/src/node.js';

const STROKES = 7;
const STROKE_SECONDS = 2;
/** Of a stroke, the way back to the hammer: no jump in z, so no click. */
const RETURN_SECONDS = 0.2;

/** The last stroke stays where it has died away. */
export const PATH_SECONDS = STROKES * STROKE_SECONDS - RETURN_SECONDS;
export const FADE_OUT_SECONDS = 0.15;

/**
 * The morph's path. Seven strokes: each starts at the hammer (z = 0) and dies away along z, while velocity swells
 * from soft to hard and back, and the pitch climbs three octaves without a step and comes down again.
 * @returns seconds → { x, y, z, frequencyHz, gain }
 */
export function path(axes) {
  const [lastX, lastY, lastZ] = [
    axes.velocities.length,
    axes.frequenciesHz.length,
    axes.timesSeconds[0].length,
  ].map((n) => n - 1);
  return (moment) => {
    const seconds = Math.min(moment, PATH_SECONDS);
    const along = seconds / PATH_SECONDS;
    const swell = 0.5 - 0.5 * Math.cos(2 * Math.PI * along);
    const stroke = Math.min(Math.floor(seconds / STROKE_SECONDS), STROKES - 1);
    const since = seconds - stroke * STROKE_SECONDS;
    const z = Math.min(
      since / (STROKE_SECONDS - RETURN_SECONDS),
      (STROKE_SECONDS - since) / RETURN_SECONDS,
      1,
    );
    const y = lastY * (0.25 + 0.4 * swell);
    return { x: lastX * swell, y, z: lastZ * z, frequencyHz: frequencyAt(axes, y) };
  };
}
