/** Writes in place: the one law of all devices. What a queue adds to it is the concern of webgpu.test.ts. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ArgumentError } from '../../src/errors.js';
import { activeBackend, findDevice } from '../../src/ops/device.js';
import { eachBackend } from '../support/backends.js';

eachBackend('a device', () => {
  const device = () => findDevice(activeBackend())!;

  it('writes and copies the elements it is told to, and no others', async () => {
    const x = tf.tensor1d([1, 2, 3, 4, 5]);
    const source = tf.tensor1d([8, 9]);
    device().write(x, 1, Float32Array.of(6, 7).subarray(1));
    device().copy(x, 3, source);
    device().write(x, 5, new Float32Array(0));
    expect([...(await x.data())]).to.deep.equal([1, 7, 3, 8, 9]);
    tf.dispose([x, source]);
  });

  it('throws ArgumentError for a range beyond the tensor, and changes nothing', async () => {
    const x = tf.tensor1d([1, 2]);
    const source = tf.tensor1d([3, 3]);
    const outside = /must lie in 2 elements/;
    expect(() => device().write(x, 1, Float32Array.of(3, 3))).to.throw(ArgumentError, outside);
    expect(() => device().write(x, -1, Float32Array.of(3))).to.throw(ArgumentError, outside);
    expect(() => device().write(x, 0.5, Float32Array.of(3))).to.throw(ArgumentError, outside);
    expect(() => device().write(x, Number.NaN, Float32Array.of(3))).to.throw(ArgumentError, outside);
    expect(() => device().copy(x, 1, source)).to.throw(ArgumentError, outside);
    expect(() => device().copy(x, -1, source)).to.throw(ArgumentError, outside);
    expect([...(await x.data())]).to.deep.equal([1, 2]);
    tf.dispose([x, source]);
  });
});
