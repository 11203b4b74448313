/**
 * Damage to files, seeded, and the law that reading damaged files keeps: a typed error or what was saved; with { recover: true } nodes
 * that are what was saved, and the names of all others. In bounded time and memory.
 */

import { cubeOf } from '../../src/grid/files/persistence.js';
import { loadBytes } from '../../src/grid/files/saving.js';
import { hierarchyOf } from '../../src/grid/octaves.js';
import type { Contents, LostNode } from '../../src/index.js';
import { WavecubeError, WavetableMatrix } from '../../src/index.js';
import { Allocations } from './allocations.js';
import { canonical, type PlainContents, placeName, plainContents, type Saved } from './contents.js';
import { smooth } from './fields.js';
import { random } from './numbers.js';

export interface Damage {
  what: string;
  bytes: Uint8Array;
}

/** Cut at every byte. */
export function* truncations(bytes: Uint8Array): Generator<Damage> {
  for (let length = 0; length < bytes.length; length++) {
    yield { what: `cut to ${length} bytes`, bytes: bytes.slice(0, length) };
  }
}

/** One flipped bit each; one in eight has up to seven more. */
export function* flips(bytes: Uint8Array, count: number, seed = 1): Generator<Damage> {
  const next = random(seed);
  for (let k = 0; k < count; k++) {
    const damaged = bytes.slice();
    const places: string[] = [];
    for (let more = k % 8 === 7 ? 1 + Math.floor(8 * next()) : 1; more > 0; more--) {
      const [at, bit] = [Math.floor(next() * bytes.length), Math.floor(next() * 8)];
      damaged[at] ^= 1 << bit;
      places.push(`${at}.${bit}`);
    }
    yield { what: `flip ${k} of seed ${seed}: bits ${places.join(', ')}`, bytes: damaged };
  }
}

