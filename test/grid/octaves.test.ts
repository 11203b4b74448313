import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  ArgumentError,
  BOUNDARIES,
  type Boundary,
  CoordinateError,
  DisposedError,
  OctaveHierarchy,
  type OctaveHierarchyOptions,
  resample,
  ShapeError,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import {
  expectClose,
  GRADIENT_TOLERANCE,
  magnitude,
  random,
  randomArray,
  SAMPLE_TOLERANCE,
} from '../support/numbers.js';
import { blendOracle, filled, type Reference } from '../support/octaves.js';
import fc from '../support/properties.js';

/** A pyramid of features: 1×1 nodes, grids that grow. */
const FEATURES: OctaveHierarchyOptions = {
  octaveLevels: [-1, 0, 2],
  gridScale: 2,
  resolution: 1,
  channels: 2,
};
/** Equal grids of tables that grow. */
const TABLES: OctaveHierarchyOptions = {
  octaveLevels: [-2, 0, 4],
  baseResolution: [1, 16],
  channels: 2,
};
const BASES = ['levels', 'laplacian'] as const;
const OFFSETS = ['none', 'half-cell'] as const;
const METHODS = ['linear', 'catmull-rom', 'bspline'] as const;
/** Two roundings a level more than a cube's own sample: of the weight, and of the sum. */
const BLEND_TOLERANCE = 3 * SAMPLE_TOLERANCE;

function pathOf(reference: Reference, n: number, seed: number, margin = 0.4): [Float32Array, Float32Array] {
  const next = random(seed);
  const size = [reference.hierarchy.width, reference.hierarchy.height, reference.hierarchy.depth];
  const coords = Float32Array.from(
    { length: 3 * n },
    (_, i) => -margin + (size[i % 3] - 1 + 2 * margin) * next(),
  );
  const { octaves } = reference.hierarchy;
  const span = octaves[octaves.length - 1] - octaves[0];
  const at = Float32Array.from({ length: n }, (_, i) =>
    i % 4 === 0 ? octaves[i % octaves.length] : octaves[0] - 0.5 + (span + 1) * next(),
  );
  return [coords, at];
}

const rows = (coords: Float32Array) =>
  Array.from({ length: coords.length / 3 }, (_, i) => [...coords.subarray(3 * i, 3 * i + 3)]);

const wanted = (reference: Reference, coords: Float32Array, octaves: ArrayLike<number>) =>
  rows(coords).flatMap((p, i) => [...blendOracle(reference, p, octaves[i])]);

eachBackend('octaves, sizes', () => {
  it('octave o has base · 2^(o/4) rows and columns, base / 2^(1 + |o|/2) below 0; an axis of one keeps it', () => {
    const made = new OctaveHierarchy(2, 2, 2);
    expect(made.octaves).to.deep.equal([-4, -2, 0, 4]);
    expect(made.octaves.map((o) => made.getMatrix(o).resolution[0])).to.deep.equal([64, 128, 512, 1024]);
    expect(Object.keys(made.matrices).map(Number)).to.have.members([-4, -2, 0, 4]);
    expect(made.resolution).to.deep.equal([512, 512]);
    made.dispose();
    const row = new OctaveHierarchy(2, 2, 2, { octaveLevels: [4, -2], baseResolution: [1, 256] });
    expect(row.octaves).to.deep.equal([-2, 4]);
    expect(row.octaves.map((o) => row.getMatrix(o).resolution)).to.deep.equal([
      [1, 64],
      [1, 512],
    ]);
    expect(row.resolution).to.deep.equal([1, 256]);
    row.dispose();
  });

  it('gridScale grows the grid, of axes with more than one node; a level may have its own', () => {
    const made = new OctaveHierarchy(8, 5, 1, {
      octaveLevels: [-2, 0, 1],
      gridScale: 2,
      resolution: 1,
      octaves: { 1: { grid: [7, 3, 2], channels: 1, resolution: [2, 3] } },
    });
    const sizes = made.octaves.map((o) => {
      const { width, height, depth } = made.getMatrix(o);
      return [width, height, depth];
    });
    expect(sizes).to.deep.equal([
      [2, 1, 1],
      [8, 5, 1],
      [7, 3, 2],
    ]);
    expect(made.getMatrix(1).resolution).to.deep.equal([2, 3]);
    expect(made.getMatrix(1).channels).to.equal(1);
    // The ends meet.
    expect(made.nodePosition(1, 6, 2, 0)).to.deep.equal([7, 4, 0]);
    made.dispose();
  });

  it('half-cell offsets keep the borders of neighbouring octaves apart, for every scale of grids', () => {
    for (const gridScale of [1, 1.5, 2, 3, 4]) {
      const made = new OctaveHierarchy(9, 1, 1, {
        octaveLevels: [0, 1, 2, 3],
        gridScale,
        resolution: 1,
        channels: 1,
        offset: 'half-cell',
      });
      const borders = made.octaves.map((o) =>
        Array.from({ length: made.getMatrix(o).width }, (_, x) => made.nodePosition(o, x, 0, 0)[0]).filter(
          (p) => p > 1e-9 && p < 8 - 1e-9,
        ),
      );
      for (let j = 1; j < borders.length; j++) {
        const meeting = borders[j].filter((p) => borders[j - 1].some((q) => Math.abs(p - q) < 1e-6));
        if (gridScale !== 1.5) expect(meeting, `scale ${gridScale}, octave ${j}`).to.have.length(0);
        else expect(meeting.length).to.be.below(borders[j - 1].length / 3);
      }
      made.dispose();
    }
  });
}, ['cpu']);

