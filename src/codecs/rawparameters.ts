/**
 * Parameters as they are, for wavetables whose parameters were trained: no quantisation, no entropy coding.
 *
 *   varint                 number of arrays, then for each of them, params before constants:
 *   varint n, n × ASCII    name
 *   u8                     0 float32 parameter · 1 float32 constant · 2 int32 constant
 *   varint rank, rank × varint   shape
 *   4 bytes an element
 */
import { check } from '../errors.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { type HostTensor, type Parameters, sizeOf } from './parameters.js';

export function writeRaw({ params, constants }: Parameters): Uint8Array {
  const out = new ByteWriter();
  const all = [...Object.entries(params), ...Object.entries(constants)];
  out.varint(all.length);
  all.forEach(([name, { shape, values }], i) => {
    out.ascii(name);
    out.u8(i < Object.keys(params).length ? 0 : values instanceof Float32Array ? 1 : 2);
    out.varint(shape.length);
    for (const n of shape) out.varint(n);
    out.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  });
  return out.finish();
}

export function readRaw(payload: Uint8Array, source: string): Parameters {
  const input = new ByteReader(payload, source);
  const params: Record<string, HostTensor> = {};
  const constants: Record<string, HostTensor> = {};
  for (let left = input.varint('the number of arrays', 64); left > 0; left--) {
    const name = input.ascii('the length of a name');
    // Also of what every object has, as __proto__.
    check(!(name in params) && !(name in constants), () => input.error(`has two arrays '${name}'`));
    const kind = input.u8();
    check(kind <= 2, () => input.error(`array '${name}' has unknown kind ${kind}`));
    const rank = input.varint('a rank', 6);
    const shape = Array.from({ length: rank }, () => input.varint('a size'));
    check(sizeOf(shape) * 4 <= input.left, () => input.error(`array '${name}' is cut short`));
    const floats = input.floats(sizeOf(shape));
    const values = kind === 2 ? new Int32Array(floats.buffer) : floats;
    (kind === 0 ? params : constants)[name] = { shape, values };
  }
  check(input.left === 0, () => input.error(`has ${input.left} bytes too many`));
  return { params, constants };
}