const joined = (...parts: Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

/** Runs of bytes copied over others, deleted, inserted again or as zeros or noise; the ends of two files joined. */
export function* splices(bytes: Uint8Array, count: number, other = bytes, seed = 1): Generator<Damage> {
  const next = random(seed + 1000);
  const below = (n: number) => Math.floor(next() * n);
  // Short runs are as likely as long ones.
  const run = () => Math.min(bytes.length, Math.ceil(bytes.length ** next()));
  for (let k = 0; k < count; k++) {
    const length = run();
    const [from, to] = [below(bytes.length - length + 1), below(bytes.length - length + 1)];
    const what = `splice ${k} of seed ${seed}: ${length} bytes, ${from} → ${to}`;
    if (k % 6 === 0) {
      const damaged = bytes.slice();
      damaged.copyWithin(to, from, from + length);
      yield { what: `${what}, copied`, bytes: damaged };
    } else if (k % 6 === 1) {
      yield {
        what: `${what}, deleted`,
        bytes: joined(bytes.subarray(0, from), bytes.subarray(from + length)),
      };
    } else if (k % 6 === 2) {
      const more = bytes.subarray(from, from + length);
      yield { what: `${what}, repeated`, bytes: joined(bytes.subarray(0, to), more, bytes.subarray(to)) };
    } else if (k % 6 === 3) {
      const more = Uint8Array.from({ length: Math.min(length, 300) }, () => below(256));
      yield {
        what: `${what}, noise inserted`,
        bytes: joined(bytes.subarray(0, to), more, bytes.subarray(to)),
      };
    } else if (k % 6 === 4) {
      yield { what: `${what}, zeros`, bytes: bytes.slice().fill(below(2) * 255, from, from + length) };
    } else {
      const end = below(other.length + 1);
      yield {
        what: `${what}, then byte ${end} on of another`,
        bytes: joined(bytes.subarray(0, from), other.subarray(end)),
      };
    }
  }
}

/** A cube of some dense nodes, one with a tangent, and compressed ones; its files have a few kilobytes. */
export async function fuzzCube(seed = 0): Promise<WavetableMatrix> {
  const cube = new WavetableMatrix(2, 2, 2, {
    resolution: [3, 4],
    channels: 1,
    metadata: { seed, note: 'ü' },
  });
  const field = (scale: number) => smooth([3, 4, 1], scale + seed).values;
  cube.setNode(0, 0, 0, field(1));
  cube.setNode(0, 1, 1, field(0.5));
  cube.setTangents(0, 1, 1, { y: field(2) });
  for (const [z, method] of ['dct', 'quantized'].entries()) {
    cube.setNode(1, 0, z, field(0.25));
    await cube.compressNode(1, 0, z, { method, quality: 0.5 });
  }
  return cube;
}

/** What came of damaged bytes. */
export type Outcome = 'error' | 'equal' | 'part';

const ALLOWED_BYTES = 64 * 10 ** 6;
/** A small file takes milliseconds; a machine of CI may be busy. */
const ALLOWED_MS = 5000;

/**
 * Reads bytes as a user does, and holds the law.
 * @param originals what was saved: each of the files that the bytes are made of. @param allocations counts; made once, as it takes time.
 * @returns 'part' where recovery gave some nodes and named the others.
 * @throws Error of a law that does not hold.
 */
export async function expectTypedErrorOrEqual(
  format: string,
  { what, bytes }: Damage,
  originals: readonly PlainContents[],
  allocations: Allocations,
  { recover = false } = {},
): Promise<Outcome> {
  const fail = (problem: string, cause?: unknown) =>
    new Error(`${format}, ${what}${recover ? ', recovered' : ''}: ${problem}`, { cause });
  const started = performance.now();
  const lost: LostNode[] = [];
  let saved: Saved | null = null;
  try {
    saved = await allocations.within(2 * bytes.length + ALLOWED_BYTES, () =>
      loadBytes<Saved>(bytes, `damaged.${format}`, { recover }, async (contents, source) => {
        const made = await (contents.kind === 'cube'
          ? cubeOf(contents, source)
          : hierarchyOf(contents, source));
        lost.push(...lostOf(contents));
        return made;
      }),
    );
  } catch (error) {
    if (!(error instanceof WavecubeError)) {
      throw fail(`an error of no type: ${(error as Error)?.stack}`, error);
    }
  }
  const took = performance.now() - started;
  if (took > ALLOWED_MS) throw fail(`took ${took.toFixed(0)} ms`);
  if (!saved) return 'error';
  try {
    const plain = await plainContents(saved.contents());
    const original = originals.find(({ about }) => about === plain.about) ?? originals[0];
    return compared(plain, original, lost, fail);
  } finally {
    saved.dispose();
  }
}

function lostOf(contents: Contents): LostNode[] {
  if (contents.kind === 'cube') return [...(contents.lost ?? [])];
  return contents.levels.flatMap(({ octave, cube }) =>
    (cube.lost ?? []).map((node) => ({ octave, ...node })),
  );
}

function compared(
  plain: PlainContents,
  original: PlainContents,
  lost: readonly LostNode[],
  fail: (problem: string) => Error,
): Outcome {
  if (plain.about !== original.about) throw fail(`is about ${plain.about}, was ${original.about}`);
  // Where what names a node is damaged itself, it is lost under a name that need not be its own.
  const sure = lost.filter(({ reason }) => !reason.includes('may name another place'));
  const named = new Set(sure.map(placeName));
  if (named.size !== sure.length) throw fail(`names a lost node twice: ${canonical(lost)}`);
  for (const [place, node] of plain.nodes) {
    if (named.has(place)) throw fail(`has node ${place} and says that it is lost`);
    if (original.nodes.get(place) !== node) throw fail(`has another node ${place}, ${node}`);
  }
  const silent = [...original.nodes.keys()].filter((place) => !plain.nodes.has(place) && !named.has(place));
  if (silent.length > lost.length - sure.length) throw fail(`has lost node ${silent[0]} in silence`);
  return plain.nodes.size === original.nodes.size && lost.length === 0 ? 'equal' : 'part';
}

export interface Totals {
  files: number;
  /** Without recovery: refused by a typed error, or as they were saved. */
  error: number;
  equal: number;
  /** With recovery. */
  refused: number;
  whole: number;
  part: number;
}

/** Holds the law for each damage, with recovery and without; what is read whole without it is whole with it. */
export async function fuzz(
  format: string,
  damages: Iterable<Damage>,
  originals: readonly PlainContents[],
): Promise<Totals> {
  const totals: Totals = { files: 0, error: 0, equal: 0, refused: 0, whole: 0, part: 0 };
  const allocations = new Allocations();
  try {
    for (const damage of damages) {
      const plain = await expectTypedErrorOrEqual(format, damage, originals, allocations);
      const recovered = await expectTypedErrorOrEqual(format, damage, originals, allocations, {
        recover: true,
      });
      if (plain === 'equal' && recovered !== 'equal') {
        throw new Error(`${format}, ${damage.what}: is whole, and with recovery ${recovered}`);
      }
      totals.files++;
      totals[plain === 'error' ? 'error' : 'equal']++;
      totals[recovered === 'error' ? 'refused' : recovered === 'equal' ? 'whole' : 'part']++;
    }
  } finally {
    allocations.stop();
  }
  return totals;
}
