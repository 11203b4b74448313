import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { decode } from 'fast-png';
import { ArgumentError, CoordinateError, encodePng, ShapeError, WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';

const pixel = (data: ArrayLike<number>, width: number, row: number, column: number) =>
  [0, 1, 2].map((c) => data[(row * width + column) * 3 + c]);

eachBackend('visualizeSlice', () => {
  it('puts each node where it belongs, the least in the map’s first colour, the largest in its last', () =>
    withoutLeaks(async () => {
      const cube = new WavetableMatrix(3, 2, 2, { resolution: [1, 2], channels: 1 });
      cube.setNode(0, 0, 1, [-1, -1]);
      cube.setNode(2, 1, 1, [3, 3]);
      const image = cube.visualizeSlice({ axis: 'z', index: 1, tile: 4 });
      expect(image.shape).to.deep.equal([10, 15, 3]);
      const data = await image.data();
      const near = (got: number[], want: number[]) => {
        for (const [c, v] of got.entries()) expect(v * 255).to.be.closeTo(want[c], 1);
      };
      near(pixel(data, 15, 1, 1), [68, 1, 84]);
      near(pixel(data, 15, 6, 11), [253, 231, 37]);
      // No node there: dark; so is the line between two tiles.
      near(pixel(data, 15, 1, 6), [33, 33, 33]);
      near(pixel(data, 15, 1, 4), [33, 33, 33]);
      const across = cube.visualizeSlice({ axis: 'x', index: 2, tile: 4, range: [3, 4] });
      expect(across.shape).to.deep.equal([10, 10, 3]);
      near(pixel(await across.data(), 10, 6, 6), [68, 1, 84]);
      tf.dispose([image, across]);
      cube.dispose();
    }));

  it('shows the nodes of a cube whose axes have coordinates of their own, trained ones too', () =>
    withoutLeaks(async () => {
      const images: Float32Array[] = [];
      const stated = [{}, { x: [0, 10, 25] }, { x: { min: -5, max: 7 } }];
      for (const axes of [...stated, { x: { positions: [1, 2, 40], trainable: true } }]) {
        const cube = new WavetableMatrix(3, 1, 1, { resolution: 1, channels: 1, axes });
        for (const x of [0, 1, 2]) cube.setNode(x, 0, 0, [x]);
        for (const variable of cube.axisVariables()) tf.tidy(() => variable.assign(tf.tensor1d([0.5, -0.5])));
        const image = cube.visualizeSlice({ tile: 1 });
        images.push(await image.data<'float32'>());
        image.dispose();
        cube.dispose();
      }
      for (const image of images.slice(1)) expect([...image]).to.deep.equal([...images[0]]);
    }));

  it('shows a three-channel cube in its own colours, and an empty slice dark', () =>
    withoutLeaks(async () => {
      const cube = new WavetableMatrix(1, 1, 2, { resolution: 2, channels: 3 });
      cube.setNode(0, 0, 0, [1, 0, 0.5, 1, 0, 0.5, 1, 0, 0.5, 1, 0, 0.5]);
      const image = cube.visualizeSlice({ tile: 2 });
      const dark = cube.visualizeSlice({ tile: 2, index: 1 });
      expect(pixel(await image.data(), 3, 0, 0)).to.deep.equal([1, 0, 0.5]);
      expect(Math.max(...(await dark.data()))).to.be.below(0.2);
      tf.dispose([image, dark]);
      cube.dispose();
    }));

  it('becomes a PNG that decodes to the same pixels', () =>
    withoutLeaks(async () => {
      const image = tf.tensor3d([0, 0.5, 1, 2, -1, 0.25], [1, 2, 3]);
      const png = decode(await encodePng(image));
      expect([png.width, png.height, png.channels]).to.deep.equal([2, 1, 3]);
      expect([...png.data]).to.deep.equal([0, 128, 255, 255, 0, 64]);
      image.dispose();
    }));

  it('refuses what does not fit', async () => {
    const cube = new WavetableMatrix(2, 2, 2, { resolution: 2, channels: 2 });
    expect(() => cube.visualizeSlice({ index: 2 })).to.throw(CoordinateError, '[0, 2)');
    expect(() => cube.visualizeSlice({ axis: 'w' as never })).to.throw(ArgumentError, "'x', 'y' or 'z'");
    expect(() => cube.visualizeSlice({ channel: 2 })).to.throw(ArgumentError, 'channel');
    expect(() => cube.visualizeSlice({ channel: 'rgb' })).to.throw(ArgumentError, 'channel');
    expect(() => cube.visualizeSlice({ colormap: 'jet' as never })).to.throw(ArgumentError, 'viridis');
    expect(() => cube.visualizeSlice({ tile: 0 })).to.throw(ArgumentError, 'tile');
    cube.dispose();
    const wrong = tf.zeros([2, 2, 2]) as tf.Tensor3D;
    let refused: unknown;
    await encodePng(wrong).catch((error) => {
      refused = error;
    });
    expect(refused).to.be.instanceOf(ShapeError);
    wrong.dispose();
  });
});