eachBackend('octaves', () => {
  for (const basis of BASES) {
    for (const offset of OFFSETS) {
      it(`a batch equals the float64 reference, ${basis}, offset ${offset}, whole and fractional octaves, beyond the ends`, () =>
        withoutLeaks(async () => {
          const hierarchy = new OctaveHierarchy(4, 3, 2, { ...FEATURES, basis, offset });
          const made = filled(hierarchy);
          const [coords, octaves] = pathOf(made, 60, 3);
          const want = wanted(made, coords, octaves);
          const [c, o] = [tf.tensor2d(coords, [60, 3]), tf.tensor1d(octaves)];
          const all = [
            hierarchy.sampleBatchBlended(coords, octaves),
            hierarchy.sampleBatchBlended(rows(coords), [...octaves]),
            hierarchy.sampleBatchBlended(c, o),
            hierarchy.sampleBatchBlended(coords, o),
            hierarchy.sampleBatchBlended(c, octaves),
          ];
          for (const out of all) {
            expect(out.shape).to.deep.equal([60, 1, 1, 2]);
            expectClose(await out.data(), want, BLEND_TOLERANCE);
          }
          const one = hierarchy.sampleBatchBlended(c, 1.25);
          expectClose(
            await one.data(),
            wanted(made, coords, new Float32Array(60).fill(1.25)),
            BLEND_TOLERANCE,
          );
          tf.dispose([c, o, one, ...all]);
          hierarchy.dispose();
        }));

      it(`gradients to coordinates, octaves and nodes equal finite differences, ${basis}, offset ${offset}`, () =>
        withoutLeaks(async () => {
          const octaveLevels = [-1, 0, 1];
          const hierarchy = new OctaveHierarchy(4, 3, 2, {
            ...FEATURES,
            octaveLevels,
            basis,
            offset,
            trainable: true,
          });
          const made = filled(hierarchy);
          const n = 9;
          const [coords, octaves] = pathOf(made, n, 4, -0.05);
          // Off the borders, where differences see one side only.
          octaves.forEach((o, i) => {
            if (Number.isInteger(o)) octaves[i] = Math.min(o + 0.3, 0.7);
          });
          const v = randomArray(n * 2, random(8));
          const loss = (at: ArrayLike<number>, o: ArrayLike<number>) => {
            let sum = 0;
            for (let i = 0; i < n; i++) {
              const p = [at[3 * i], at[3 * i + 1], at[3 * i + 2]];
              blendOracle(made, p, o[i]).forEach((s, c) => {
                sum += v[2 * i + c] * s;
              });
            }
            return sum;
          };
          const [c, o, weights] = [
            tf.tensor2d(coords, [n, 3]),
            tf.tensor1d(octaves),
            tf.tensor4d(v, [n, 1, 1, 2]),
          ];
          const f = (x: tf.Tensor, y: tf.Tensor) =>
            tf.sum(tf.mul(weights, hierarchy.sampleBatchBlended(x, y))) as tf.Scalar;
          const [gc, go] = tf.grads((x: tf.Tensor, y: tf.Tensor) => f(x, y))([c, o]);
          const step = 1e-5;
          const differences = (values: Float32Array, of: (moved: Float64Array) => number) =>
            Array.from(values, (_, i) => {
              const [up, down] = [Float64Array.from(values), Float64Array.from(values)];
              up[i] += step;
              down[i] -= step;
              return (of(up) - of(down)) / (2 * step);
            });
          for (const [got, want, name] of [
            [await gc.data(), differences(coords, (x) => loss(x, octaves)), 'coords'],
            [await go.data(), differences(octaves, (x) => loss(coords, x)), 'octaves'],
          ] as const) {
            expectClose(got, want, GRADIENT_TOLERANCE * magnitude(want), name);
          }
          const { grads, value } = tf.variableGrads(() => f(c, o), hierarchy.trainableVariables());
          for (const level of made.levels) {
            const cube = hierarchy.getMatrix(level.octave);
            const pages = cube.trainableVariables();
            const read = await Promise.all(pages.map((page) => grads[page.name].data()));
            const want: number[] = [];
            const got: number[] = [];
            for (const [x, y, z] of cube.positions()) {
              const { page, row } = cube.rowOf(x, y, z);
              const node = level.nodes[(x * level.dims[1] + y) * level.dims[2] + z];
              node.forEach((value, channel) => {
                // Linear in nodes: any step is exact.
                node[channel] = value + 1;
                const up = loss(coords, octaves);
                node[channel] = value;
                want.push(up - loss(coords, octaves));
                got.push(read[page][2 * row + channel]);
              });
            }
            expectClose(got, want, GRADIENT_TOLERANCE * magnitude(want), `nodes of ${level.octave}`);
          }
          tf.dispose([c, o, weights, gc, go, value, ...Object.values(grads)]);
          hierarchy.dispose();
        }));
    }

    it(`at a whole octave a sample is sampleAtOctave's to the bit, beyond the outermost theirs, ${basis}`, () =>
      withoutLeaks(async () => {
        const hierarchy = new OctaveHierarchy(3, 3, 2, { ...TABLES, basis });
        const next = random(4);
        for (const octave of hierarchy.octaves) {
          const cube = hierarchy.getMatrix(octave);
          const [h, w] = cube.resolution;
          for (let x = 0; x < 3; x++)
            for (let y = 0; y < 3; y++)
              for (let z = 0; z < 2; z++) cube.setNode(x, y, z, randomArray(h * w * 2, next));
        }
        const resolution = hierarchy.resolution;
        const at = [1.3, 0.4, 0.9] as const;
        const samples = hierarchy.octaves.map((o) => hierarchy.sampleAtOctave(o, ...at, { resolution }));
        for (const [i, octave] of hierarchy.octaves.entries()) {
          const got = hierarchy.sampleBlended(...at, octave);
          const batch = hierarchy.sampleBatchBlended([[...at]], [octave]);
          expect([...(await got.data())]).to.deep.equal([...(await samples[i].data())]);
          expectClose(await batch.data(), await samples[i].data(), 0);
          tf.dispose([got, batch]);
        }
        for (const [octave, i] of [
          [-7.5, 0],
          [9, 2],
        ]) {
          const got = hierarchy.sampleBlended(...at, octave);
          expectClose(await got.data(), await samples[i].data(), 0, `octave ${octave}`);
          got.dispose();
        }
        const middle = hierarchy.sampleBlended(...at, 1);
        const [low, high] = [await samples[1].data(), await samples[2].data()];
        expectClose(
          await middle.data(),
          low.map((v, i) => 0.75 * v + 0.25 * high[i]),
          BLEND_TOLERANCE * magnitude(high),
        );
        // Levels of basis 'levels' are the cubes; of 'laplacian' their sum.
        const own = hierarchy.octaves.map((o) => hierarchy.getMatrix(o).sample(...at, { resolution }));
        const expected =
          basis === 'levels'
            ? await own[2].data()
            : (await Promise.all(own.map((t) => t.data()))).reduce((a, b) => a.map((v, i) => v + b[i]));
        expectClose(await samples[2].data(), expected, BLEND_TOLERANCE * magnitude(expected));
        tf.dispose([...samples, middle, ...own]);
        hierarchy.dispose();
      }));
  }

  it('the derivative at an octave is the right-hand one, at the last the left-hand one, beyond the ends 0', () =>
    withoutLeaks(async () => {
      for (const basis of BASES) {
        const hierarchy = new OctaveHierarchy(4, 3, 2, { ...FEATURES, basis });
        const made = filled(hierarchy);
        const p = [1.3, 0.6, 0.4];
        const places = [-1.5, -1, 0, 2, 2.5];
        const coords = tf.tensor2d(places.map(() => p));
        const octaves = tf.tensor1d(places);
        const g = tf.grad((o) => tf.sum(hierarchy.sampleBatchBlended(coords, o as tf.Tensor1D)))(octaves);
        const sum = (o: number) => blendOracle(made, p, o).reduce((a, b) => a + b);
        const slope = (a: number, b: number) => (sum(b) - sum(a)) / (b - a);
        expectClose(await g.data(), [0, slope(-1, 0), slope(0, 2), slope(0, 2), 0], 1e-5);
        tf.dispose([coords, octaves, g]);
        hierarchy.dispose();
      }
    }));

  it('a coordinate or an octave that is not finite makes its row NaN and its gradients zero', () =>
    withoutLeaks(async () => {
      const hierarchy = new OctaveHierarchy(4, 3, 2, { ...FEATURES, offset: 'half-cell', trainable: true });
      filled(hierarchy);
      const good = [1.2, 0.7, 0.5];
      const coords = tf.tensor2d([good, [Number.NaN, 0, 0], good, [0, Number.POSITIVE_INFINITY, 0], good]);
      const octaves = tf.tensor1d([0.5, 0.5, Number.NaN, 1, Number.POSITIVE_INFINITY]);
      const out = hierarchy.sampleBatchBlended(coords, octaves);
      const host = hierarchy.sampleBatchBlended(
        Float32Array.from(await coords.data()),
        Float32Array.from(await octaves.data()),
      );
      for (const t of [out, host]) {
        const values = await t.data();
        expect([...values].map(Number.isNaN)).to.deep.equal([
          ...[false, false, true, true, true, true, true, true, true, true],
        ]);
      }
      const [gc, go] = tf.grads((c: tf.Tensor, o: tf.Tensor) =>
        tf.sum(hierarchy.sampleBatchBlended(c, o as tf.Tensor1D)),
      )([coords, octaves]);
      const [dc, dout] = [await gc.data(), await go.data()];
      expect([...dc.slice(0, 3)].every((v) => Number.isFinite(v) && v !== 0)).to.equal(true);
      expectClose(dc.slice(3), new Float32Array(12), 0, 'coords');
      expect(Number.isFinite(dout[0]) && dout[0] !== 0).to.equal(true);
      expectClose(dout.slice(1), new Float32Array(4), 0, 'octaves');
      tf.dispose([coords, octaves, out, host, gc, go]);
      const empty = hierarchy.sampleBatchBlended([], []);
      expect(empty.shape).to.deep.equal([0, 1, 1, 2]);
      empty.dispose();
      hierarchy.dispose();
    }));

  it('every boundary acts at the ends of the shared axes, whatever grid a level has', () =>
    withoutLeaks(async () => {
      for (const boundary of BOUNDARIES.filter((b) => b !== 'error')) {
        for (const offset of OFFSETS) {
          const hierarchy = new OctaveHierarchy(4, 3, 1, { ...FEATURES, boundary, offset });
          const made = filled(hierarchy, boundary);
          const [coords, octaves] = pathOf(made, 40, 6, 2.3);
          const tensor = tf.tensor2d(coords, [40, 3]);
          const want = wanted(made, coords, octaves);
          for (const given of [coords, tensor]) {
            const out = hierarchy.sampleBatchBlended(given, octaves);
            expectClose(
              await out.data(),
              want,
              8 * BLEND_TOLERANCE * magnitude(want),
              `${boundary}, offset ${offset}`,
            );
            out.dispose();
          }
          tensor.dispose();
          hierarchy.dispose();
        }
      }
    }));

  it("boundary 'error' refuses what lies outside the shared axes, and takes their very ends", () =>
    withoutLeaks(async () => {
      for (const offset of OFFSETS) {
        const hierarchy = new OctaveHierarchy(4, 3, 1, { ...FEATURES, boundary: 'error', offset });
        const made = filled(hierarchy, 'error');
        const ends = Float32Array.from([0, 0, 0, 3, 2, 0]);
        const out = hierarchy.sampleBatchBlended(ends, [2, 2]);
        expectClose(await out.data(), wanted(made, ends, [2, 2]), BLEND_TOLERANCE);
        out.dispose();
        expect(() => hierarchy.sampleBatchAtOctave(2, [[3.1, 0, 0]])).to.throw(CoordinateError, '[0, 3]');
        expect(() => hierarchy.sampleAtOctave(2, 0, -0.01, 0)).to.throw(CoordinateError, '[0, 2]');
        hierarchy.dispose();
      }
    }));

  it('the levels of a wavetable add up to it, to a rounding; each sum is the wavetable band-limited', () =>
    withoutLeaks(async () => {
      for (const [h, w, periodic] of [
        [8, 32, { w: true }],
        [5, 27, {}],
        [1, 64, { h: true, w: true }],
      ] as const) {
        const next = random(h + w);
        const wavetable = tf.tensor3d(randomArray(h * w * 2, next, -3, 3), [h, w, 2]);
        const made = OctaveHierarchy.fromWavetable(wavetable, { periodic });
        expect(made.basis).to.equal('laplacian');
        const back = made.reconstruct(0, 0, 0);
        expect(back.shape).to.deep.equal([h, w, 2]);
        expectClose(await back.data(), await wavetable.data(), 2 ** -22 * 3, 'sum');
        for (const octave of made.octaves) {
          const [rows, columns] = made.getMatrix(octave).resolution;
          const limited = tf.tidy(() =>
            resample(wavetable.expandDims(0) as tf.Tensor4D, rows, columns, periodic),
          );
          const got = made.sampleAtOctave(octave, 0, 0, 0);
          expectClose(await got.data(), await limited.data(), 2e-6, `octave ${octave}`);
          tf.dispose([limited, got]);
        }
        tf.dispose([wavetable, back]);
        made.dispose();
      }
    }));

  it('setFromWavetable makes the pyramid at one node of many, in both bases', () =>
    withoutLeaks(async () => {
      for (const basis of BASES) {
        const made = new OctaveHierarchy(2, 3, 2, { ...TABLES, basis });
        const table = randomArray(32 * 2, random(2));
        made.setFromWavetable(1, 2, 0, table);
        const back = made.reconstruct(1, 2, 0);
        expectClose(await back.data(), table, 2 ** -22, basis);
        expect(made.octaves.map((o) => made.getMatrix(o).nodeCount)).to.deep.equal([1, 1, 1]);
        expect(() => made.setFromWavetable(0, 0, 0, new Float32Array(3))).to.throw(ShapeError, '1, 32, 2');
        expect(() => made.setFromWavetable(2, 0, 0, table)).to.throw(CoordinateError);
        back.dispose();
        made.dispose();
      }
      const other = new OctaveHierarchy(2, 3, 2, FEATURES);
      expect(() => other.setFromWavetable(0, 0, 0, [1, 2])).to.throw(ArgumentError, 'setFromField');
      other.dispose();
    }));

  it('setFromField: at the nodes of the finest octave the sum is the field, in both bases', () =>
    withoutLeaks(async () => {
      const field = (coords: tf.Tensor2D) =>
        tf.tidy(() => {
          const x = tf.slice(coords, [0, 0], [-1, 1]);
          const y = tf.slice(coords, [0, 1], [-1, 1]);
          return tf.concat([tf.sin(tf.mul(x, y)), tf.cos(tf.add(x, y))], 1).reshape([-1, 1, 1, 2]);
        }) as tf.Tensor4D;
      for (const basis of BASES) {
        const made = new OctaveHierarchy(4, 3, 1, { ...FEATURES, basis, offset: 'half-cell' });
        await made.setFromField(field);
        const at = [...made.getMatrix(2).positions()].map((node) => made.nodePosition(2, ...node));
        // The outermost nodes of a shifted grid lie beyond the ends, where samples clamp.
        const inside = at.filter(([x, y]) => x >= 0 && x <= 3 && y >= 0 && y <= 2);
        expect(inside.length).to.be.above(at.length / 2);
        const out = made.sampleBatchAtOctave(2, inside);
        const want = tf.tidy(() => field(tf.tensor2d(inside)));
        expectClose(await out.data(), await want.data(), 3e-6, basis);
        tf.dispose([out, want]);
        made.dispose();
      }
    }));

  it('octaves of fewer channels add to the first ones in a Laplacian, and do not blend otherwise', () =>
    withoutLeaks(async () => {
      const octaves = { 2: { channels: 1 } };
      const made = new OctaveHierarchy(4, 3, 2, { ...FEATURES, octaves, basis: 'laplacian' });
      const reference = filled(made);
      const [coords, at] = pathOf(reference, 20, 9);
      const out = made.sampleBatchBlended(coords, at);
      expectClose(await out.data(), wanted(reference, coords, at), BLEND_TOLERANCE);
      const second = made.sampleBatchBlended(coords, at, { channels: [1] });
      expect(second.shape).to.deep.equal([20, 1, 1, 1]);
      tf.dispose([out, second]);
      made.dispose();
      const levels = new OctaveHierarchy(4, 3, 2, { ...FEATURES, octaves });
      filled(levels);
      expect(() => levels.sampleBlended(0, 0, 0, 1)).to.throw(ArgumentError, 'laplacian');
      const own = levels.sampleAtOctave(2, 0, 0, 0);
      expect(own.shape).to.deep.equal([1, 1, 1]);
      own.dispose();
      levels.dispose();
    }));

  it('with axes, coordinates are those of the axes, on every octave', () =>
    withoutLeaks(async () => {
      const made = new OctaveHierarchy(3, 3, 2, { ...TABLES, axes: { x: [-1, 0, 4] }, boundary: 'error' });
      const plain = new OctaveHierarchy(3, 3, 2, TABLES);
      const next = random(4);
      for (const octave of made.octaves) {
        const size = made.getMatrix(octave).resolution[1] * 2;
        for (const [x, y, z] of [
          [1, 0, 0],
          [2, 0, 0],
        ]) {
          const node = randomArray(size, next);
          made.getMatrix(octave).setNode(x, y, z, node);
          plain.getMatrix(octave).setNode(x, y, z, node);
        }
      }
      const [one, two] = [made.sampleBlended(3, 0, 0, 1.5), plain.sampleBlended(1.75, 0, 0, 1.5)];
      expectClose(await one.data(), await two.data(), BLEND_TOLERANCE);
      expect(() => made.sampleBlended(4.1, 0, 0, 1.5)).to.throw(CoordinateError);
      const ends = made.normalized([
        [0, 0, 0],
        [1, 1, 1],
      ]);
      expect([...(await ends.data())]).to.deep.equal([-1, 0, 0, 4, 2, 1]);
      tf.dispose([one, two, ends]);
      made.dispose();
      plain.dispose();
    }));

  it('sampleMultiOctave gives each octave of an inclusive range at its own resolution, and what was asked for otherwise', () =>
    withoutLeaks(async () => {
      const made = new OctaveHierarchy(2, 2, 2, TABLES);
      const all = made.sampleMultiOctave(0.5, 0.5, 0.5);
      expect(made.octaves.map((o) => all[o].shape)).to.deep.equal([
        [1, 4, 2],
        [1, 16, 2],
        [1, 32, 2],
      ]);
      const some = made.sampleMultiOctave(0.5, 0.5, 0.5, [-1, 4], { resolution: 2 });
      expect(Object.keys(some)).to.have.members(['0', '4']);
      expect(some[4].shape).to.deep.equal([2, 2, 2]);
      const batch = made.sampleBatchMultiOctave([[0, 0, 0]], [0, 0]);
      expect(batch[0].shape).to.deep.equal([1, 1, 16, 2]);
      expect(made.sampleMultiOctave(0, 0, 0, [1, 3])).to.deep.equal({});
      expect(() => made.sampleMultiOctave(0, 0, 0, [3, 1])).to.throw(ArgumentError, 'range');
      tf.dispose([all, some, batch]);
      made.dispose();
    }));

  it('quaternions between octaves have unit length with blend nlerp, in both bases', () =>
    withoutLeaks(async () => {
      for (const basis of BASES) {
        const made = new OctaveHierarchy(3, 3, 2, { ...FEATURES, channels: 4, blend: 'nlerp', basis });
        filled(made);
        const out = made.sampleBatchBlended(
          [
            [0.3, 1.2, 0.8],
            [1.9, 0.1, 0.2],
          ],
          [0.7, 1.2],
        );
        const norms = tf.tidy(() => tf.sum(tf.square(out), 3).flatten());
        expectClose(await norms.data(), [1, 1], 2e-6);
        tf.dispose([out, norms]);
        made.dispose();
      }
    }));

  it('an optimiser trains the nodes of all octaves, and the octave of each sample', () =>
    withoutLeaks(async () => {
      const made = new OctaveHierarchy(3, 3, 1, {
        ...FEATURES,
        basis: 'laplacian',
        sparse: false,
        trainable: true,
      });
      expect(made.trainableVariables().map((v) => v.shape[0])).to.deep.equal(
        made.octaves.map((o) => made.getMatrix(o).nodeCount),
      );
      const coords = tf.tensor2d(randomArray(60, random(1), 0, 2), [20, 3]);
      const target = tf.randomUniform([20, 1, 1, 2], -1, 1, 'float32', 3);
      const octave = tf.tidy(() => tf.variable(tf.fill([20], 0.5) as tf.Tensor1D));
      const adam = tf.train.adam(0.05);
      const losses: number[] = [];
      const loss = () =>
        tf.mean(
          tf.square(tf.sub(made.sampleBatchBlended(coords, octave as tf.Tensor1D), target)),
        ) as tf.Scalar;
      for (let i = 0; i < 12; i++) {
        const value = adam.minimize(loss, true, [...made.trainableVariables(), octave])!;
        losses.push((await value.data())[0]);
        value.dispose();
      }
      expect(losses[11]).to.be.below(losses[0] / 2);
      const moved = await octave.data();
      expect([...moved].some((o) => Math.abs(o - 0.5) > 0.05)).to.equal(true);
      adam.dispose();
      tf.dispose([coords, target, octave]);
      made.dispose();
    }));

  it('each octave is compressed by its own codec, and the bytes are counted together', () =>
    withoutLeaks(async () => {
      const made = new OctaveHierarchy(2, 1, 1, {
        octaveLevels: [-2, 0, 4],
        baseResolution: 16,
        channels: 1,
        compression: 'dct',
        octaves: { [-2]: { compression: null }, 4: { compression: { method: 'quantized', quality: 0.99 } } },
      });
      for (const octave of made.octaves) {
        const cube = made.getMatrix(octave);
        const [h, w] = cube.resolution;
        const smooth = (x: number) =>
          Float32Array.from({ length: h * w }, (_, i) => Math.sin(x + (3 * i) / (h * w)));
        for (let x = 0; x < 2; x++) cube.setNode(x, 0, 0, smooth(x));
      }
      const reports = await made.settle();
      expect(reports[-2]).to.have.length(0);
      expect(made.octaves.map((o) => made.getMatrix(o).getCodec(1, 0, 0))).to.deep.equal([
        null,
        'dct',
        'quantized',
      ]);
      const usage = made.getMemoryUsage();
      const cubes = made.octaves.map((o) => made.getMatrix(o).getMemoryUsage());
      expect(usage.nodes).to.equal(6);
      expect(usage.storedBytes).to.equal(cubes.reduce((sum, u) => sum + u.storedBytes, 0));
      expect(made.getCompressionRatio()).to.be.above(2);
      const out = made.sampleBlended(0.5, 0, 0, 2.2);
      expect((await out.data()).every(Number.isFinite)).to.equal(true);
      out.dispose();
      const all = await made.compressAll({ method: 'lossless', quality: 1 });
      expect(all[-2]).to.have.length(2);
      made.dispose();
    }));

  for (const basis of BASES) {
    for (const offset of OFFSETS) {
      for (const method of METHODS) {
        it(`no seams: steps across octave and cell borders are at most twice those inside, ${basis}, offset ${offset}, ${method}`, () =>
          withoutLeaks(async () => {
            const hierarchy = new OctaveHierarchy(4, 3, 1, {
              ...FEATURES,
              octaveLevels: [-1, 0, 1],
              basis,
              offset,
            });
            const made = filled(hierarchy);
            const step = 1e-4;
            const n = 26_000;
            const coords = new Float32Array(3 * n);
            const octaves = new Float32Array(n);
            for (let i = 0; i < n; i++) {
              // Beyond the outermost octaves and the ends of x at both ends of the path.
              coords[3 * i] = -0.05 + (3.1 * i) / n;
              coords[3 * i + 1] = 0.3 + 0.5 * step * i;
              octaves[i] = -1.2 + step * i;
            }
            const out = hierarchy.sampleBatchBlended(coords, octaves, { method });
            const values = await out.data();
            out.dispose();
            // A step crosses a border if its ends lie on different sides of an octave, a node, or an end.
            const side = (i: number) => {
              const places = made.levels.flatMap(({ origin, cell }) =>
                [0, 1].map((j) => Math.floor((coords[3 * i + j] - origin[j]) / cell[j])),
              );
              const o = Math.min(Math.max(Math.floor(octaves[i]), -2), 1);
              return [...places, o, coords[3 * i] < 0, coords[3 * i] > 3, octaves[i] > 1].join();
            };
            let [inside, across, crossings] = [0, 0, 0];
            let before = side(0);
            for (let i = 1; i < n; i++) {
              const now = side(i);
              for (let c = 0; c < 2; c++) {
                const size = Math.abs(values[2 * i + c] - values[2 * i - 2 + c]);
                if (now === before) inside = Math.max(inside, size);
                else across = Math.max(across, size);
              }
              if (now !== before) crossings++;
              before = now;
            }
            expect(crossings).to.be.at.least(12);
            expect(inside).to.be.within(1e-5, 1e-2);
            expect(across / inside).to.be.below(2);
            hierarchy.dispose();
          }));
      }
    }
  }

  it('a clone has its own nodes; a disposed hierarchy refuses', () =>
    withoutLeaks(async () => {
      const made = new OctaveHierarchy(3, 2, 1, { ...FEATURES, basis: 'laplacian', offset: 'half-cell' });
      filled(made);
      const twin = made.clone();
      const at = [0.4, 0.9, 0] as const;
      const before = twin.sampleBlended(...at, 0.6);
      made.getMatrix(0).setNode(0, 0, 0, [9, 9]);
      made.dispose();
      made.dispose();
      const after = twin.sampleBlended(...at, 0.6);
      expectClose(await after.data(), await before.data(), 0);
      expect(() => made.sampleBlended(...at, 0)).to.throw(DisposedError);
      expect(() => made.getMatrix(0)).to.throw(DisposedError);
      expect(made.disposed).to.equal(true);
      tf.dispose([before, after]);
      twin.dispose();
    }));

  it('moves to another backend and back with the same nodes', () =>
    withoutLeaks(async () => {
      const made = new OctaveHierarchy(3, 2, 1, { ...FEATURES, trainable: true });
      filled(made);
      const here = made.backend;
      const at = [0.4, 0.9, 0] as const;
      const before = made.sampleBlended(...at, 0.6);
      const want = await before.data();
      await made.toBackend(here === 'cpu' ? 'wasm' : 'cpu');
      expect(made.octaves.every((o) => made.getMatrix(o).backend === made.backend)).to.equal(true);
      const there = made.sampleBlended(...at, 0.6);
      expectClose(await there.data(), want, SAMPLE_TOLERANCE);
      await made.toBackend(here);
      const after = made.sampleBlended(...at, 0.6);
      expectClose(await after.data(), want, 0);
      tf.dispose([before, there, after]);
      made.dispose();
    }));

  it('bad input is refused by name, before anything changes', () =>
    withoutLeaks(() => {
      const make = (options: unknown) => () =>
        new OctaveHierarchy(2, 2, 2, { resolution: 1, ...(options as OctaveHierarchyOptions) });
      const cases: [unknown, string][] = [
        [{ octaveLevels: [] }, 'octaveLevels'],
        [{ octaveLevels: [0, 0] }, 'different'],
        [{ octaveLevels: [0.5] }, 'integers'],
        [{ octaveLevels: 3 }, 'octaveLevels'],
        [{ basis: 'gauss' }, 'levels, laplacian'],
        [{ offset: 'half' }, 'half-cell'],
        [{ gridScale: 0 }, 'gridScale'],
        [{ gridScale: [1, 2] }, 'gridScale'],
        [{ baseResolution: 4 }, 'one of them'],
        [{ octaves: { 7: {} } }, "'7'"],
        [{ octaves: { 0: { boundary: 'wrap' } } }, "'boundary'"],
        [{ octaves: { 0: { grid: [2, 2] } } }, 'grid'],
        [{ octaves: { 0: { resolution: -1 } } }, 'resolution'],
        [{ channels: 0 }, 'channels'],
        [{ octave: [1] }, "'octave'"],
        [{ axes: { x: [0, 3] }, gridScale: 2, octaveLevels: [0, 1] }, 'index space'],
      ];
      for (const [options, words] of cases) {
        expect(make(options), JSON.stringify(options)).to.throw(ArgumentError, words);
      }
      const made = new OctaveHierarchy(2, 2, 2, FEATURES);
      expect(() => made.getMatrix(1)).to.throw(ArgumentError, '-1, 0, 2, got 1');
      expect(() => made.sampleAtOctave(0.5, 0, 0, 0)).to.throw(ArgumentError, 'sampleBlended');
      expect(() => made.sampleBlended(0, 0, 0, Number.NaN)).to.throw(CoordinateError, 'octave');
      expect(() => made.sampleBlended(0, Number.NaN, 0, 0)).to.throw(CoordinateError);
      expect(() => made.sampleBatchBlended([[0, 0, 0]], [0, 1])).to.throw(ShapeError, '[1]');
      expect(() => made.sampleBatchBlended([[0, 0, 0]], ['1'] as never)).to.throw(
        ArgumentError,
        'octaves[0]',
      );
      expect(() => made.sampleBatchBlended([[0, 0]], 0)).to.throw(ShapeError);
      expect(() => made.sampleBlended(0, 0, 0, 0, { method: 'cubic' } as never)).to.throw(
        ArgumentError,
        'method',
      );
      expect(() => made.sampleBlended(0, 0, 0, 0, { size: 1 } as never)).to.throw(ArgumentError, "'size'");
      const ints = tf.tensor1d([1], 'int32');
      expect(() => made.sampleBatchBlended([[0, 0, 0]], ints)).to.throw(ArgumentError, 'float32');
      ints.dispose();
      made.dispose();
    }));
});

