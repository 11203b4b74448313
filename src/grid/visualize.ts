/** Pictures of a cube. */
import * as tf from '@tensorflow/tfjs';
import { rgb } from 'd3-color';
import {
  interpolateInferno,
  interpolateMagma,
  interpolatePlasma,
  interpolateRdBu,
  interpolateTurbo,
  interpolateViridis,
} from 'd3-scale-chromatic';
import { ArgumentError, CoordinateError, check } from '../errors.js';
import { positionsOf } from '../interpolation/axis.js';
import { findDevice } from '../ops/device.js';
import { AXIS_NAMES } from './axes.js';
import type { Coordinates } from './coordinates.js';
import type { WavetableMatrix } from './matrix.js';

const COLORMAPS = {
  viridis: interpolateViridis,
  magma: interpolateMagma,
  inferno: interpolateInferno,
  plasma: interpolatePlasma,
  turbo: interpolateTurbo,
  /** Red (low) – white – blue (high). */
  'red-blue': interpolateRdBu,
};
export type Colormap = keyof typeof COLORMAPS;

export interface SliceOptions {
  /** The axis that the slice is cut across. Default 'z'. */
  axis?: 'x' | 'y' | 'z';
  /** Which slice along it. Default 0. */
  index?: number;
  /** A channel through the colour map, or 'rgb': the first three channels as they are, in [0, 1]. Default: 'rgb' of a cube with three channels, else 0. */
  channel?: number | 'rgb';
  colormap?: Colormap;
  /** Values of the colour map's ends. Default: least and largest of the slice. */
  range?: readonly [low: number, high: number];
  /** Pixels of a node's thumbnail. Default 64. */
  tile?: number;
}

const BACKGROUND = 0.13;

/**
 * A slice through the cube as a mosaic of its nodes' thumbnails: across z, x runs right and y down; across y, x right
 * and z down; across x, y right and z down. Cells without a node stay dark.
 * @returns [rows·(tile + 1), columns·(tile + 1), 3] float32 in [0, 1]. Not differentiable.
 * @throws CoordinateError for an index outside the grid; ArgumentError for another option that does not fit.
 */
export function visualizeSlice(cube: WavetableMatrix, options: SliceOptions = {}): tf.Tensor3D {
  const { axis = 'z', index = 0, tile = 64, colormap = 'viridis' } = options;
  const channel = options.channel ?? (cube.channels === 3 ? 'rgb' : 0);
  checkSlice(cube, axis, index, tile, channel, colormap);
  const dims = [cube.width, cube.height, cube.depth];
  const [across, down] = axis === 'z' ? [0, 1] : axis === 'y' ? [0, 2] : [1, 2];
  const fixed = 'xyz'.indexOf(axis);
  const rows = dims[down];
  const columns = dims[across];

  const places: [number, number, number][] = [];
  const imageOf: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const at: [number, number, number] = [0, 0, 0];
      at[fixed] = index;
      at[across] = c;
      at[down] = r;
      if (cube.hasNode(...at)) imageOf.push(places.push(at) - 1);
      else imageOf.push(-1);
    }
  }
  return tf.tidy(() => {
    const images = places.length ? thumbnails(cube, places, tile, channel, colormap, options.range) : null;
    const blank = tf.fill([1, tile + 1, tile + 1, 3], BACKGROUND) as tf.Tensor4D;
    const all = images ? tf.concat([blank, images], 0) : blank;
    const picked = tf.gather(
      all,
      tf.tensor1d(
        imageOf.map((i) => i + 1),
        'int32',
      ),
    );
    const side = tile + 1;
    const lines = tf.transpose(picked.reshape([rows, columns, side, side * 3]), [0, 2, 1, 3]);
    return lines.reshape([rows * side, columns * side, 3]) as tf.Tensor3D;
  });
}

