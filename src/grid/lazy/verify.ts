/** Reading every node of a file once, to know which ones it holds no more: what open does with { recover: true }. */
import { FormatError } from '../../errors.js';
import type { LostNode } from '../contents.js';
import { cellOf } from '../coordinates.js';
import type { StoredNode } from '../files.js';
import type { Settings } from '../options.js';
import { type FileNodes, ROLES, type Role, roleOf } from './filenodes.js';
import { preparedNodes } from './loading.js';
import { partsOf } from './stream.js';

/**
 * Of a cube that has just been opened: forgets the nodes that are damaged, and the tangents that go with them.
 * @param lost takes them up. @throws what reading throws, but FormatError.
 */
export async function forgetLost(
  file: FileNodes,
  settings: Settings,
  lost: LostNode[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { source } = file;
  for (const role of ROLES) {
    for (const part of partsOf(source, file.numbers(role, true))) {
      const good = new Set<number>();
      const errors = new Map<number, FormatError>();
      const read = async (which: readonly number[]) => {
        try {
          for await (const batch of source.read(which, signal)) {
            for (const node of batch) accept(file, role, node, settings, good);
          }
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          if (which.length === 1) errors.set(which[0], error);
        }
      };
      await read(part);
      // One that is damaged hides what would come after it.
      for (const number of part) if (!good.has(number)) await read([number]);
      for (const number of part) if (!good.has(number)) forget(file, role, number, errors.get(number), lost);
    }
  }
}

/** @throws FormatError for a node that the cube does not take. */
function accept(file: FileNodes, role: Role, node: StoredNode, settings: Settings, good: Set<number>): void {
  const tangent = 'tangent' in node ? node.tangent : undefined;
  if (roleOf({ tangent }) !== role) return;
  const cell = cellOf('open', settings.dims, node.x, node.y, node.z);
  const number = file.numberOf(role, cell);
  if (number === undefined || good.has(number)) return;
  preparedNodes(file, role, [{ node, cell }], settings);
  good.add(number);
}

function forget(
  file: FileNodes,
  role: Role,
  number: number,
  error: FormatError | undefined,
  lost: LostNode[],
): void {
  const { name, entries } = file.source;
  const { x, y, z, tangent } = entries[number];
  const reason = error?.message ?? `${name}: does not give the node (${x}, ${y}, ${z}) that it holds`;
  lost.push({ x, y, z, tangent, file: error?.source ?? name, offset: error?.offset, reason });
  file.forget(role, number);
}
