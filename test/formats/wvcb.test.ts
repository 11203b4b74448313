import { expect } from 'chai';
import { wvcb } from '../../src/formats/wvcb.js';
import {
  ArgumentError,
  MultiResolutionWavetableMatrix,
  OctaveHierarchy,
  type OctaveHierarchyOptions,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { giveTangents, makeCube } from '../support/cubes.js';
import { filled } from '../support/octaves.js';
import { countedSink, failure, partsOf, storedOf, storedOfOctaves } from '../support/wvcb.js';

const LAYOUTS = [
  {},
  { dtype: 'float16' },
  { sparse: false, dims: [2, 3, 2] },
  { trainable: true },
  { missingPart: 0.5, pageBytes: 100 },
  { missingPart: 1 },
  {
    boundary: { x: 'wrap', y: 'reflect', z: 'zero' },
    axes: {
      x: { positions: [0, 1, 5], trainable: true, period: 7 },
      y: [1, 2, 4, 8],
      z: { min: -1, max: 1 },
    },
    missing: 'renormalize',
    periodic: { w: true },
    channels: 4,
    blend: 'nlerp',
    cacheBytes: 12345,
    compression: { method: 'dct', quality: { psnr: 40 } },
  },
] as const;

const METHODS = ['gaussian', 'dct', 'fft', 'wavelet', 'quantized', 'predictive', 'lossless'];

eachBackend('wvcb', () => {
  for (const layout of LAYOUTS) {
    for (const tangents of [false, true]) {
      it(`bytes → cube is bit-exact${tangents ? ', tangents too' : ''}, ${JSON.stringify(layout)}`, () =>
        withoutLeaks(async () => {
          const made = makeCube({ ...(layout as object), metadata: { note: 'ünïcode', list: [1, 2] } });
          if (tangents) giveTangents(made);
          const { cube } = made;
          const bytes = await cube.toBytes('wvcb');
          const back = await WavetableMatrix.fromBytes(bytes);
          expect(back.options).to.deep.equal(cube.options);
          expect([back.width, back.height, back.depth]).to.deep.equal([cube.width, cube.height, cube.depth]);
          expect(back.metadata).to.deep.equal(cube.metadata);
          expect(await storedOf(back)).to.deep.equal(await storedOf(cube));
          expect(await cube.toBytes('wavecube')).to.deep.equal(bytes);
          cube.dispose();
          back.dispose();
        }));
    }
  }

  it('mixed resolutions, and every codec at once, come back bit for bit', () =>
    withoutLeaks(async () => {
      const cube = new MultiResolutionWavetableMatrix(3, 3, 1, {
        resolution: 8,
        channels: 2,
        autoCompress: false,
      });
      for (let i = 0; i < 9; i++) {
        const [h, w] = [4 + i, 12 - i];
        const values = Float32Array.from({ length: h * w * 2 }, (_, k) =>
          Math.exp(-(((k % w) - w / 2) ** 2) / 9),
        );
        cube.setNode(i % 3, Math.floor(i / 3), 0, values, { resolution: [h, w] });
      }
      for (const [i, method] of METHODS.entries()) {
        await cube.compressNode(i % 3, Math.floor(i / 3), 0, { method, quality: 0.5 });
      }
      const bytes = await cube.toBytes('wvcb');
      expect(bytes[32], 'several').to.equal(255);
      const back = await WavetableMatrix.fromBytes(bytes);
      expect(back).to.be.instanceOf(MultiResolutionWavetableMatrix);
      expect(back.options).to.deep.equal(cube.options);
      expect(await storedOf(back)).to.deep.equal(await storedOf(cube));
      expect(back.getResolution(2, 0, 0)).to.deep.equal([6, 10]);
      cube.dispose();
      back.dispose();
    }));

  const hierarchies: OctaveHierarchyOptions[] = [
    { octaveLevels: [-1, 0, 2], gridScale: 2, resolution: 1, channels: 2 },
    {
      octaveLevels: [-1, 0, 2],
      gridScale: 2,
      resolution: 1,
      channels: 3,
      basis: 'laplacian',
      offset: 'half-cell',
      boundary: { x: 'wrap', y: 'reflect', z: 'clamp' },
      trainable: true,
      octaves: { 2: { channels: 1, grid: [7, 5, 3] }, [-1]: { offset: 'none' } },
    },
  ];
  for (const layout of hierarchies) {
    it(`bytes → hierarchy is bit-exact, ${layout.basis ?? 'levels'}`, () =>
      withoutLeaks(async () => {
        const made = new OctaveHierarchy(4, 3, 2, { ...layout, metadata: { note: 'ünïcode' } });
        const { boundary } = made.getMatrix(0).options;
        filled(made, (boundary as { x: 'clamp' }).x);
        made.getMatrix(0).metadata = { level: 0 };
        const bytes = await made.toBytes('wvcb');
        const back = await OctaveHierarchy.fromBytes(bytes);
        expect(back.octaves).to.deep.equal(made.octaves);
        expect([back.width, back.height, back.depth, back.channels, back.basis]).to.deep.equal([
          4,
          3,
          2,
          made.channels,
          made.basis,
        ]);
        expect(back.resolution).to.deep.equal(made.resolution);
        expect(back.metadata).to.deep.equal({ note: 'ünïcode' });
        expect(back.getMatrix(0).metadata).to.deep.equal({ level: 0 });
        for (const octave of made.octaves) {
          expect(back.getMatrix(octave).options).to.deep.equal(made.getMatrix(octave).options);
        }
        expect(await storedOfOctaves(back)).to.deep.equal(await storedOfOctaves(made));
        expect(await back.toBytes('wvcb')).to.deep.equal(bytes);
        made.dispose();
        back.dispose();
      }));
  }

  it('trained parameters of compressed nodes are saved as they are', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: [2, 1, 1], resolution: 8, channels: 1 });
      await cube.compressNode(0, 0, 0, { method: 'dct', quality: 0.5 });
      const trained = cube.clone({ trainable: true });
      for (const variable of trained.trainableVariables()) {
        const more = variable.mul(1.5);
        variable.assign(more);
        more.dispose();
      }
      const back = await WavetableMatrix.fromBytes(await trained.toBytes('wvcb'));
      expect(await storedOf(back)).to.deep.equal(await storedOf(trained));
      for (const one of [cube, trained, back]) one.dispose();
    }));

  it('writes while a cube is saved do not show in the file', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: [3, 1, 1] });
      const before = await storedOf(cube);
      const saving = cube.toBytes('wvcb');
      cube.deleteNode(1, 0, 0);
      cube.setNode(2, 0, 0, new Float32Array(12).fill(77));
      const back = await WavetableMatrix.fromBytes(await saving);
      expect(await storedOf(back)).to.deep.equal(before);
      cube.dispose();
      back.dispose();
    }));
});

