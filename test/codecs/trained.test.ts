import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { CompressedWavetable } from '../../src/codecs/compressed.js';
import { FormatError, QuantizedCodec, ready } from '../../src/index.js';
import { smooth } from '../support/fields.js';

/** Of a node whose few parameters were trained the many constants stay coded. */
describe('trained parameters beside coded constants', () => {
  before(() => ready({ backend: 'cpu' }));

  it('are read as they are, in a few bytes more than before, and can be trained again', async () => {
    const codec = new QuantizedCodec();
    const made = await codec.encode(smooth([24, 20, 3]), 0.95);
    const doubled = (name: string) => {
      const { shape, values } = made.parameters.params[name];
      return { shape, values: (values as Float32Array).map((v) => 2 * v) };
    };
    const params = { scale: doubled('scale'), offset: doubled('offset') };
    let trained = CompressedWavetable.ofTrained(made.bytes, params);
    trained = CompressedWavetable.ofTrained(trained.bytes, params);
    expect(trained.sizeBytes).to.be.below(made.sizeBytes + 64);
    expect(trained.achieved.maxError).to.be.NaN;
    const read = await CompressedWavetable.fromBytes(trained.bytes);
    expect(read.parameters).to.deep.equal(trained.parameters);
    const [a, b] = [codec.decode(made), codec.decode(read)];
    expect([...(await b.data())]).to.deep.equal([...(await tf.mul(a, 2).data())]);
    for (let length = 0; length < trained.sizeBytes; length++) {
      expect(
        () => CompressedWavetable.read(trained.bytes.slice(0, length), { verify: false }),
        `${length} bytes`,
      ).to.throw(FormatError);
    }
  });
});
