/**
 * Tangents of nodes, for method 'hermite': along each axis d(node)/d(coordinate), a store of wavetables like the nodes' own, so
 * that they are as large, stored alike (but never compressed), and trained along. A node has them or not, axis by axis.
 */
import type * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, checkOptionNames, MissingNodeError, shown } from '../errors.js';
import type { Bank, NodeShape } from './bank.js';
import { nodeOf } from './coordinates.js';
import type { Settings } from './options.js';
import { NodeStore } from './store.js';
import { checkWavetable, type Wavetable } from './wavetable.js';

export const AXES = ['x', 'y', 'z'] as const;
export type Axis = (typeof AXES)[number];

/** A node's tangents, each of the node's shape, in the nodes' units per unit of the coordinate; those that are left out stay. */
export interface TangentWavetables {
  x?: Wavetable;
  y?: Wavetable;
  z?: Wavetable;
}

export class Tangents {
  /** Along x, y, z. */
  readonly stores: readonly [NodeStore, NodeStore, NodeStore];

  constructor(private readonly settings: Settings) {
    this.stores = [new NodeStore(settings), new NodeStore(settings), new NodeStore(settings)];
  }

  /** Sets the tangents that are given: all of them, or none where one is not what `shape` asks for. */
  set(where: string, cell: number, shape: NodeShape, given: TangentWavetables): void {
    checkOptionNames(where, given, AXES);
    const named = AXES.filter((axis) => given[axis] !== undefined);
    check(
      named.length > 0,
      () => new ArgumentError(`${where}: give at least one of ${AXES.join(', ')}, each a wavetable`),
    );
    for (const axis of named) {
      const wavetable = given[axis]!;
      checkWavetable(`${where}: ${axis}`, wavetable, shape, this.settings.dtype);
      this.stores[0].checkPackable(`${where}: ${axis}`, wavetable);
    }
    this.stores[0].checkForm(where, shape, this.settings.dtype);
    for (const axis of named) {
      this.stores[AXES.indexOf(axis)].set(where, shape, [{ cell, wavetable: given[axis]! }]);
    }
  }

  /** Copies of a cell's tangents, float32; the caller's to dispose. */
  get(cell: number): { x?: tf.Tensor3D; y?: tf.Tensor3D; z?: tf.Tensor3D } {
    const found: { x?: tf.Tensor3D; y?: tf.Tensor3D; z?: tf.Tensor3D } = {};
    AXES.forEach((axis, j) => {
      const bank = this.stores[j].find(cell);
      if (bank) found[axis] = bank.read(cell) as tf.Tensor3D;
    });
    return found;
  }

  /** @throws MissingNodeError where a cell has no tangent along an axis; ArgumentError for an axis that is none. */
  bankOf(where: string, cell: number, axis: Axis): Bank {
    check(
      AXES.includes(axis),
      () => new ArgumentError(`${where}: tangent must be one of ${AXES.join(', ')}, got ${shown(axis)}`),
    );
    const bank = this.stores[AXES.indexOf(axis)].find(cell);
    check(bank !== undefined, () => new MissingNodeError(where, nodeOf(this.settings.dims, cell), axis));
    return bank;
  }

  delete(cell: number): void {
    for (const store of this.stores) if (store.has(cell)) store.delete(cell);
  }

  /**
   * Every node must have a tangent along each axis of more than one node. A node's tangents go with it, so that counting tells.
   * @throws MissingNodeError that names the first node, and the axis.
   */
  checkComplete(where: string, nodes: NodeStore): void {
    const { dims } = this.settings;
    AXES.forEach((axis, j) => {
      const store = this.stores[j];
      if (dims[j] === 1 || store.count === nodes.count) return;
      for (let cell = 0; cell < nodes.cells; cell++) {
        check(
          store.has(cell) || !nodes.has(cell),
          () => new MissingNodeError(where, nodeOf(dims, cell), axis),
        );
      }
    });
  }

  cloneInto(twin: Tangents): void {
    this.stores.forEach((store, j) => {
      store.cloneInto(twin.stores[j]);
    });
  }
}
