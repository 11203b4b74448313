/** Small fields, seeded, on which the laws of codecs are tested; and what to do with every codec. */
import type { HostWavetable, WavetableCodec } from '../../src/codecs/codec.js';
import { OWN_CODECS } from '../../src/codecs/own.js';
import type { NodeShape } from '../../src/codecs/parameters.js';
import { sizeOf } from '../../src/codecs/parameters.js';
import { random } from './numbers.js';

/** A field from a function of row and column in [0, 1) and the channel. */
export function fieldOf(
  shape: NodeShape,
  value: (y: number, x: number, channel: number) => number,
): HostWavetable {
  const [height, width, channels] = shape;
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) {
    const pixel = Math.floor(i / channels);
    values[i] = value(
      (Math.floor(pixel / width) + 0.5) / height,
      ((pixel % width) + 0.5) / width,
      i % channels,
    );
  }
  return { values, shape };
}

export const smooth = (shape: NodeShape, scale = 1): HostWavetable =>
  fieldOf(
    shape,
    (y, x, c) => scale * (Math.sin(3 * x + c) * Math.cos(4 * y - c) + 0.3 * Math.sin(9 * x * y)),
  );

export function noise(shape: NodeShape, seed: number, scale = 1): HostWavetable {
  const next = random(seed);
  return fieldOf(shape, () => scale * (next() + next() + next() - 1.5));
}

/** Two discs on a ground: constant in pieces. */
export const discs = (shape: NodeShape): HostWavetable =>
  fieldOf(
    shape,
    (y, x, c) =>
      ((y - 0.4) ** 2 + (x - 0.3) ** 2 < 0.06 ? 1.37 + c : 0) +
      ((y - 0.6) ** 2 + (x - 0.6) ** 2 < 0.1 ? 0.71 - c : 0),
  );

/** What Wavecube's codecs and a test's own are tried on, by name. */
export const FIELDS: Readonly<Record<string, HostWavetable>> = {
  'smooth [16, 16, 4]': smooth([16, 16, 4]),
  'noise [9, 7, 3]': noise([9, 7, 3], 1),
  'discs [16, 13, 2]': discs([16, 13, 2]),
  'constant [8, 8, 2]': fieldOf([8, 8, 2], (_y, _x, c) => 0.1 + c),
  'zero [5, 6, 3]': fieldOf([5, 6, 3], () => 0),
  'smooth ±1e-30 [8, 9, 1]': smooth([8, 9, 1], 1e-30),
  'smooth 1e30 [8, 8, 2]': smooth([8, 8, 2], 1e30),
  'channels of 1e-12, 1e-3, 1, 1e6, 1e9 [7, 8, 5]': fieldOf(
    [7, 8, 5],
    (y, x, c) => [1e-12, 1e-3, 1, 1e6, 1e9][c] * Math.sin(5 * x + 3 * y + c),
  ),
  'one value [1, 1, 1]': fieldOf([1, 1, 1], () => -0.7),
  'one pixel [1, 1, 5]': fieldOf([1, 1, 5], (_y, _x, c) => c - 1.5),
  'a row [1, 17, 1]': smooth([1, 17, 1]),
  'a column [19, 1, 2]': smooth([19, 1, 2]),
};

/** A suite a codec of Wavecube's own. */
export function eachCodec(title: string, define: (codec: WavetableCodec) => void): void {
  for (const codec of OWN_CODECS) describe(`${title}: ${codec.id}`, () => define(codec));
}