eachBackend('octaves, any grids', () => {
  it('a level of any size lies so that its ends, or its periods, meet those of the axis', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 9 }),
        fc.integer({ min: 2, max: 12 }),
        fc.constantFrom<Boundary>('clamp', 'wrap', 'reflect', 'zero', 'extrapolate'),
        fc.boolean(),
        (n, m, boundary, shifted) => {
          const made = new OctaveHierarchy(n, 1, 1, {
            octaveLevels: [0],
            resolution: 1,
            channels: 1,
            boundary,
            octaves: {
              0: {
                grid: [shifted && boundary !== 'wrap' ? m + 1 : m, 1, 1],
                offset: shifted ? 'half-cell' : 'none',
              },
            },
          });
          const nodes = made.getMatrix(0).width;
          const at = Array.from({ length: nodes }, (_, x) => made.nodePosition(0, x, 0, 0)[0]);
          const cell = at[1] - at[0];
          const half = shifted ? cell / 2 : 0;
          expect(at[0]).to.be.closeTo(-half, 1e-9);
          if (boundary === 'wrap') expect(nodes * cell).to.be.closeTo(n, 1e-9);
          else expect(at[nodes - 1]).to.be.closeTo(n - 1 + half, 1e-9);
          made.dispose();
        },
      ),
      { numRuns: 60 },
    );
  });
}, ['cpu']);