/** [K, tile + 1, tile + 1, 3]: coloured thumbnails with a border right and below. */
function thumbnails(
  cube: WavetableMatrix,
  places: [number, number, number][],
  tile: number,
  channel: number | 'rgb',
  colormap: Colormap,
  range: readonly [number, number] | undefined,
): tf.Tensor4D {
  const [h, w] = cube.resolution;
  const channels = channel === 'rgb' ? [0, 1, 2] : [channel];
  const resolution: [number, number] = [Math.min(h, tile), Math.min(w, tile)];
  const small = cube.sampleBatch(nodeCoordinates(cube, places), { resolution, channels });
  const sized = tf.image.resizeNearestNeighbor(small, [tile, tile]);
  const coloured = channel === 'rgb' ? tf.clipByValue(sized, 0, 1) : mapColours(sized, colormap, range);
  return tf.pad(
    coloured as tf.Tensor4D,
    [
      [0, 0],
      [0, 1],
      [0, 1],
      [0, 0],
    ],
    BACKGROUND,
  ) as tf.Tensor4D;
}

/** [K, 3] where nodes stand: numbers, so that policies can read them, unless positions are trained where nothing is read at once. */
function nodeCoordinates(cube: WavetableMatrix, places: readonly [number, number, number][]): Coordinates {
  const { axes } = cube.options;
  if (cube.axisVariables().length === 0 || findDevice(tf.getBackend())?.readsSync) {
    const dims = [cube.width, cube.height, cube.depth];
    const at = AXIS_NAMES.map((name, j) => positionsOf(axes[name], dims[j]));
    return places.map((place) => place.map((node, j) => at[j][node]));
  }
  const columns = AXIS_NAMES.map((name, j) => {
    const nodes = places.map((place) => place[j]);
    return tf.gather(cube.axisPositions(name), tf.tensor1d(nodes, 'int32'));
  });
  return tf.stack(columns, 1);
}

/** [K, T, T, 1] values → [K, T, T, 3] colours. */
function mapColours(
  values: tf.Tensor,
  colormap: Colormap,
  range: readonly [number, number] | undefined,
): tf.Tensor {
  const table = tf.tensor2d(
    Array.from({ length: 256 }, (_, i) => {
      const { r, g, b } = rgb(COLORMAPS[colormap](i / 255));
      return [r / 255, g / 255, b / 255];
    }),
  );
  const low = range ? tf.scalar(range[0]) : tf.min(values);
  const high = range ? tf.scalar(range[1]) : tf.max(values);
  const span = tf.maximum(tf.sub(high, low), 1e-30);
  const level = tf.clipByValue(tf.round(tf.mul(tf.div(tf.sub(values, low), span), 255)), 0, 255);
  return tf.gather(table, level.flatten().cast('int32')).reshape([...values.shape.slice(0, 3), 3]);
}

function checkSlice(
  cube: WavetableMatrix,
  axis: string,
  index: number,
  tile: number,
  channel: number | 'rgb',
  colormap: string,
): void {
  const size = { x: cube.width, y: cube.height, z: cube.depth }[axis];
  check(
    size !== undefined,
    () => new ArgumentError(`visualizeSlice: axis must be 'x', 'y' or 'z', got '${axis}'`),
  );
  check(
    Number.isInteger(index) && index >= 0 && index < size,
    () =>
      new CoordinateError(
        `visualizeSlice: index must be an integer in [0, ${size}) along ${axis}, got ${index}`,
      ),
  );
  check(
    Number.isInteger(tile) && tile >= 1,
    () => new ArgumentError(`visualizeSlice: tile must be a positive integer, got ${tile}`),
  );
  const known =
    channel === 'rgb'
      ? cube.channels >= 3
      : Number.isInteger(channel) && channel >= 0 && channel < cube.channels;
  check(
    known,
    () =>
      new ArgumentError(
        `visualizeSlice: channel must be in [0, ${cube.channels}), or 'rgb' of three or more, got ${channel}`,
      ),
  );
  check(
    colormap in COLORMAPS,
    () =>
      new ArgumentError(
        `visualizeSlice: colormap must be one of ${Object.keys(COLORMAPS).join(', ')}, got '${colormap}'`,
      ),
  );
}
