import { expect } from 'chai';
import { ByteReader } from '../../src/codecs/bytes.js';
import { decodeNpy, encodeNpy } from '../../src/index.js';

/** The bytes as Node reads files: a Buffer, at an odd place of a larger memory; its slice shares that memory. */
function asBuffer(bytes: Uint8Array): Buffer {
  const pool = Buffer.alloc(bytes.length + 64, 255);
  pool.set(bytes, 13);
  return pool.subarray(13, 13 + bytes.length);
}

const values = Float32Array.of(0.5, -3, 1e-30);

describe('bytes in a Buffer', () => {
  it('are read as the floats that they are, and copied', () => {
    const buffer = asBuffer(new Uint8Array(values.buffer));
    const read = new ByteReader(buffer, 'test').floats(3);
    buffer.fill(0);
    expect([...read]).to.deep.equal([...values]);
  });

  it('hold the same .npy array as plain bytes, which is a copy', () => {
    const buffer = asBuffer(encodeNpy({ dtype: '<f4', shape: [3], data: values }));
    const { data } = decodeNpy(buffer, 'test');
    buffer.fill(0);
    expect([...data]).to.deep.equal([...values]);
  });
});
