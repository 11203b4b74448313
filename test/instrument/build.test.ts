import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ready } from '../../src/index.js';
import {
  arrangeNotes,
  buildInstrument,
  cellLevels,
  cutNote,
  decodeSound,
  encodeWav,
  findCoordinates,
  fineTune,
  frequencyAt,
  hearNote,
  instrumentAxes,
  type Note,
  notePath,
  pitchCoordinate,
  relativeError,
  renderPath,
  timeAt,
  timeCoordinate,
  WavetableMatrix,
} from '../../src/node.js';
import { withoutLeaks } from '../support/backends.js';
import { pianoTone } from '../support/pianotone.js';

const PITCHES = [130.8, 155.6, 185];
const GAINS = [0.05, 0.1, 0.2];

describe('an instrument', function () {
  this.timeout(60_000);
  let notes: Note[];
  before(async () => {
    await ready({ backend: 'wasm' });
    notes = PITCHES.flatMap((frequencyHz, y) =>
      GAINS.map((gain, x) => {
        const samples = pianoTone(frequencyHz, { gain, seconds: 1.5, seed: 10 * y + x + 1 });
        return hearNote(`take${y}v${x + 1}.wav`, { samples, sampleRateHz: 48000 });
      }),
    );
  });

  it('puts notes on axes by what was heard: pitch, and loudness where no name tells a velocity', () => {
    const unnamed = notes.map((note, i) => ({ ...note, path: `${i}.wav` }));
    for (const { velocities, frequenciesHz, notes: grid, leftOut } of [
      arrangeNotes(notes),
      arrangeNotes(unnamed),
    ]) {
      expect(velocities).to.deep.equal([1, 2, 3]);
      frequenciesHz.forEach((frequencyHz, y) => {
        expect(frequencyHz).to.be.closeTo(PITCHES[y], 0.3);
        expect(grid.map((layer) => layer[y]!.level)).to.deep.equal(
          grid.map((layer) => layer[y]!.level).sort((a, b) => a - b),
        );
      });
      expect(leftOut).to.deep.equal([]);
    }
    expect(arrangeNotes([...notes, notes[4]]).leftOut).to.deep.equal([notes[4].path]);
  });

  it('keeps the level at the centres of its cells; the cuts’ own phases do not', async () => {
    const { cube, axes } = buildInstrument(notes, { size: 512, times: 4 });
    const { within, differencesDb } = await cellLevels(cube);
    expect(differencesDb.length).to.equal(2 * 2 * 3);
    expect(within).to.equal(12);
    const raw = buildInstrument(notes, { size: 512, times: 4, align: false });
    expect((await cellLevels(raw.cube)).within).to.be.below(6);
    expect(instrumentAxes(cube.metadata)).to.deep.equal(axes);
    cube.dispose();
    raw.cube.dispose();
  });

  it('with recordings missing leaves their places empty and sounds between the others', async () => {
    const { cube } = buildInstrument(notes.slice(0, -1), { size: 256, times: 2 });
    expect(cube.nodeCount).to.equal(8 * 2);
    expect((await cellLevels(cube)).differencesDb.length).to.equal(3);
    const { samples } = await renderPath(cube, () => ({ x: 1.9, y: 1.9, z: 0, frequencyHz: 200 }), {
      sampleRateHz: 48000,
      durationSeconds: 0.1,
    });
    expect(Math.max(...samples)).to.be.above(0.01);
    cube.dispose();
  });

  it('plays a note without a click, from and to silence', async () => {
    const { cube, axes } = buildInstrument(notes, { size: 512, times: 4 });
    cube.sample(0, 0, 0).dispose(); // the first sample makes the cube's index
    const played = await withoutLeaks(() =>
      renderPath(cube, notePath(axes, [1.3, 0.7, 0]), { sampleRateHz: 48000, durationSeconds: 1 }),
    );
    expect(played.largestStepAtJoins).to.be.at.most(1.1 * played.largestStepInside);
    expect(played.samples[0]).to.equal(0);
    expect(Math.abs(played.samples[played.samples.length - 1])).to.be.below(1e-6);
    const again = await decodeSound(encodeWav(played.samples, 48000), 'again');
    expect(again.sampleRateHz).to.equal(48000);
    played.samples.forEach((sample, i) => {
      if (Math.abs(sample - again.samples[i]) > 2e-7)
        expect.fail(`sample ${i}: ${sample} became ${again.samples[i]}`);
    });
    cube.dispose();
  });

  it('has axes that invert each other', () => {
    const { axes, cube } = buildInstrument(notes, { size: 64, times: 5 });
    for (const y of [0, 0.3, 1.9, 2])
      expect(pitchCoordinate(axes, frequencyAt(axes, y))).to.be.closeTo(y, 1e-9);
    for (const z of [0, 1.6, 4])
      expect(timeCoordinate(axes, 0.4, timeAt(axes, 0.4, z))).to.be.closeTo(z, 1e-9);
    expect(pitchCoordinate(axes, 1e5)).to.equal(2);
    expect(instrumentAxes({})).to.equal(undefined);
    cube.dispose();
  });

  it('finds where a held-out layer lies and learns it, without leaking', async () => {
    const whole = buildInstrument(notes, { size: 128, times: 3 });
    const cube = new WavetableMatrix(2, 3, 3, {
      resolution: [1, 128],
      channels: 1,
      sparse: false,
      trainable: true,
    });
    const targets: number[] = [];
    const starts: [number, number, number][] = [];
    for (let y = 0; y < 3; y++)
      for (let z = 0; z < 3; z++) {
        for (const [x, from] of [
          [0, 0],
          [1, 2],
        ]) {
          const node = whole.cube.getNode(from, y, z);
          cube.setNode(x, y, z, node);
          node.dispose();
        }
        const [cycle] = cutNote(whole.notes[1][y]!, [whole.axes.timesSeconds[y][z]], whole.phaseRad, 128);
        targets.push(...cycle);
        starts.push([0.5, y, 1]);
      }
    const wanted = tf.tensor4d(targets, [9, 1, 128, 1]);
    cube.sample(0, 0, 0).dispose();
    await withoutLeaks(async () => {
      const { coords } = await findCoordinates(cube, wanted, [starts], { steps: 60 });
      // Gains 0.05, 0.1, 0.2: the middle one is a third of the way.
      for (let i = 0; i < 9; i++) expect(coords[3 * i]).to.be.closeTo(1 / 3, 0.2);
      const before = await relativeError(cube, coords, wanted);
      const none = { coords: new Float32Array(0), targets: tf.zeros<tf.Rank.R4>([0, 1, 128, 1]), weight: 0 };
      await fineTune(cube, coords, wanted, none, { steps: 60 });
      none.targets.dispose();
      expect(await relativeError(cube, coords, wanted)).to.be.below(0.5 * before);
    });
    wanted.dispose();
    cube.dispose();
    whole.cube.dispose();
  });
});
