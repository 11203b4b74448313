/** .wvcb files for tests: looked into, damaged, and tampered with so that only what is meant to be wrong is. */
import { crc32c } from '../../src/checksum.js';
import type { Sink, Source } from '../../src/index.js';
import { memorySource, type OctaveHierarchy, type WavetableMatrix } from '../../src/index.js';

type Stored = ReturnType<WavetableMatrix['storedNodes']> extends AsyncGenerator<infer Node> ? Node : never;

/** Every stored byte of a node, and what else there is to it. */
export function storedBytes(node: Stored): [shape: readonly number[] | 'compressed', bytes: number[]] {
  if ('compressed' in node) return ['compressed', [...node.compressed]];
  return [node.shape, [...new Uint8Array(node.values.slice().buffer)]];
}

export const keyOf = ({ x, y, z, ...node }: { x: number; y: number; z: number; tangent?: string }): string =>
  `${x}_${y}_${z}${node.tangent ? ` ${node.tangent}` : ''}`;

/** All of a cube, by place. */
export async function storedOf(cube: WavetableMatrix): Promise<Map<string, unknown>> {
  const out = new Map<string, unknown>();
  for await (const node of cube.storedNodes()) out.set(keyOf(node), storedBytes(node));
  return new Map([...out].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export async function storedOfOctaves(hierarchy: OctaveHierarchy): Promise<Record<number, unknown>> {
  const out: Record<number, unknown> = {};
  for (const octave of hierarchy.octaves) out[octave] = await storedOf(hierarchy.getMatrix(octave));
  return out;
}

export async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a failure');
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const u64 = (bytes: Uint8Array, at: number) => Number(view(bytes).getBigUint64(at, true));

/** Where the parts of a file lie. */
export function partsOf(bytes: Uint8Array) {
  const index = { offset: u64(bytes, 40), bytes: u64(bytes, 48) };
  const entries = Array.from({ length: (index.bytes - 8) / 64 }, (_, i) => {
    const at = index.offset + 8 + 64 * i;
    const [x, y, z] = [0, 4, 8].map((field) => view(bytes).getUint32(at + field, true));
    return {
      at,
      x,
      y,
      z,
      offset: u64(bytes, at + 12),
      bytes: u64(bytes, at + 20),
      role: bytes[at + 56],
      level: bytes[at + 54],
    };
  });
  return { index, entries, metadata: { offset: u64(bytes, 56), bytes: u64(bytes, 64) } };
}

/** A copy of a file with changes, all checksums of its head as if it had been written so. */
export function tampered(
  bytes: Uint8Array,
  change: (view: DataView, bytes: Uint8Array, parts: ReturnType<typeof partsOf>) => void,
): Uint8Array {
  const out = bytes.slice();
  const { index, metadata, entries } = partsOf(bytes);
  change(view(out), out, { index, metadata, entries });
  for (const { at } of entries) view(out).setUint32(at + 60, crc32c(out.subarray(at, at + 60)), true);
  const part = (at: number) => crc32c(out.subarray(u64(out, at), u64(out, at) + u64(out, at + 8)));
  view(out).setUint32(88, part(40), true);
  view(out).setUint32(92, part(56), true);
  view(out).setUint32(252, crc32c(out.subarray(0, 252)), true);
  return out;
}

/** A copy of a file with other metadata, which are put at its end. */
export function withMetadata<Json>(bytes: Uint8Array, change: (json: Json) => unknown): Uint8Array {
  const { metadata } = partsOf(bytes);
  const text = new TextDecoder().decode(bytes.subarray(metadata.offset, metadata.offset + metadata.bytes));
  const json = JSON.parse(text);
  const changed = change(json) ?? json;
  const more =
    changed instanceof Uint8Array
      ? changed
      : new TextEncoder().encode(typeof changed === 'string' ? changed : JSON.stringify(changed));
  const out = new Uint8Array(bytes.length + more.length);
  out.set(bytes);
  out.set(more, bytes.length);
  return tampered(out, (head) => {
    head.setBigUint64(56, BigInt(bytes.length), true);
    head.setBigUint64(64, BigInt(more.length), true);
    head.setBigUint64(72, BigInt(out.length), true);
  });
}

/** A source of bytes that tells of its reads. */
export function countedSource(bytes: Uint8Array, name = 'counted.wvcb') {
  const reads: { offset: number; length: number }[] = [];
  const inner = memorySource(bytes, name);
  const state = { closed: 0, underWay: 0, mostUnderWay: 0 };
  const source: Source = {
    name,
    sizeBytes: bytes.length,
    async read(offset, length, signal) {
      reads.push({ offset, length });
      state.mostUnderWay = Math.max(state.mostUnderWay, ++state.underWay);
      try {
        await new Promise((resolve) => setTimeout(resolve, 0));
        return await inner.read(offset, length, signal);
      } finally {
        state.underWay--;
      }
    },
    async close() {
      state.closed++;
    },
  };
  return { source, reads, state };
}

/** A sink that keeps nothing but what it was told. */
export function countedSink() {
  const state = { sizeBytes: 0, largest: 0, writes: 0 };
  const sink: Sink = {
    name: 'counted',
    get sizeBytes() {
      return state.sizeBytes;
    },
    async write(bytes) {
      state.sizeBytes += bytes.length;
      state.largest = Math.max(state.largest, bytes.length);
      state.writes++;
    },
    async patch() {},
    async commit() {},
    async abort() {},
  };
  return { sink, state };
}
