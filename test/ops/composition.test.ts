import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { meanSquare, WavetableMatrix } from '../../src/index.js';
import { coordGradComposition, sampleComposition, splatComposition } from '../../src/ops/composition.js';
import { COORD_GRAD_TANGENT, type SamplingInputs, SPLAT_TANGENT } from '../../src/ops/contract.js';
import { sampleRows } from '../../src/ops/sample.js';
import { eachBackend } from '../support/backends.js';
import { makeCase, sweep } from '../support/cases.js';
import { makeCube } from '../support/cubes.js';
import { expectClose, random, randomArray } from '../support/numbers.js';

/** The stock-op composition must equal the kernels everywhere, tangents included: they are one contract. */
eachBackend('the stock-op composition equals the kernels', () => {
  for (const [name, options] of sweep()) {
    it(name, async () => {
      const c = makeCase(options);
      const n = options.samples;
      const positions = c.positions.slice();
      if (n > 3) positions[4] = Number.NaN;
      const coords = tf.tensor2d(positions, [n, 3]);
      const values = tf.tensor2d(randomArray(n * options.payload, random(7)), [n, options.payload]);
      const tangent = tf.tensor2d(randomArray(n * 3, random(8)), [n, 3]);
      const inputs = { nodes: c.nodes, grid: c.grid, coords, values } as unknown as SamplingInputs;
      const withTangent = { ...inputs, tangent } as SamplingInputs;
      const kernel = (kernelName: string, from: SamplingInputs) =>
        tf.engine().runKernel(kernelName, from as unknown as tf.NamedTensorMap, c.attrs) as tf.Tensor;
      sampleRows(c.nodes, c.grid, coords, c.attrs).dispose();
      const pairs: [tf.Tensor, tf.Tensor][] = [
        [tf.tidy(() => sampleComposition(inputs, c.attrs)), kernel('WavecubeSample', inputs)],
        [
          tf.tidy(() => sampleComposition(withTangent, c.attrs)),
          kernel('WavecubeSampleTangent', withTangent),
        ],
        [tf.tidy(() => splatComposition(inputs, c.attrs)), kernel('WavecubeSplat', inputs)],
        [tf.tidy(() => splatComposition(withTangent, c.attrs)), kernel(SPLAT_TANGENT, withTangent)],
        [tf.tidy(() => coordGradComposition(inputs, c.attrs)), kernel('WavecubeCoordGrad', inputs)],
        [tf.tidy(() => coordGradComposition(withTangent, c.attrs)), kernel(COORD_GRAD_TANGENT, withTangent)],
      ];
      for (const [stock, own] of pairs) {
        expect(stock.shape).to.deep.equal(own.shape);
        const want = await own.data();
        let scale = 1;
        for (const v of want) if (Math.abs(v) > scale) scale = Math.abs(v);
        expectClose(await stock.data(), want, 2e-5 * scale);
      }
      tf.dispose([coords, values, tangent, ...pairs.flat()]);
      c.dispose();
    });
  }
}, ['cpu']);

describe('a backend without kernels of its own', () => {
  it('samples and trains through the composition', async () => {
    // tfjs's cpu under another name is a backend that Wavecube has never heard of.
    const source = tf.engine().registryFactory.cpu;
    tf.registerBackend('foreign', source.factory as () => tf.KernelBackend);
    for (const kernel of tf.getKernelsForBackend('cpu')) {
      if (!kernel.kernelName.startsWith('Wavecube')) tf.registerKernel({ ...kernel, backendName: 'foreign' });
    }
    await tf.setBackend('foreign');
    const c = makeCase({ dims: [3, 3, 3], payload: 4, samples: 12 });
    const loss = (nodes: tf.Tensor) => meanSquare(sampleRows(nodes, c.grid, c.coords, c.attrs));
    const before = loss(c.nodes).dataSync()[0];
    const gradient = tf.grad(loss)(c.nodes);
    const stepped = tf.sub(c.nodes, tf.mul(gradient, 2));
    expect(loss(stepped).dataSync()[0]).to.be.below(before);
    tf.dispose([gradient, stepped]);
    c.dispose();

    const { cube, field } = makeCube();
    cube.sample(0, 0, 0).dispose();
    cube.setNode(1, 1, 1, new Float32Array(12));
    const after = cube.sample(1, 1, 1);
    expectClose(after.dataSync(), new Float32Array(12), 0);
    expect(cube.nodeCount).to.equal(36);
    expect(() => new WavetableMatrix(field.dims[0], 1, 1, { dtype: 'float16' })).to.throw('float16');
    after.dispose();
    cube.dispose();
    await tf.setBackend('cpu');
    tf.removeBackend('foreign');
  });
});
