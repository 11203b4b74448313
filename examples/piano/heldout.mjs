/**
 * One velocity layer is held out; a cube of the others finds where its recordings lie and learns to sound like them.
 */
import * as tf from '@tensorflow/tfjs';
import {
  arrangeNotes,
  cutNote,
  findCoordinates,
  fineTune,
  pitchCoordinate,
  relativeError,
  WavetableMatrix,
} from '../../dist/src/node.js';

/** How much the layers the cube was made of count beside the one it learns. */
const ANCHOR_WEIGHT = 0.05;

export async function fitHeldOutLayer(piano, velocity, stage) {
  const { axes } = piano;
  const width = piano.cube.resolution[1];
  const held = piano.velocities.indexOf(velocity);
  const known = piano.notes.filter((_, x) => x !== held);
  const [pitches, times] = [piano.frequenciesHz.length, axes.timesSeconds[0].length];

  // The layers that stay, as a trainable cube, and the held-out one, as targets [pitches · times, 1, W, 1].
  const layers = tf.tidy(() => {
    const flat = tf.reshape(piano.cube.toTensor(), [piano.velocities.length, pitches * times * width]);
    return tf.unstack(flat).map((layer) => tf.reshape(layer, [pitches, times, 1, width, 1]));
  });
  const targets = tf.reshape(layers[held], [pitches * times, 1, width, 1]);
  const rest = tf.concat(layers.filter((_, x) => x !== held));
  const cube = WavetableMatrix.fromTensor(tf.reshape(rest, [known.length, pitches, times, 1, width, 1]), {
    trainable: true,
  });
  const anchors = {
    targets: tf.reshape(rest, [known.length * pitches * times, 1, width, 1]),
    coords: Float32Array.from(grid(known.length, pitches, times).flat()),
    weight: ANCHOR_WEIGHT,
  };

  // Starts: the pitch the recording was heard at; velocity and time from nothing, so several of each.
  const columns = { frequenciesHz: arrangeNotes(known.flat().filter(Boolean)).frequenciesHz };
  const heard = piano.notes[held].map((note) => pitchCoordinate(columns, note.pitch.frequencyHz));
  const starts = [];
  for (let x = 0.5; x < known.length - 1; x++)
    for (let part = 1; part < 8; part += 2)
      starts.push(
        heard.flatMap((y) => Array.from({ length: times }, () => [x, y, ((times - 1) * part) / 8])),
      );
  const start = await relativeError(cube, Float32Array.from(starts[0].flat()), targets);
  const finding = stage('find coordinates');
  const { coords } = await findCoordinates(cube, targets, starts, { onProgress: finding.update });
  const before = await relativeError(cube, coords, targets);
  finding.done(`relative error ${before.toFixed(4)}`);

  // Cycles from between the times that are shown, to see whether more than these were learned.
  const unseen = unseenCycles(piano, held, coords, times, width);
  const unseenBefore = await relativeError(cube, unseen.coords, unseen.targets);
  const othersBefore = await relativeError(cube, anchors.coords, anchors.targets);
  const tuning = stage('fine-tune nodes');
  await fineTune(cube, coords, targets, anchors, { onProgress: tuning.update });
  const after = await relativeError(cube, coords, targets);
  tuning.done(`relative error ${after.toFixed(4)}`);

  const result = {
    start,
    before,
    after,
    unseenBefore,
    unseenAfter: await relativeError(cube, unseen.coords, unseen.targets),
    othersBefore,
    othersAfter: await relativeError(cube, anchors.coords, anchors.targets),
    cycles: pitches * times,
    placed: 0,
    velocity: 0,
  };
  const velocities = [];
  const layerNumbers = piano.velocities.filter((_, x) => x !== held);
  for (let i = 0; i < pitches * times; i++) {
    const [x, y, z] = coords.subarray(3 * i, 3 * i + 3);
    const low = Math.min(Math.floor(x), layerNumbers.length - 2);
    velocities.push(layerNumbers[low] + (x - low) * (layerNumbers[low + 1] - layerNumbers[low]));
    if (Math.abs(y - Math.floor(i / times)) <= 1 && Math.abs(z - (i % times)) <= 1) result.placed++;
  }
  result.velocity = velocities.sort((a, b) => a - b)[velocities.length >> 1];
  cube.dispose();
  tf.dispose([layers, targets, rest, anchors.targets, unseen.targets]);
  return result;
}

/** Cycles of the held-out recordings half-way between the times shown, at coordinates half-way between those found. */
function unseenCycles(piano, held, coords, times, width) {
  const cycles = [];
  const places = [];
  piano.notes[held].forEach((note, y) => {
    const shown = piano.axes.timesSeconds[y];
    const between = shown.slice(1).map((later, z) => Math.sqrt(later * shown[z]));
    cutNote(note, between, piano.phaseRad, width).forEach((cycle, z) => {
      cycles.push(...cycle);
      const at = 3 * (y * times + z);
      for (let axis = 0; axis < 3; axis++) places.push((coords[at + axis] + coords[at + 3 + axis]) / 2);
    });
  });
  const count = places.length / 3;
  return {
    coords: Float32Array.from(places),
    targets: tf.tensor4d(Float32Array.from(cycles), [count, 1, width, 1]),
  };
}

function grid(...dims) {
  const all = [];
  for (let x = 0; x < dims[0]; x++)
    for (let y = 0; y < dims[1]; y++) for (let z = 0; z < dims[2]; z++) all.push([x, y, z]);
  return all;
}
