/**
 * The main job, `npm start`: a morphable piano out of real recordings (Salamander Grand Piano V3, CC BY 3.0,
 * Alexander Holm), built, played, fitted, saved and pictured. Writes into out/ and checks itself: it ends with an exit
 * code other than 0 if a bar is missed.
 *
 *   node examples/piano/main.mjs [--backend wasm|cpu|webgpu] [--out folder]
 */
import { mkdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { stage } from '../../dist/src/cli/progress.js';
import { exitOnSignals } from '../../dist/src/cli/signals.js';
import { offItsName } from '../../dist/src/cli/wording.js';
import * as wavecube from '../../dist/src/node.js';
import { fitHeldOutLayer } from './heldout.mjs';
import { FADE_OUT_SECONDS, PATH_SECONDS, path } from './path.mjs';
import { summary } from './summary.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values: args } = parseArgs({
  options: {
    backend: { type: 'string', default: 'auto' },
    out: { type: 'string', default: join(root, 'out') },
  },
});
const VELOCITIES = [4, 8, 12, 16];
const HELD_OUT = 8;
const started = performance.now();
exitOnSignals();

tf.enableProdMode(); // tfjs greets on the console otherwise
const backend = await wavecube.ready({ backend: args.backend });
await mkdir(args.out, { recursive: true });
const out = (name) => join(args.out, name);

// Hear: pitch comes from the sound; the name of the file checks it.
const require = createRequire(import.meta.url);
const files = [];
for (const velocity of VELOCITIES) {
  const folder = dirname(require.resolve(`@audio-samples/piano-velocity${velocity}/package.json`));
  files.push(...(await wavecube.soundFiles(join(folder, 'audio'))));
}
const hearing = stage('decode, find pitch');
const { notes, refused } = await wavecube.hearFiles(files, hearing.update);
hearing.done(`${notes.length} recordings`);
for (const { path: file, reason } of refused) console.error(`left out: ${file}: ${reason}`);
const nameOf = (file) => file.split(/[\\/]/).at(-1);
const missed = notes.filter(
  (note) => offItsName(note) || wavecube.frequencyFromName(nameOf(note.path)) === undefined,
);
for (const note of missed) console.error(`  off its name, kept: ${nameOf(note.path)} ${offItsName(note)}`);
if (missed.length > 0)
  console.error(
    '  A note counts as it sounds, whatever its file is called. This piano’s C8 strings are sharp.',
  );

// Build: velocity × pitch × time.
const cutting = stage('cut, align');
const piano = wavecube.buildInstrument(notes, {
  source: 'Salamander Grand Piano V3 by Alexander Holm, CC BY 3.0, through @audio-samples/piano-velocity*',
  onProgress: cutting.update,
});
const { cube, axes } = piano;
cutting.done(`${cube.width} × ${cube.height} × ${cube.depth} nodes of ${cube.resolution[1]} samples`);

// Levels: a blend is as loud as what it blends; with the cuts' own phases it would not be.
const levelling = stage('loudness of blends');
const aligned = await wavecube.cellLevels(cube);
const raw = wavecube.buildInstrument(notes, { align: false });
const unaligned = await wavecube.cellLevels(raw.cube);
raw.cube.dispose();
levelling.done(
  `${aligned.within} of ${aligned.differencesDb.length} cells as loud in the middle as at their corners, ±1 dB; ${unaligned.within} without alignment`,
);

// Play: a morph along a path, one cycle every 5 ms, all sampled in one call.
const playing = stage('render morph.wav');
const morph = await wavecube.renderPath(cube, path(axes), {
  sampleRateHz: axes.sampleRateHz,
  durationSeconds: PATH_SECONDS,
  fadeOutSeconds: FADE_OUT_SECONDS,
});
const peak = morph.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
const louder = morph.samples.map((sample) => (0.7 * sample) / peak);
await wavecube.fileStorage.write(out('morph.wav'), wavecube.encodeWav(louder, axes.sampleRateHz));
const [joins, inside] = [morph.largestStepAtJoins / peak, morph.largestStepInside / peak];
playing.done(
  `largest jump between two samples ${joins.toFixed(4)} of the peak where cycles meet, ${inside.toFixed(4)} inside them`,
);

// Speed, of the sampling alone.
const rate = await samplesPerSecond(cube);

// Fit: one layer held out.
const fit = await fitHeldOutLayer(piano, HELD_OUT, stage);

// Keep: save, load, compare bit by bit.
const saving = stage('save, load, compare');
await cube.save(out('piano.npz'));
const loaded = await wavecube.WavetableMatrix.load(out('piano.npz'));
const same =
  (await bytesOf(cube)).equals(await bytesOf(loaded)) &&
  JSON.stringify(cube.metadata) === JSON.stringify(loaded.metadata);
loaded.dispose();
saving.done(same ? 'bitwise equal' : 'DIFFERENT');

