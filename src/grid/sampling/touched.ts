/**
 * The part of a batch that a bank has to work for. A sample reads eight nodes or so: of a cube of several forms many samples have
 * none in a bank, and neither reading its rows nor resampling zeros says anything of them.
 */
import * as tf from '@tensorflow/tfjs';
import { findDevice } from '../../ops/device.js';
import { type Places, takeRows } from '../../ops/sumrows.js';
import { onTape } from '../../ops/tape.js';
import { untaped } from '../../ops/taps.js';
import type { Bank } from '../bank.js';
import { type BatchCoords, eachTouched, type Reading } from './reading.js';

/** Samples of a reading, and which ones they are. */
export interface TouchedPart {
  reading: Reading;
  places: Places;
}

/** The reading with its coordinates on the host, where the backend can be read at once. */
export function withHost(reading: Reading): Reading {
  const { given, coords } = reading;
  if (coords.host || !(findDevice(tf.getBackend())?.readsSync ?? false)) return reading;
  const read = (batch: BatchCoords): BatchCoords =>
    batch.host ? batch : { tensor: batch.tensor, host: batch.tensor.dataSync<'float32'>() };
  const own = read(coords);
  return { ...reading, coords: own, given: given === coords ? own : read(given) };
}

/**
 * The samples that any of the banks gives something to; all of them where the host does not know the coordinates. One whose coordinate
 * is not finite is among them, so that it gets its NaN. On the tape never none: what was not read gets gradients of zeros.
 */
export function touchedPart(reading: Reading, banks: readonly Bank[]): TouchedPart {
  const { host, tensor } = reading.coords;
  const n = tensor.shape[0];
  if (!host || n === 0) return { reading, places: null };
  const slopes = onTape();
  const places: number[] = [];
  for (let i = 0; i < n; i++) {
    let touched = !Number.isFinite(host[3 * i] + host[3 * i + 1] + host[3 * i + 2]);
    if (!touched) {
      eachTouched(reading, i, slopes, (cell) => {
        touched ||= banks.some((bank) => bank.has(cell));
      });
    }
    if (touched) places.push(i);
  }
  if (slopes && places.length === 0) places.push(0);
  if (places.length === n) return { reading, places: null };
  return partAt(reading, Int32Array.from(places));
}

/**
 * Cells of a bank that a reading touches, where bringing these to a resolution and blending then is less work than blending and bringing
 * the samples there; else null. Both go over an image at its own size and at the one asked for; blending reads about as much.
 */
export function cellsFirst(
  reading: Reading,
  bank: Bank,
  [height, width]: readonly [number, number],
): number[] | null {
  const { host, tensor } = reading.coords;
  const { shape, dims, dtype } = bank.options;
  const [h, w, c] = shape;
  const samples = tensor.shape[0];
  if (!host || dtype === 'float16' || (h === height && w === width)) return null;
  const own = h * w;
  const asked = height * width;
  // A grid of its own goes with them.
  const grid = (dims[0] * dims[1] * dims[2]) / c;
  const most = samples + (samples * (own - asked) - grid) / (own + asked);
  const slopes = onTape();
  const cells = new Set<number>();
  for (let i = 0; i < samples && cells.size <= most; i++) {
    eachTouched(reading, i, slopes, (cell) => {
      if (bank.has(cell)) cells.add(cell);
    });
  }
  return cells.size <= most ? [...cells].sort((a, b) => a - b) : null;
}

/** Some samples of a reading. Gradients as the whole one's. */
function partAt(reading: Reading, places: Int32Array): TouchedPart {
  const { given, coords, stencil } = reading;
  const k = places.length;
  const rows = ({ tensor, host }: BatchCoords): BatchCoords => ({
    tensor: takeRows(tensor, places),
    host:
      host && Float32Array.from({ length: 3 * k }, (_, i) => host[3 * places[Math.floor(i / 3)] + (i % 3)]),
  });
  const own = rows(coords);
  return {
    places,
    reading: {
      ...reading,
      coords: own,
      given: given === coords ? own : rows(given),
      stencil: stencil && {
        taps: untaped(() => tf.gather(stencil.taps, tf.tensor1d(places, 'int32'))),
        weights: takeRows(stencil.weights.reshape([-1, 12]), places).reshape([k, 3, 4]) as tf.Tensor3D,
      },
    },
  };
}
