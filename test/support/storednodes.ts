/** All dense nodes of a cube, by place: shape and bytes. */
import type { WavetableMatrix } from '../../src/index.js';

export async function stored(cube: WavetableMatrix): Promise<Map<string, [readonly number[], number[]]>> {
  const out = new Map<string, [readonly number[], number[]]>();
  for await (const node of cube.storedNodes()) {
    if ('compressed' in node) throw new Error('no node here is compressed');
    const { x, y, z, shape, values } = node;
    out.set(`${x}_${y}_${z}`, [shape, [...new Uint8Array(values.slice().buffer)]]);
  }
  return new Map([...out].sort());
}