// Look.
const drawing = stage('slice images');
const slices = [
  ...VELOCITIES.map((velocity, index) => ({
    axis: 'x',
    index,
    name: `velocity-${velocity}-pitch-right-time-down`,
  })),
  ...[0, cube.depth - 1].map((index) => ({
    axis: 'z',
    index,
    name: `time-${index}-velocity-right-pitch-down`,
  })),
];
for (const { axis, index, name } of slices) {
  const image = cube.visualizeSlice({ axis, index, tile: 40 });
  await wavecube.fileStorage.write(out(`slice-${name}.png`), await wavecube.encodePng(image));
  image.dispose();
}
drawing.done(`${slices.length} images; a tile is a node's cycle, from left to right, its values as colours`);

const memory = cube.getMemoryUsage();
const elapsed = (performance.now() - started) / 1000;
const percent = (part, of) => `${part} of ${of} (${((100 * part) / of).toFixed(1)} %)`;
const ok = summary([
  ['backend', backend],
  [
    'nodes',
    `${memory.nodes} [${[...cube.resolution, cube.channels].join(', ')}], ${cube.width} velocities × ${cube.height} pitches × ${cube.depth} times`,
  ],
  [
    'bytes',
    `${memory.storedBytes.toLocaleString('en')} in memory, ${(await stat(out('piano.npz'))).size.toLocaleString('en')} in piano.npz`,
  ],
  [
    'samples a second',
    `${Math.round(rate).toLocaleString('en')} cycles of ${cube.resolution[1]} (sampleBatch of 4,096)`,
  ],
  [
    'pitch within 50 cents',
    percent(notes.length - missed.length, files.length),
    '≥ 95 %',
    notes.length - missed.length >= 0.95 * files.length,
  ],
  [
    'loudness of blends',
    `${percent(aligned.within, aligned.differencesDb.length)} cells within 1 dB`,
    '≥ 95 %',
    aligned.within >= 0.95 * aligned.differencesDb.length,
  ],
  ['  without alignment', `${percent(unaligned.within, unaligned.differencesDb.length)} cells within 1 dB`],
  [
    'clicks in morph.wav',
    `${joins <= 1.1 * inside ? 'none' : 'heard'}: jumps where cycles meet / inside them ${joins.toFixed(4)} / ${inside.toFixed(4)} = ${(joins / inside).toFixed(3)}`,
    '≤ 1.1',
    joins <= 1.1 * inside,
  ],
  [
    'held-out layer',
    `velocity ${HELD_OUT} found at ${fit.velocity.toFixed(1)} (median), pitch and time right for ${percent(fit.placed, fit.cycles)}`,
  ],
  [
    '  error before',
    `${fit.before.toFixed(4)} at the found coordinates (${fit.start.toFixed(4)} at the starts)`,
  ],
  [
    '  error after',
    `${fit.after.toFixed(4)} = ${(fit.after / fit.before).toFixed(2)} × before`,
    '≤ 0.5',
    fit.after <= 0.5 * fit.before,
  ],
  ['  cycles never shown', `${fit.unseenBefore.toFixed(4)} → ${fit.unseenAfter.toFixed(4)}`],
  ['  the other layers', `${fit.othersBefore.toFixed(4)} → ${fit.othersAfter.toFixed(4)}`],
  ['saved and reloaded', same ? 'bitwise equal' : 'different', 'equal', same],
  ['elapsed', `${elapsed.toFixed(1)} s`, '< 180 s', elapsed < 180],
]);
console.log('Pitch: what is heard, against the note in the name of the file; a note off its name is kept.');
console.log(
  'Loudness: a cell lies between neighbouring nodes; the RMS of the blend in its middle against the mean RMS of its corners.',
);
console.log(
  'Clicks: the largest jump from a sample to the next, where a cycle ends or the next takes over, and everywhere else; × peak.',
);
console.log('Errors are relative RMS, ‖sampled − recorded‖ / ‖recorded‖ over all cycles of the layer.');
console.log(`Written to ${relative(process.cwd(), args.out) || '.'}: morph.wav, piano.npz, slice-*.png`);
console.log(
  'Sound: Salamander Grand Piano V3 by Alexander Holm, CC BY 3.0 (creativecommons.org/licenses/by/3.0).',
);
process.exitCode = ok ? 0 : 1;

/** Median of seven batches, after one to warm up. */
async function samplesPerSecond(of) {
  const count = 4096;
  const coords = tf.mul(tf.randomUniform([count, 3], 0, 1, 'float32', 7), [
    of.width - 1,
    of.height - 1,
    of.depth - 1,
  ]);
  const times = [];
  for (let i = 0; i < 8; i++) {
    const before = performance.now();
    const sampled = of.sampleBatch(coords);
    // One number read makes the device finish without moving the result.
    const probe = tf.slice(sampled, [0, 0, 0, 0], [1, 1, 1, 1]);
    await probe.data();
    times.push(performance.now() - before);
    tf.dispose([sampled, probe]);
  }
  coords.dispose();
  return (1000 * count) / times.slice(1).sort((a, b) => a - b)[3];
}

async function bytesOf(of) {
  const whole = of.toTensor();
  const values = await whole.data();
  whole.dispose();
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
