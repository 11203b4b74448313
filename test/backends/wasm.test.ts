import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { binary } from '../../src/backends/wasm/binary.js';
import { activeWasm, cpuBackend, heapOf } from '../../src/backends/wasm/heap.js';
import { useWasm } from '../../src/backends/wasm/index.js';
import { DeviceError } from '../../src/errors.js';
import { gaussians, irfft2, resample, rfft2, waveletTransform } from '../../src/index.js';

const paths = (globalThis as { WAVECUBE_WASM_PATHS?: string }).WAVECUBE_WASM_PATHS;

/** float32 sums in another order: relative to the largest value. */
const SUM_TOLERANCE = 1e-5;

/** Runs `compute` on both backends; fails if tensors or cpu data stay behind on wasm. */
async function equalsCpu(compute: () => tf.Tensor[]): Promise<void> {
  await tf.setBackend('cpu');
  const expected = tf.tidy(() => compute().map((t) => t.dataSync().slice()));
  await useWasm({ paths });
  const cpu = cpuBackend() as unknown as tf.KernelBackend;
  const before = { ...tf.memory(), cpu: cpu.numDataIds() };
  const got = tf.tidy(() => compute().map((t) => t.dataSync().slice()));
  const after = { ...tf.memory(), cpu: cpu.numDataIds() };
  for (const key of ['numTensors', 'numDataBuffers', 'numBytes', 'cpu'] as const) {
    expect(after[key], key).to.equal(before[key]);
  }
  expect(got.length).to.equal(expected.length);
  got.forEach((values, t) => {
    expect(values.length).to.equal(expected[t].length);
    const scale = Math.max(1e-30, ...Array.from(expected[t], Math.abs));
    values.forEach((value, i) => {
      expect(Number.isFinite(value), `output ${t}, element ${i} finite`).to.equal(true);
      expect(Math.abs(value - expected[t][i]), `output ${t}, element ${i}`).to.be.at.most(
        SUM_TOLERANCE * scale,
      );
    });
  });
}

const noise = (shape: number[], seed = 1): tf.Tensor => tf.randomUniform(shape, -1, 1, 'float32', seed);

/** Interleaved real and imaginary parts. */
const parts = (z: tf.Tensor): tf.Tensor[] => [tf.real(z), tf.imag(z)];

