/**
 * One codec on one field, on wasm: `codec.mjs FIELD.npy CODEC TOLERANCE,TOLERANCE`. Prints a JSON line a tolerance. The error
 * is measured here, in float64, on what decode gives of the bytes.
 */
import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs';
import { AutoCodec } from '../../../dist/src/codecs/auto.js';
import { OWN_CODECS } from '../../../dist/src/codecs/own.js';
import { CompressedWavetable, QualityNotReachedError, ready } from '../../../dist/src/index.js';
import { say } from '../contenders/entry.mjs';
import { median } from '../timing.mjs';
import { readField } from './fields.mjs';

const MOST_RUNS = 5;
/** No further run is started after that. */
const ENOUGH_MS = 400;

const [path, id, list] = process.argv.slice(2);
tf.enableProdMode(); // tfjs greets on the console otherwise
await ready({ backend: 'wasm' });
const codec = id === 'auto' ? new AutoCodec(OWN_CODECS) : OWN_CODECS.find((own) => own.id === id);
const { values, shape, range } = await readField(path);

/** Runs it again and again. @returns the last result, and the median time in ms. */
async function timed(run, free = () => {}) {
  const times = [];
  let result;
  for (const started = performance.now(); times.length < MOST_RUNS; ) {
    if (times.length) free(result);
    const before = performance.now();
    result = await run();
    times.push(performance.now() - before);
    if (performance.now() - started > ENOUGH_MS) break;
  }
  return { result, ms: median(times) };
}

function errorOf(decoded) {
  let [maxError, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const error = Math.abs(values[i] - decoded[i]);
    if (!(error <= maxError)) maxError = error; // a NaN stays
    squares += error * error;
  }
  // null: exact. JSON has no infinity.
  return { maxError, psnr: squares ? 10 * Math.log10((range * range * values.length) / squares) : null };
}

async function point(tolerance) {
  const quality = { maxAbs: tolerance * range };
  const started = performance.now();
  try {
    const encoded = await timed(
      () => codec.encode({ values, shape }, quality),
      (made) => made.dispose(),
    );
    const { bytes, codec: chose } = encoded.result;
    const unpacked = await timed(
      () => CompressedWavetable.fromBytes(bytes),
      (read) => read.dispose(),
    );
    const decode = () => {
      const out = codec.decode(unpacked.result);
      out.dataSync();
      return out;
    };
    decode().dispose();
    const decoded = await timed(decode, (out) => out.dispose());
    const error = errorOf(decoded.result.dataSync());
    tf.dispose([decoded.result]);
    encoded.result.dispose();
    unpacked.result.dispose();
    return {
      ...{ bound: quality.maxAbs, bytes: bytes.length, ratio: (4 * values.length) / bytes.length, ...error },
      ...{ encodeMs: encoded.ms, unpackMs: unpacked.ms, decodeMs: decoded.ms },
      ...(id === 'auto' && { chose }),
    };
  } catch (error) {
    if (error instanceof QualityNotReachedError) {
      return {
        rejected: true,
        encodeMs: performance.now() - started,
        leastError: error.best && error.best.maxError / range,
      };
    }
    return { skipped: String(error.message).split('\n')[0].slice(0, 120) };
  }
}

const tolerances = list.split(',');
await point(Number(tolerances[0])); // compiles the code
for (const pass of tolerances)
  say({ peer: id, pass, tolerance: Number(pass), ...(await point(Number(pass))) });
process.exit(0);
