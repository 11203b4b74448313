/** Contents of files as plain values, to be compared bit for bit. */
import { expect } from 'chai';
import { cubeOf, type ReadOptions } from '../../src/grid/files/persistence.js';
import { loadBytes } from '../../src/grid/files/saving.js';
import { hierarchyOf } from '../../src/grid/octaves.js';
import type { Contents, CubeContents, StoredNode } from '../../src/index.js';
import { OctaveHierarchy, WavetableMatrix } from '../../src/index.js';

/** Everything but the nodes as one line of JSON with sorted keys; and the nodes, each by its place, in hex digits. */
export interface PlainContents {
  about: string;
  nodes: ReadonlyMap<string, string>;
}

export type Saved = WavetableMatrix | OctaveHierarchy;

/** A node's place: 'x_y_z', of a tangent with its axis, in a hierarchy below its octave. */
export function placeName({
  x,
  y,
  z,
  tangent,
  octave,
}: {
  x: number;
  y: number;
  z: number;
  tangent?: string;
  octave?: number;
}): string {
  const place = tangent ? `${tangent} ${x}_${y}_${z}` : `${x}_${y}_${z}`;
  return octave === undefined ? place : `${octave}/${place}`;
}

/** JSON whose keys are sorted and which tells −0, NaN, ±∞ and undefined from what JSON makes of them. */
export function canonical(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (ArrayBuffer.isView(value)) return `view${canonical([...(value as Float32Array)])}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const own = Object.keys(value).sort();
    const of = value as Record<string, unknown>;
    return `{${own.map((key) => `${JSON.stringify(key)}:${canonical(of[key])}`).join(',')}}`;
  }
  return value === undefined ? 'undefined' : JSON.stringify(value);
}

/** Bytes as hex digits. */
const hex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

function plainNode(node: StoredNode): string {
  if ('compressed' in node) return `compressed ${hex(node.compressed)}`;
  const { shape, values } = node;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return `${values.constructor.name} [${shape.join(', ')}] ${hex(bytes)}`;
}

const aboutCube = ({ width, height, depth, options, metadata }: CubeContents) => ({
  width,
  height,
  depth,
  options,
  metadata,
});

/** Reads contents to their end. */
export async function plainContents(contents: Contents): Promise<PlainContents> {
  const nodes = new Map<string, string>();
  const collect = async (cube: CubeContents, octave?: number) => {
    for await (const batch of cube.nodes) {
      for (const node of batch) {
        const name = placeName({ ...node, octave });
        if (nodes.has(name)) throw new Error(`there are two nodes ${name}`);
        nodes.set(name, plainNode(node));
      }
    }
  };
  if (contents.kind === 'cube') {
    await collect(contents);
    return { about: canonical(aboutCube(contents)), nodes };
  }
  const { levels, ...rest } = contents;
  for (const { octave, cube } of levels) await collect(cube, octave);
  const about = { ...rest, levels: levels.map((level) => ({ ...level, cube: aboutCube(level.cube) })) };
  return { about: canonical(about), nodes };
}

const plainOf = (saved: Saved | PlainContents): Promise<PlainContents> =>
  saved instanceof WavetableMatrix || saved instanceof OctaveHierarchy
    ? plainContents(saved.contents())
    : Promise.resolve(saved);

/**
 * Both hold the same: options, sizes, metadata, and every stored bit of every node. Cubes whose nodes wait to be compressed are to be
 * settled before.
 */
export async function expectSameContents(
  a: Saved | PlainContents,
  b: Saved | PlainContents,
  what = 'contents',
): Promise<void> {
  const [one, two] = [await plainOf(a), await plainOf(b)];
  expect(two.about, what).to.equal(one.about);
  expect([...two.nodes.keys()].sort(), `${what}: places`).to.deep.equal([...one.nodes.keys()].sort());
  for (const [place, node] of one.nodes) {
    // Not by chai: what it shows of a difference may be megabytes.
    const other = two.nodes.get(place)!;
    if (other === node) continue;
    let at = 0;
    while (other[at] === node[at]) at++;
    const near = (text: string) => text.slice(Math.max(0, at - 40), at + 40);
    expect.fail(`${what}: node ${place} is …${near(other)}…, and was …${near(node)}…`);
  }
}

/** The cube or the hierarchy of a file's bytes, whatever its format. The caller's to dispose. */
export const loadedFrom = (bytes: Uint8Array, name: string, options: ReadOptions = {}): Promise<Saved> =>
  loadBytes<Saved>(bytes, name, options, (contents, source) =>
    contents.kind === 'cube' ? cubeOf(contents, source) : hierarchyOf(contents, source),
  );

/** Waits until all of a cube or a hierarchy is as save would write it. */
export async function settled<T extends Saved>(saved: T): Promise<T> {
  const cubes =
    saved instanceof OctaveHierarchy ? saved.octaves.map((octave) => saved.getMatrix(octave)) : [saved];
  for (const cube of cubes as WavetableMatrix[]) await cube.settle();
  return saved;
}