describe('wasm: kernels that only cpu has', () => {
  it('fft and ifft equal cpu', () =>
    equalsCpu(() => {
      const z = tf.complex(noise([3, 12]), noise([3, 12], 2));
      return [...parts(tf.spectral.fft(z)), ...parts(tf.spectral.ifft(z)), z];
    }));

  it('rfft and irfft equal cpu and invert each other', () =>
    equalsCpu(() => {
      const spectrum = tf.spectral.rfft(noise([2, 16]));
      return [...parts(spectrum), tf.spectral.irfft(spectrum)];
    }));

  it('a complex tensor is cloned, reshaped and cast as it is', () =>
    equalsCpu(() => {
      const z = tf.complex(noise([2, 3]), noise([2, 3], 2));
      return [z.clone(), ...parts(z.reshape([6])), tf.abs(z), ...parts(tf.cast(noise([4]), 'complex64'))];
    }));

  it('the gradient of gather equals cpu', () =>
    equalsCpu(() => {
      const rows = tf.tensor1d([2, 0, 2, 4], 'int32');
      return [tf.grad((x) => tf.sum(tf.square(tf.gather(x, rows))))(noise([5, 3]))];
    }));

  it('the gradients of conv2d equal cpu', () =>
    equalsCpu(() => {
      const loss = (x: tf.Tensor, filter: tf.Tensor) =>
        tf.sum(tf.square(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same'))) as tf.Scalar;
      return tf.grads(loss)([noise([2, 6, 5, 3]), noise([3, 3, 3, 4], 2)]);
    }));

  it('the gradients of depthwiseConv2d equal cpu', () =>
    equalsCpu(() => {
      const loss = (x: tf.Tensor, filter: tf.Tensor) =>
        tf.sum(
          tf.square(tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same')),
        ) as tf.Scalar;
      return tf.grads(loss)([noise([1, 6, 5, 2]), noise([3, 3, 2, 2], 2)]);
    }));

  it('einsum equals cpu', () =>
    equalsCpu(() => [tf.einsum('ij,kj->ik', noise([4, 5]) as tf.Tensor2D, noise([3, 5], 2) as tf.Tensor2D)]));

  it('unsortedSegmentSum equals cpu', () =>
    equalsCpu(() => [tf.unsortedSegmentSum(noise([6, 2]), tf.tensor1d([0, 3, 0, 2, 2, 3], 'int32'), 5)]));

  it('a convolution trains', async () => {
    await useWasm({ paths });
    const filter = tf.variable(noise([3, 3, 1, 1]) as tf.Tensor4D);
    const x = noise([4, 8, 8, 1], 3) as tf.Tensor4D;
    const goal = tf.tidy(() => tf.conv2d(x, noise([3, 3, 1, 1], 4) as tf.Tensor4D, 1, 'same'));
    const optimizer = tf.train.adam(0.05);
    const step = (): number => {
      const loss = () => tf.mean(tf.square(tf.sub(tf.conv2d(x, filter, 1, 'same'), goal))) as tf.Scalar;
      const value = optimizer.minimize(loss, true) as tf.Scalar;
      const now = value.dataSync()[0];
      value.dispose();
      return now;
    };
    const first = step();
    const tensors = tf.memory().numTensors;
    let last = first;
    for (let i = 0; i < 40; i++) last = step();
    expect(tf.memory().numTensors).to.equal(tensors);
    expect(last).to.be.below(first / 10);
    tf.dispose([filter, x, goal]);
    optimizer.dispose();
  });
});

describe('wasm: references', () => {
  before(() => useWasm({ paths }));

  for (const [title, copy] of [
    ['a clone', (x: tf.Tensor) => x.clone()],
    ['a cast to the same dtype', (x: tf.Tensor) => x.cast('float32')],
  ] as const) {
    it(`${title} shares its data with the original, and outlives it`, () => {
      const x = tf.tensor1d([1, 2, 3]);
      const buffers = tf.memory().numDataBuffers;
      const y = copy(x);
      expect(y.dataId).to.equal(x.dataId);
      expect(tf.memory().numDataBuffers).to.equal(buffers);
      expect(tf.backend().refCount(x.dataId)).to.equal(2);
      x.dispose();
      expect(Array.from(y.dataSync())).to.deep.equal([1, 2, 3]);
      y.dispose();
      expect(tf.memory().numDataBuffers).to.equal(buffers - 1);
    });
  }

  it('a cast to another dtype converts', () => {
    const y = tf.tidy(() => tf.tensor1d([1.5, -2.5]).cast('int32'));
    expect(y.dtype).to.equal('int32');
    expect(Array.from(y.dataSync())).to.deep.equal([1, -2]);
    y.dispose();
  });
});

describe('wasm: an exhausted heap', () => {
  before(() => useWasm({ paths }));

  /** The engine is whole: the same books, and ops that work. */
  const throwsAndGoesOn = (ask: () => tf.Tensor): void => {
    const before = tf.memory();
    const ids = (tf.backend() as tf.KernelBackend).numDataIds();
    expect(() => tf.tidy(ask))
      .to.throw(DeviceError)
      .with.property('message')
      .that.includes('wasm heap exhausted: there is no room');
    expect(tf.memory()).to.deep.equal(before);
    expect((tf.backend() as tf.KernelBackend).numDataIds()).to.equal(ids);
    const sum = tf.tidy(() => tf.sum(tf.ones([1000])).dataSync()[0]);
    expect(sum).to.equal(1000);
  };

  it('a tensor above the 2 GiB that tfjs can allocate in one piece throws DeviceError', () =>
    throwsAndGoesOn(() => tf.fill([600_000_000], 0)));

  it('a tensor whose bytes do not fit 32 bits throws DeviceError', () =>
    throwsAndGoesOn(() => tf.fill([1_200_000_000], 0)));

  it('one tensor more than 4 GiB hold throws DeviceError', () => {
    const heap = heapOf(activeWasm());
    const held: object[] = [];
    try {
      // Never written, so that no memory is really used.
      expect(() => {
        for (let i = 0; i < 5; i++) held.push(heap.output([250_000_000], 'float32').dataId);
      }).to.throw(DeviceError);
      expect(held.length).to.be.within(1, 4);
      throwsAndGoesOn(() => tf.fill([250_000_000], 0));
    } finally {
      for (const dataId of held) tf.backend().disposeData(dataId);
    }
  });

  it('an op whose scratch does not fit leaves nothing behind', () => {
    const heap = heapOf(activeWasm());
    const x = tf.zeros<tf.Rank.R4>([1, 8, 8, 2]);
    const spectrum = rfft2(x);
    const components = tf.ones<tf.Rank.R3>([1, 2, 7]);
    heap.withScratch = (bytes) => {
      throw new DeviceError(`wasm heap exhausted: there is no room for ${bytes} bytes`);
    };
    try {
      throwsAndGoesOn(() => rfft2(x));
      throwsAndGoesOn(() => irfft2(spectrum, 8));
      throwsAndGoesOn(() => waveletTransform(x));
      throwsAndGoesOn(() => resample(x, 4, 16, { h: false, w: true }));
      throwsAndGoesOn(() => gaussians(components, 4, 4));
    } finally {
      delete (heap as Partial<typeof heap>).withScratch;
      tf.dispose([x, spectrum, components]);
    }
  });

  it('tensors of no elements can be made and read', () => {
    const values = tf.tidy(() => tf.concat([tf.zeros([0, 3]), tf.ones([2, 3])]).dataSync().length);
    expect(values).to.equal(6);
    expect(tf.tidy(() => tf.mul(tf.zeros([0]), 2).dataSync().length)).to.equal(0);
  });
});

describe('wasm: scratch', () => {
  before(() => useWasm({ paths }));

  it('is kept from call to call while it is small, and given back where it was large', () => {
    const heap = heapOf(activeWasm());
    const { wasm } = activeWasm();
    /** Whether a block of that size now lies where the scratch was. */
    const isFree = (bytes: number, scratch: number) => {
      const at = wasm._malloc(bytes) >>> 0;
      wasm._free(at);
      return at === scratch;
    };
    const large = 200 * 1024 * 1024;
    expect(
      isFree(
        large,
        heap.withScratch(large, (at) => at),
      ),
    ).to.equal(true);
    const fail = () =>
      heap.withScratch(large, () => {
        throw new Error('within');
      });
    expect(fail).to.throw('within');
    expect(
      isFree(
        large,
        heap.withScratch(large, (at) => at),
      ),
    ).to.equal(true);
    const small = heap.withScratch(1 << 20, (at) => at);
    expect(isFree(1 << 20, small)).to.equal(false);
    expect(heap.withScratch(1 << 19, (at) => at)).to.equal(small);
  });

  it('holds a row for absent taps only where one may be met', () => {
    const heap = heapOf(activeWasm());
    const payload = 1_000_000;
    const bytes = (boundary: number, ordered: number, x: number, dims = [2, 3, 4]) => {
      const coords = tf.tensor2d([[0.5, x, 1]]);
      const rows = dims[0] * dims[1] * dims[2];
      heap.kernels.setGrid(0, dims[0], dims[1], dims[2], boundary, boundary, boundary, 0, rows, ordered);
      const needed = heap.kernels.scratchBytes(1, payload, rows, heap.offsetOf(coords));
      coords.dispose();
      return needed;
    };
    const [CLAMP, WRAP, ZERO] = [0, 1, 3];
    for (const needed of [bytes(CLAMP, 1, 9), bytes(WRAP, 1, 9), bytes(WRAP, 1, 9, [1, 1, 1])]) {
      expect(needed).to.be.below(65536);
    }
    for (const needed of [
      bytes(CLAMP, 0, 0),
      bytes(ZERO, 1, 0),
      bytes(CLAMP, 1, Number.NaN),
      bytes(WRAP, 1, Number.POSITIVE_INFINITY),
      bytes(CLAMP, 1, 0, [2, 1, 4]),
    ]) {
      expect(needed).to.be.above(4 * payload);
    }
  });
});

describe('wasm: the binaries', () => {
  for (const flavour of ['unshared', 'shared'] as const) {
    it(`the ${flavour} one brings no data and no memory, and never grows the heap it is given`, () => {
      const bytes = binary(flavour);
      const module = new WebAssembly.Module(bytes);
      const kinds = WebAssembly.Module.imports(module).map((i) => i.kind);
      expect(kinds.filter((kind) => kind === 'memory')).to.have.length(1);
      expect(WebAssembly.Module.exports(module).every((e) => e.kind === 'function')).to.equal(true);
      const [DATA, DATA_COUNT, START] = [11, 12, 8];
      expect(sections(bytes)).to.not.include.members([DATA]);
      expect(sections(bytes)).to.not.include.members([DATA_COUNT]);
      expect(sections(bytes)).to.not.include.members([START]);
    });
  }

  it('a backend that tfjs makes anew gets its own instance', async () => {
    await useWasm({ paths });
    const first = heapOf(activeWasm());
    await useWasm({ paths });
    expect(heapOf(activeWasm())).to.equal(first);
    const factory = tf.findBackendFactory('wasm');
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory, 2);
    await useWasm({ paths });
    expect(heapOf(activeWasm())).to.not.equal(first);
    expect(tf.tidy(() => tf.real(tf.complex([1, 2], [3, 4])).dataSync()[1])).to.equal(2);
  });
});

/** The ids of a wasm file's sections. */
function sections(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      size |= (bytes[at] & 127) << shift;
      if (bytes[at++] < 128) break;
    }
    at += size;
  }
  return ids;
}