eachBackend('octaves and optimisers', () => {
  const ALIKE: OctaveHierarchyOptions = { octaveLevels: [0, 4], resolution: 1, channels: 1, trainable: true };

  it('an octave that a batch does not need keeps its place: its gradients are zeros', () =>
    withoutLeaks(async () => {
      for (const basis of BASES) {
        const hierarchy = new OctaveHierarchy(3, 1, 1, { ...ALIKE, basis, sparse: false });
        const variables = hierarchy.trainableVariables();
        const adam = tf.train.adam(0.1);
        // Found by the optimiser itself, which counts those that get a gradient.
        for (const octave of [0, 4, 0]) {
          adam.minimize(() => {
            const samples = hierarchy.sampleBatchBlended([[0, 0, 0]], octave);
            return tf.sum(tf.square(tf.sub(samples, 1))) as tf.Scalar;
          });
        }
        const names = adam.getWeights();
        const { grads, value } = tf.variableGrads(
          () => tf.sum(hierarchy.sampleBatchAtOctave(0, [[1, 0, 0]])) as tf.Scalar,
        );
        expect(Object.keys(grads)).to.deep.equal(variables.map(({ name }) => name));
        expect([...(await grads[variables[0].name].data())]).to.deep.equal([0, 1, 0]);
        expect([...(await grads[variables[1].name].data())]).to.deep.equal([0, 0, 0]);
        for (const { tensor } of (await names).filter(({ name }) => name === 'iter')) tensor.dispose();
        adam.dispose();
        tf.dispose([grads, value]);
        hierarchy.dispose();
      }
    }));

  it('new pages come last, whatever their octave', () =>
    withoutLeaks(() => {
      const hierarchy = new OctaveHierarchy(3, 1, 1, ALIKE);
      hierarchy.getMatrix(4).setNode(0, 0, 0, [1]);
      const before = hierarchy.trainableVariables();
      hierarchy.getMatrix(0).setNode(0, 0, 0, [1]);
      const after = hierarchy.trainableVariables();
      expect(after.length).to.equal(2);
      expect(after[0]).to.equal(before[0]);
      hierarchy.dispose();
    }));
});