eachBackend('the layout of wvcb', () => {
  it('has the spec’s fields where its document says, every payload at a multiple of 64, nothing but zeros between', async () => {
    const { cube } = makeCube({ dims: [2, 3, 2], dtype: 'float16' });
    const bytes = await cube.toBytes('wvcb');
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect(String.fromCharCode(...bytes.subarray(0, 4))).to.equal('WVCB');
    const words = [4, 8, 12, 16, 20, 24, 28].map((at) => view.getUint32(at, true));
    expect(words).to.deep.equal([1, 2, 3, 2, 2, 3, 2]);
    expect([...bytes.subarray(32, 36)]).to.deep.equal([0, 1, 0, 0]);
    expect(Number(view.getBigUint64(72, true))).to.equal(bytes.length);
    const { index, metadata, entries } = partsOf(bytes);
    expect(index).to.deep.equal({ offset: 256, bytes: 8 + 64 * 12 });
    expect(metadata.offset).to.equal(index.offset + index.bytes);
    const used = new Uint8Array(bytes.length);
    for (const { offset, bytes: length } of [{ offset: 0, bytes: 256 }, index, metadata, ...entries]) {
      expect(used.subarray(offset, offset + length).every((n) => n === 0)).to.equal(true);
      used.fill(1, offset, offset + length);
    }
    expect(entries.map(({ offset }) => offset % 64)).to.deep.equal(Array(12).fill(0));
    expect(bytes.every((byte, i) => used[i] === 1 || byte === 0)).to.equal(true);
    expect(entries.map(({ x, y, z }) => (x * 3 + y) * 2 + z)).to.deep.equal([...Array(12).keys()]);
    cube.dispose();
  });

  it('one codec is named by the header’s short word, dense nodes beside it make it several', async () => {
    for (const [k, method] of METHODS.entries()) {
      const { cube } = makeCube({ dims: [2, 1, 1], resolution: 8, channels: 1 });
      await cube.compressNode(0, 0, 0, { method, quality: 0.2 });
      expect((await cube.toBytes('wvcb'))[32]).to.equal(255);
      await cube.compressNode(1, 0, 0, { method, quality: 0.2 });
      expect((await cube.toBytes('wvcb'))[32], method).to.equal(k + 1);
      cube.dispose();
    }
  });

  it('is streamed: no write is longer than a node or 256 KiB, small nodes go many at a time', async () => {
    for (const [dims, resolution, count] of [
      [[4, 4, 4], 2, 64],
      [[5, 1, 1], [300, 301], 5],
    ] as const) {
      const cube = new WavetableMatrix(dims[0], dims[1], dims[2], { resolution, channels: 1, sparse: false });
      const contents = cube.contents();
      expect(contents.count).to.equal(count);
      const { sink, state } = countedSink();
      await wvcb.write(contents, sink, {});
      const [h, w] = cube.resolution;
      expect(state.largest).to.be.at.most(Math.max(4 * h * w, 256 * 1024));
      expect(state.writes).to.be.at.most(resolution === 2 ? 2 : 1 + 2 * count);
      cube.dispose();
    }
  });

  it('an option that it has not is refused', async () => {
    const { cube } = makeCube({ dims: [1, 1, 1] });
    const error = await failure(cube.toBytes('wvcb', { deflate: true }));
    expect(error).to.be.instanceOf(ArgumentError);
    expect(error.message).to.contain("'deflate'");
    cube.dispose();
  });

  it('metadata that are no JSON are refused', async () => {
    const { cube } = makeCube({ dims: [1, 1, 1], metadata: { big: 1n } });
    expect(await failure(cube.toBytes('wvcb'))).to.be.instanceOf(ArgumentError);
    cube.dispose();
  });

  it('an axis of 65,536 nodes comes back', () =>
    withoutLeaks(async () => {
      const cube = new WavetableMatrix(2 ** 16, 1, 1, { resolution: 1, channels: 1 });
      for (let x = 0; x < 2 ** 16; x += 5000) cube.setNode(x, 0, 0, Float32Array.of(x));
      const back = await WavetableMatrix.fromBytes(await cube.toBytes('wvcb'));
      expect([...back.positions()]).to.deep.equal([...cube.positions()]);
      expect(await storedOf(back)).to.deep.equal(await storedOf(cube));
      cube.dispose();
      back.dispose();
    }));
}, ['cpu']);
