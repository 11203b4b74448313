/** Whether files are whole: everything is read and checked, and nothing decoded. */
import { readContainer } from '../../codecs/container.js';
import { checkOptionNames, FormatError } from '../../errors.js';
import type { Contents, LostNode } from './contents.js';
import { lostOf } from './converting.js';
import type { ReadOptions } from './persistence.js';
import { loadPath } from './saving.js';
import type { StoredNode } from './storednodes.js';

/** Something of a file that is not as it was written: a node, or where it has no place, of the file itself. */
export type Damage = Omit<LostNode, 'x' | 'y' | 'z'> & Partial<Pick<LostNode, 'x' | 'y' | 'z'>>;

export interface Verified {
  /** The format's name, and what is in the file. Absent where not so much could be read. */
  format?: string;
  kind?: Contents['kind'];
  /** That are whole. */
  nodes: number;
  tangents: number;
  /** Bytes of what is whole: dense values, and compressed nodes. */
  bytes: number;
  /** Empty of a file that is whole. */
  damage: Damage[];
}

export interface VerifyOptions extends Pick<ReadOptions, 'signal'> {
  /** Called after each node. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/**
 * Reads all of a cube's or hierarchy's file and verifies every checksum.
 * @param path a path or URL.
 * @throws WavecubeError where it cannot be read at all: no such file, no rights, no answer. Damage is told in the result.
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<Verified> {
  checkOptionNames('verify', options, ['signal', 'onProgress']);
  const whole = await readThrough(path, false, options);
  if (whole.damage.length === 0) return whole;
  // What is damaged besides. Recovery may do without what hurt: it is damage all the same.
  const found = await readThrough(path, true, options);
  if (found.damage.length === 0) found.damage.push(...whole.damage);
  return found;
}

/** Reads a file to its end, or to the first damage unless `recover`. */
async function readThrough(
  path: string,
  recover: boolean,
  { signal, onProgress }: VerifyOptions,
): Promise<Verified> {
  const found: Verified = { nodes: 0, tangents: 0, bytes: 0, damage: [] };
  try {
    await loadPath(path, { verify: true, recover, signal }, async (contents, name, format) => {
      Object.assign(found, { format: format.name, kind: contents.kind });
      const cubes = contents.kind === 'cube' ? [{ cube: contents, octave: undefined }] : [...contents.levels];
      const total = cubes.reduce((sum, { cube }) => sum + cube.count, 0);
      let done = 0;
      for (const { cube, octave } of cubes) {
        for await (const batch of cube.nodes) {
          for (const node of batch) {
            checkNode(found, node, name, octave);
            onProgress?.({ done: ++done, total });
          }
        }
      }
      found.damage.push(...lostOf(contents));
    });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    found.damage.push(damageOf(error));
  }
  return found;
}

/** Counts a node that is whole; one that holds a container which is not is damage. */
function checkNode(found: Verified, node: StoredNode, file: string, octave: number | undefined): void {
  const { x, y, z } = node;
  if ('compressed' in node) {
    try {
      readContainer(node.compressed, file);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      // Its offset would count within the node.
      const { file: _, reason } = damageOf(error);
      found.damage.push({ ...(octave !== undefined && { octave }), x, y, z, file, reason });
      return;
    }
    found.bytes += node.compressed.length;
    found.nodes++;
    return;
  }
  found.bytes += node.values.byteLength;
  if (node.tangent) found.tangents++;
  else found.nodes++;
}

function damageOf({ source, offset, node, message }: FormatError): Damage {
  const reason = message.startsWith(`${source}: `) ? message.slice(source.length + 2) : message;
  const [x, y, z] = node ?? [];
  return { file: source, ...(offset !== undefined && { offset }), ...(node && { x, y, z }), reason };
}
