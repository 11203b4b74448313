/** Random sampling problems at the level of the ops, with the field that the oracle reads. */
import * as tf from '@tensorflow/tfjs';
import { BOUNDARIES, type Boundary, boundaryCode } from '../../src/interpolation/stencil.js';
import type { SamplingAttrs } from '../../src/ops/contract.js';
import { floatToHalf, halfToFloat, packHalves } from '../../src/ops/half.js';
import { random, randomArray } from './numbers.js';
import type { Field } from './oracle.js';

export interface CaseOptions {
  dims: [number, number, number];
  payload: number;
  samples: number;
  boundary?: Boundary | [Boundary, Boundary, Boundary];
  /** Part of the cells without a node. */
  missing?: number;
  half?: boolean;
  /** Rows in another order than cells even where every cell has one, and `ordered` not set. */
  shuffled?: boolean;
  /** [first, count] of the bank's rows that the page holds; all of them by default. */
  page?: [number, number];
  /** Coordinates fall in [−margin, n − 1 + margin]. */
  margin?: number;
  /** Part of the coordinates that sit exactly on nodes. */
  onNode?: number;
  /** Keep fractions within [0.1, 0.9], where differences are smooth. */
  smooth?: boolean;
  seed?: number;
}

export interface SamplingCase {
  field: Field;
  nodes: tf.Tensor2D;
  grid: tf.Tensor3D;
  coords: tf.Tensor2D;
  attrs: SamplingAttrs;
  /** Host copies. */
  rows: Float32Array;
  positions: Float32Array;
  cellOfRow: number[];
  dispose(): void;
}

export function makeCase(options: CaseOptions): SamplingCase {
  const { dims, payload, samples, half = false, missing = 0, margin = 0.7, onNode = 0.2 } = options;
  const next = random(options.seed ?? 1);
  const boundary = (
    Array.isArray(options.boundary) ? options.boundary : Array(3).fill(options.boundary ?? 'clamp')
  ) as Field['boundary'];
  const cells = dims[0] * dims[1] * dims[2];

  const rowOfCell = new Int32Array(cells).fill(-1);
  const present = [...Array(cells).keys()].filter(() => next() >= missing);
  // Rows in another order than cells, unless every cell has one: then in order, so that `ordered` may be set.
  const ordered = missing === 0 && !options.page && !options.shuffled;
  const shuffled = ordered
    ? present
    : present
        .map((c) => [next(), c])
        .sort((a, b) => a[0] - b[0])
        .map((p) => p[1]);
  shuffled.forEach((cell, row) => {
    rowOfCell[cell] = row;
  });

  let rows: Float32Array = randomArray(shuffled.length * payload, next);
  if (half) rows = rows.map((v) => halfToFloat(floatToHalf(v)));
  const [first, count] = options.page ?? [0, shuffled.length];
  const page = rows.slice(first * payload, (first + count) * payload);

  const positions = new Float32Array(samples * 3);
  for (let i = 0; i < positions.length; i++) {
    const n = dims[i % 3];
    let r = -margin + (n - 1 + 2 * margin) * next();
    if (options.smooth) r = Math.floor(r) + 0.1 + 0.8 * next();
    else if (next() < onNode) r = Math.round(r);
    positions[i] = r;
  }

  const nodes = half
    ? tf.tensor2d(packHalves(page, payload), [count, (payload + 1) >> 1], 'int32')
    : tf.tensor2d(page.slice(), [count, payload]);
  const grid = tf.tensor3d(rowOfCell.slice(), dims, 'int32');
  const coords = tf.tensor2d(positions.slice(), [samples, 3]);
  return {
    field: {
      dims,
      payload,
      boundary,
      node(cell) {
        const row = rowOfCell[cell];
        if (row < first || row >= first + count) return null;
        return rows.subarray(row * payload, (row + 1) * payload);
      },
    },
    nodes,
    grid,
    coords,
    attrs: {
      boundary: boundary.map(boundaryCode) as [number, number, number],
      payload,
      half,
      firstRow: first,
      rows: count,
      ordered,
    },
    rows: page,
    positions,
    cellOfRow: shuffled.slice(first, first + count),
    dispose: () => tf.dispose([nodes, grid, coords]),
  };
}

const SHAPES: CaseOptions[] = [
  { dims: [3, 4, 5], payload: 1, samples: 40 },
  { dims: [4, 3, 3], payload: 2, samples: 33 },
  { dims: [5, 4, 3], payload: 3, samples: 41 },
  { dims: [3, 3, 3], payload: 4, samples: 30 },
  { dims: [2, 3, 4], payload: 5, samples: 21 },
  { dims: [4, 4, 4], payload: 8, samples: 50 },
  { dims: [2, 2, 2], payload: 12, samples: 17 },
  { dims: [3, 2, 2], payload: 67, samples: 9 },
  { dims: [3, 3, 2], payload: 1024, samples: 12 },
  { dims: [2, 2, 3], payload: 1501, samples: 7 },
  { dims: [2, 3, 2], payload: 4100, samples: 6 },
];

/** A sweep over shapes, boundaries, missing nodes, pages and one-node axes. */
export function sweep(extra: Partial<CaseOptions> = {}): [string, CaseOptions][] {
  const out: [string, CaseOptions][] = [];
  const add = (name: string, o: CaseOptions) => out.push([name, { ...o, ...extra, seed: out.length + 1 }]);
  for (const shape of SHAPES) {
    const name = `${shape.dims.join('×')} nodes of ${shape.payload}`;
    add(`${name}, clamp`, shape);
    add(`${name}, missing nodes`, { ...shape, missing: 0.3 });
    add(`${name}, a full grid whose rows are not in cell order`, { ...shape, shuffled: true });
  }
  for (const boundary of BOUNDARIES) {
    for (const shape of [SHAPES[2], SHAPES[5], SHAPES[8]]) {
      add(`${boundary}, payload ${shape.payload}`, {
        ...shape,
        boundary,
        margin: boundary === 'extrapolate' ? 0.9 : 2.6,
      });
    }
    add(`${boundary}, a full grid whose rows are not in cell order`, {
      ...SHAPES[4],
      boundary,
      shuffled: true,
      margin: boundary === 'extrapolate' ? 0.9 : 2.6,
    });
    for (const dims of [
      [1, 3, 2],
      [2, 1, 1],
      [1, 1, 1],
    ] as const) {
      add(`${boundary}, axes of one node (${dims.join('×')})`, {
        dims: [...dims],
        payload: 3,
        samples: 20,
        boundary,
      });
    }
  }
  add('boundaries mixed, missing nodes', {
    ...SHAPES[5],
    boundary: ['wrap', 'reflect', 'zero'],
    missing: 0.3,
    margin: 2,
  });
  add('a page of the bank', { ...SHAPES[2], page: [7, 20] });
  add('a page of the bank, wide rows', { ...SHAPES[9], page: [3, 5] });
  add('a page that is empty', { ...SHAPES[2], page: [7, 0] });
  add('no samples', { ...SHAPES[2], samples: 0 });
  add('one sample', { ...SHAPES[2], samples: 1 });
  add('no payload', { ...SHAPES[2], payload: 0 });
  return out;
}
