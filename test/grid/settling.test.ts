/** Compressing while the cube is changed: the laws of compressNode, compressAll and settle at their awaits. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  ArgumentError,
  DisposedError,
  type HostWavetable,
  provideCodec,
  QualityNotReachedError,
  QuantizedCodec,
  ready,
  type Target,
  WavetableMatrix,
} from '../../src/index.js';
import { withoutLeaks } from '../support/backends.js';
import { random, randomArray } from '../support/numbers.js';

/** Compresses when it is let; of a wavetable that begins with 99 it says that it cannot. */
class GateCodec extends QuantizedCodec {
  // @ts-expect-error another id than that of the codec it extends
  override readonly id = 'test-gate';
  static atWork: ((n: number) => Promise<void> | void) | null = null;
  static count = 0;

  protected override async compress(wavetable: HostWavetable, target: Target): Promise<Uint8Array> {
    await GateCodec.atWork?.(++GateCodec.count);
    if (wavetable.values[0] === 99) throw new QualityNotReachedError('test-gate', null, null);
    return super.compress(wavetable, target, {});
  }
}
provideCodec(new GateCodec());

const METHOD = { method: 'test-gate', quality: 0.9 };
const node = (seed: number) => randomArray(64, random(seed));
function cubeOf(options: object = {}): WavetableMatrix {
  const cube = new WavetableMatrix(3, 1, 1, { resolution: 8, channels: 1, ...options });
  for (let x = 0; x < 3; x++) cube.setNode(x, 0, 0, node(x));
  return cube;
}
const failure = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not reject');
};
const codecs = (cube: WavetableMatrix) => [...cube.getCodecMap().values()];

describe('nodes that change while they are compressed', () => {
  before(() => ready({ backend: 'cpu' }));
  afterEach(() => {
    GateCodec.atWork = null;
  });

  /** Runs `change` while the n-th node from now is being compressed. */
  function during(n: number, change: () => unknown): void {
    GateCodec.count = 0;
    GateCodec.atWork = (at) => {
      if (at === n) change();
    };
  }

  it('stay as they were set, and are compressed by the next settle()', async () => {
    const cube = cubeOf({ compression: METHOD });
    during(2, () => cube.setNode(1, 0, 0, node(9)));
    const kept = (await cube.settle()).map((report) => report.kept);
    expect(kept).to.deep.equal([undefined, 'set meanwhile', undefined]);
    expect([...(await cube.getNode(1, 0, 0).data())]).to.deep.equal([...node(9)]);
    expect((await cube.settle()).map(({ x, codec }) => [x, codec])).to.deep.equal([[1, 'test-gate']]);
  });

  it('stay pending too where what was there before could not reach the quality', async () => {
    const cube = cubeOf({ compression: METHOD });
    cube.setNode(1, 0, 0, node(1).fill(99));
    during(2, () => cube.setNode(1, 0, 0, node(9)));
    const kept = (await cube.settle()).map((report) => report.kept);
    expect(kept).to.deep.equal([undefined, 'set meanwhile', undefined]);
    expect((await cube.settle()).map(({ x, codec }) => [x, codec])).to.deep.equal([[1, 'test-gate']]);
  });

  it('may be deleted, whether they reach the quality or not', async () => {
    for (const hopeless of [false, true]) {
      const cube = cubeOf();
      if (hopeless) cube.setNode(1, 0, 0, node(1).fill(99));
      during(2, () => cube.deleteNode(1, 0, 0));
      const reports = await cube.compressAll(METHOD);
      expect(reports[1]).to.include({ codec: null, kept: 'deleted meanwhile', storedBytes: 0 });
      expect(cube.nodeCount).to.equal(2);
      expect(codecs(cube)).to.deep.equal(['test-gate', 'test-gate']);
    }
  });

  it('may go with their cube: the call says that it is disposed', async () => {
    for (const hopeless of [false, true]) {
      await withoutLeaks(async () => {
        const cube = cubeOf();
        if (hopeless) cube.setNode(0, 0, 0, node(1).fill(99));
        during(1, () => cube.dispose());
        expect(await failure(cube.compressAll(METHOD))).to.be.instanceOf(DisposedError);
      });
    }
  });

  it('are reported with the codec that holds them, where another call was first', async () => {
    const cube = cubeOf();
    const twice = await Promise.all([cube.compressNode(0, 0, 0, METHOD), cube.compressNode(0, 0, 0, METHOD)]);
    expect(twice.map(({ codec, kept }) => [codec, kept])).to.deep.equal([
      ['test-gate', undefined],
      ['test-gate', 'set meanwhile'],
    ]);
  });
});

