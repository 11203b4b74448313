import { frequencyAt } from '../../dist/src/node.js';

export const PATH_SECONDS = 14;

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
  return (seconds) => {
    const along = seconds / PATH_SECONDS;
    const swell = 0.5 - 0.5 * Math.cos(2 * Math.PI * along);
    const stroke = (seconds / 2) % 1;
    // Down the note in 1.8 s, and back to the hammer in 0.2 s: no jump in z, so no click.
    const z = stroke < 0.9 ? stroke / 0.9 : (1 - stroke) / 0.1;
    const y = lastY * (0.25 + 0.4 * swell);
    return { x: lastX * swell, y, z: lastZ * z, frequencyHz: frequencyAt(axes, y) };
  };
}
