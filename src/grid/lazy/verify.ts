/** Reading every node of a file once, to know which ones it holds no more: what open does with { recover: true }. */
import { FormatError } from '../../errors.js';
import { cellOf } from '../coordinates.js';
import type { LostNode } from '../files/contents.js';
import type { StoredNode } from '../files/storednodes.js';
import type { Settings } from '../options.js';
import { type FileNodes, ROLES, type Role, roleOf } from './filenodes.js';
import { preparedNodes } from './loading.js';
import { partsOf } from './stream.js';

const NOT_GIVEN = 'the file does not give it';

/**
 * Of a cube that has just been opened: forgets the nodes that are damaged, and the tangents that go with them.
 * @param lost takes them up. @param reported what the source says of those that it leaves out. @throws what reading throws, but FormatError.
 */
export async function forgetLost(
  file: FileNodes,
  settings: Settings,
  lost: LostNode[],
  reported: readonly LostNode[],
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
      for (const number of part) {
        if (good.has(number)) continue;
        const { name, entries } = source;
        const { x, y, z, tangent } = entries[number];
        const isSame = (one: LostNode) =>
          one.x === x && one.y === y && one.z === z && one.tangent === tangent;
        const error = errors.get(number);
        const own = error && { file: error.source, offset: error.offset, reason: error.message };
        forget(file, role, number, lost, own ?? reported.find(isSame) ?? { file: name, reason: NOT_GIVEN });
      }
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
  lost: LostNode[],
  reason: Pick<LostNode, 'file' | 'offset' | 'reason'>,
): void {
  const { x, y, z, tangent } = file.source.entries[number];
  lost.push({ x, y, z, ...(tangent && { tangent }), ...reason });
  const cell = file.forget(role, number);
  if (role > 0) return;
  for (const along of ROLES.slice(1)) {
    const other = file.numberOf(along, cell);
    if (other !== undefined)
      forget(file, along, other, lost, { file: reason.file, reason: 'its node is lost' });
  }
}
