/**
 * The part of a batch that a bank has to work for. A sample reads eight nodes or so: of a cube of several forms many samples have
 * none in a bank, and neither reading its rows nor resampling zeros says anything of them.
 */
import * as tf from '@tensorflow/tfjs';
import { constantOf } from '../ops/constant.js';
import { findDevice } from '../ops/device.js';
import { type Places, takeRows } from '../ops/sumrows.js';
import { onTape } from '../ops/tape.js';
import type { Bank } from './bank.js';
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
        taps: constantOf(stencil.weights, () =>
          tf.gather(stencil.taps, tf.tensor1d(places, 'int32')),
        ) as tf.Tensor3D,
        weights: takeRows(stencil.weights.reshape([-1, 12]), places).reshape([k, 3, 4]) as tf.Tensor3D,
      },
    },
  };
}
