/** What of an opened cube is not in its file as it is: what an update in place writes. */

import { nodeOf } from '../coordinates.js';
import type { NodeSource } from '../files/nodesource.js';
import type { StoredNode } from '../files/storednodes.js';
import { stored } from '../store.js';
import { AXES } from '../tangents.js';
import { ROLES, type Role } from './filenodes.js';
import type { OpenedCube } from './opened.js';

/** At one moment; writes from then on do not show. To be disposed. */
export interface Changes {
  /** Numbers of the entries that still say what the cube is; nodes that were deleted, lost or changed are none of them. Ascending. */
  kept: readonly number[];
  /** Nodes and tangents that were set, compressed, resized or made dense since. */
  count: number;
  /** They, each as its bank stores it, tangents last; to be read once. */
  nodes: AsyncGenerator<StoredNode>;
  /**
   * Has the cube read from another file from then on, which holds what was kept and these nodes: the old one is closed. What was set or
   * deleted since this was taken stays a change. @param source the cube's from then on.
   * @param isRead whether a cell is under way from the old file: changed ones stay changes, so that no old node takes their place.
   */
  written(source: NodeSource, isRead?: (role: Role, cell: number) => boolean): void;
  dispose(): void;
}

export function changesOf({ file, state }: OpenedCube): Changes {
  const cells = ROLES.map((role) =>
    file.stores[role].banks.flatMap((bank) => [...bank.cells()].filter((cell) => file.isChanged(role, cell))),
  );
  const changed = cells.map((each) => new Set(each));
  const since = file.watch();
  const snapshots = file.stores.map((store) => store.snapshot());
  const release = () => {
    for (const snapshot of snapshots.splice(0)) snapshot.dispose();
  };
  async function* nodes(): AsyncGenerator<StoredNode> {
    try {
      for (const [i, snapshot] of [...snapshots].entries()) {
        for await (const { cell, ...node } of stored(snapshot)) {
          if (!changed[i].has(cell)) continue;
          const [x, y, z] = nodeOf(state.settings.dims, cell);
          if (i > 0 && 'values' in node) yield { x, y, z, ...node, tangent: AXES[i - 1] };
          else yield { x, y, z, ...node };
        }
      }
    } finally {
      release();
    }
  }
  return {
    kept: ROLES.flatMap((role) => file.numbers(role, true)).sort((a, b) => a - b),
    count: cells.reduce((sum, each) => sum + each.length, 0),
    nodes: nodes(),
    written(source, isRead = () => false) {
      for (const role of ROLES) {
        for (const cell of changed[role]) if (isRead(role, cell)) since.cells[role].add(cell);
      }
      file.moveToSource(source, since.cells);
    },
    dispose() {
      since.end();
      release();
    },
  };
}