describe('settle', () => {
  before(() => ready({ backend: 'cpu' }));
  afterEach(() => {
    GateCodec.atWork = null;
  });

  it('compresses each node once, however many calls there are at a time, toBytes among them', async () => {
    const cube = cubeOf({ compression: METHOD });
    GateCodec.count = 0;
    GateCodec.atWork = () => new Promise((resolve) => setTimeout(resolve, 1));
    const [first, bytes, last] = await Promise.all([cube.settle(), cube.toBytes(), cube.settle()]);
    expect([first.length, last.length]).to.deep.equal([3, 0]);
    expect(GateCodec.count).to.equal(3);
    expect(codecs(await WavetableMatrix.fromBytes(bytes))).to.deep.equal(Array(3).fill('test-gate'));
  });

  it('goes on after one that was aborted, with what that one left', async () => {
    const cube = cubeOf({ compression: METHOD });
    const stop = new AbortController();
    const cut = cube.settle({ signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
    const rest = cube.settle();
    expect((await failure(cut)).message).to.equal('enough');
    expect((await rest).map(({ x }) => x)).to.deep.equal([1, 2]);
  });

  it('takes up what was resized, and what compressAll could not compress', async () => {
    const cube = cubeOf({ compression: METHOD });
    await cube.settle();
    cube.upscaleNode(0, 0, 0, 2);
    cube.setNode(2, 0, 0, node(5));
    const [, , kept] = await cube.compressAll({ method: 'quantized', quality: { bytes: 1 } });
    expect(kept.kept).to.equal('quality not reached');
    expect((await cube.settle()).map(({ x, codec }) => [x, codec])).to.deep.equal([
      [0, 'test-gate'],
      [2, 'test-gate'],
    ]);
  });
});

describe('compressAll', () => {
  before(() => ready({ backend: 'cpu' }));

  it('leaves nodes with NaN to codecs that take them, and compresses the others', async () => {
    const cube = cubeOf();
    cube.setNode(1, 0, 0, node(1).fill(Number.NaN));
    const reports = await cube.compressAll(METHOD);
    expect(reports.map(({ codec, kept }) => codec ?? kept)).to.deep.equal([
      'test-gate',
      'not taken',
      'test-gate',
    ]);
    expect(await failure(cube.compressNode(1, 0, 0, METHOD))).to.be.instanceOf(ArgumentError);
  });

  it('refuses an onProgress that is no function, and options that settle has not, before it starts', async () => {
    const cube = cubeOf({ compression: METHOD });
    const wrong = { onProgress: 5 } as unknown as { onProgress: () => void };
    expect((await failure(cube.compressAll(wrong))).message).to.match(/onProgress must be a function, got 5/);
    const foreign = { method: 'dct' } as object;
    expect((await failure(cube.settle(foreign))).message).to.match(/settle: no option is called 'method'/);
    expect(codecs(cube)).to.deep.equal([null, null, null]);
  });
});

describe('decompressNode', () => {
  before(() => ready({ backend: 'cpu' }));

  it('leaves no tensor behind where its cube cannot hold the node dense', async () => {
    const codec = new QuantizedCodec();
    const large = await codec.encode({ values: node(1).fill(1e6), shape: [8, 8, 1] }, 0.9);
    await withoutLeaks(() => {
      const cube = new WavetableMatrix(1, 1, 1, { resolution: 8, channels: 1, dtype: 'float16' });
      cube.setNode(0, 0, 0, large);
      expect(() => tf.dispose(cube.decompressNode(0, 0, 0))).to.throw(ArgumentError, /65,504/);
      expect(codecs(cube)).to.deep.equal(['quantized']);
      cube.dispose();
    });
  });
});
