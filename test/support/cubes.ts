/** Cubes with known nodes. */

import type { Boundary } from '../../src/index.js';
import { type MatrixOptions, WavetableMatrix } from '../../src/index.js';
import { random, randomArray } from './numbers.js';
import type { Field } from './oracle.js';

export interface TestCube {
  cube: WavetableMatrix;
  /** The oracle's view of it; nodes are host arrays. */
  field: Field;
  values: Map<number, Float32Array>;
}

export interface CubeOptions extends MatrixOptions {
  dims?: [number, number, number];
  /** Part of the cells left empty. */
  missingPart?: number;
  seed?: number;
}

/** A cube of seeded nodes, set one by one in a shuffled order. */
export function makeCube(options: CubeOptions = {}): TestCube {
  const { dims = [3, 4, 3], missingPart = 0, seed = 1, resolution = [2, 3], channels = 2, ...rest } = options;
  const next = random(seed);
  const cube = new WavetableMatrix(...dims, { resolution, channels, ...rest });
  const [h, w] = cube.resolution;
  const payload = h * w * channels;
  const values = new Map<number, Float32Array>();
  const cells = [...Array(dims[0] * dims[1] * dims[2]).keys()]
    .map((c) => [next(), c])
    .sort((a, b) => a[0] - b[0]);
  for (const [, cell] of cells) {
    if (next() < missingPart) continue;
    const node = randomArray(payload, next);
    values.set(cell, node);
    cube.setNode(...place(dims, cell), node);
  }
  const { boundary } = cube.options;
  const sides =
    typeof boundary === 'string' ? [boundary, boundary, boundary] : [boundary.x, boundary.y, boundary.z];
  return {
    cube,
    values,
    field: {
      dims,
      payload,
      boundary: sides as [Boundary, Boundary, Boundary],
      node: (cell) => values.get(cell) ?? null,
    },
  };
}

export function place(dims: readonly number[], cell: number): [number, number, number] {
  return [Math.floor(cell / (dims[1] * dims[2])), Math.floor(cell / dims[2]) % dims[1], cell % dims[2]];
}

/** [N, 3] coordinates inside the grid whose fractions keep away from nodes. */
export function smoothCoords(dims: readonly number[], n: number, seed = 2): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: n * 3 }, (_, i) => {
    const cells = Math.max(1, dims[i % 3] - 1);
    return Math.floor(next() * cells) + 0.15 + 0.7 * next();
  });
}

/** Gives every node of a cube seeded tangents. @returns the oracle's view of them. */
export function giveTangents({ cube, field, values }: TestCube, seed = 7): Field['node'][] {
  const next = random(seed);
  const all = [0, 1, 2].map(() => new Map<number, Float32Array>());
  for (const cell of values.keys()) {
    const [x, y, z] = all.map((of) => {
      const tangent = randomArray(field.payload, next);
      of.set(cell, tangent);
      return tangent;
    });
    cube.setTangents(...place(field.dims, cell), { x, y, z });
  }
  return all.map((of) => (cell: number) => of.get(cell) ?? null);
}