eachBackend('octaves with axes', () => {
  const AXES: OctaveHierarchyOptions = {
    ...{ octaveLevels: [0, 4], resolution: 1, channels: 1, basis: 'laplacian' },
    axes: { x: { positions: [0, 10, 25], trainable: true }, y: { min: -1, max: 1 } },
  };

  it('take fields, and say where nodes are, in the coordinates of their axes', () =>
    withoutLeaks(async () => {
      const hierarchy = new OctaveHierarchy(3, 2, 1, AXES);
      await hierarchy.setFromField((coords) =>
        tf.sum(tf.mul(coords, tf.tensor1d([1, 100, 0])), 1).reshape([-1, 1, 1, 1]),
      );
      const samples = hierarchy.sampleBatchAtOctave(4, [
        [10, 1, 0],
        [25, -1, 0],
        [5, 0, 0],
      ]);
      expectClose(await samples.data(), [110, -75, 5], 1e-3);
      samples.dispose();
      const place = hierarchy.nodePosition(0, 1, 1, 0);
      expectClose(place, [10, 1, 0], 1e-4);
      hierarchy.dispose();
    }));

  it('are saved as they were trained', () =>
    withoutLeaks(async () => {
      const hierarchy = new OctaveHierarchy(3, 2, 1, AXES);
      for (const variable of hierarchy.axisVariables()) tf.tidy(() => variable.assign(tf.tensor1d([0, 0])));
      const read = await OctaveHierarchy.fromBytes(await hierarchy.toBytes());
      for (const octave of read.octaves) {
        const positions = read.getMatrix(octave).axisPositions('x');
        expectClose(await positions.data(), [0, 12.5, 25], 1e-4);
        positions.dispose();
      }
      read.dispose();
      hierarchy.dispose();
    }));

  it('are refused for grids of their own, in what was stored too', () =>
    withoutLeaks(() => {
      const hierarchy = new OctaveHierarchy(3, 2, 1, AXES);
      const stored = hierarchy.stored();
      expect(() => OctaveHierarchy.fromStored({ ...stored, width: 5 })).to.throw(ArgumentError, 'axes');
      expect(() => new OctaveHierarchy(3, 2, 1, { ...AXES, gridScale: 2 })).to.throw(ArgumentError, 'axes');
      hierarchy.dispose();
    }));

  it('leave nothing behind where one of them cannot be cloned', () =>
    withoutLeaks(() => {
      const mixed = { ...TABLES, octaves: { 4: { dtype: 'float16' as const } }, sparse: false };
      const hierarchy = new OctaveHierarchy(2, 1, 1, mixed);
      const before = tf.memory().numTensors;
      expect(() => hierarchy.clone({ trainable: true })).to.throw(ArgumentError, 'float16');
      expect(() => hierarchy.clone({ dtype: 'float16' } as never)).to.throw(ArgumentError, 'dtype');
      expect(tf.memory().numTensors).to.equal(before);
      hierarchy.dispose();
    }));
});
