/**
 * One array as a .npy file: NumPy's format 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 * Little-endian, C order.
 */
import { check, FormatError } from '../errors.js';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** The dtypes that are written and read: float32, float16 as 16-bit words, bytes. */
const DTYPES = {
  '<f4': Float32Array,
  '<f2': Uint16Array,
  '|u1': Uint8Array,
} as const;
export type NpyDtype = keyof typeof DTYPES;
export type NpyArray = { dtype: NpyDtype; shape: number[]; data: Float32Array | Uint16Array | Uint8Array };

export function encodeNpy({
  dtype,
  shape,
  data,
}: {
  dtype: NpyDtype;
  shape: readonly number[];
  data: ArrayBufferView;
}): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${dtype}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The data begins at a multiple of 64, the header ends with a newline.
  const padded = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
  const out = new Uint8Array(10 + padded.length + data.byteLength);
  out.set([...MAGIC, 1, 0, padded.length & 255, padded.length >> 8]);
  out.set(new TextEncoder().encode(padded), 10);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + padded.length);
  return out;
}

/** @throws FormatError for what is not such a file, or is cut short. */
export function decodeNpy(bytes: Uint8Array, source: string): NpyArray {
  const fail = (message: string) => new FormatError(source, message);
  check(bytes.length >= 10 && MAGIC.every((b, i) => bytes[i] === b), () => fail('is not a .npy array'));
  check(bytes[6] === 1 || bytes[6] === 2, () => fail(`has .npy version ${bytes[6]}, known are 1 and 2`));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = bytes[6] === 1 ? 10 : 12;
  check(bytes.length >= start, () => fail('ends within its header'));
  const length = bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  check(start + length <= bytes.length, () => fail('ends within its header'));
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  check(descr !== undefined && shapeText !== undefined, () =>
    fail('has a .npy header without descr or shape'),
  );
  check(/'fortran_order':\s*False/.test(header), () =>
    fail('is in Fortran order; save it with numpy.ascontiguousarray'),
  );
  check(descr in DTYPES, () => fail(`has dtype ${descr}, known are ${Object.keys(DTYPES).join(', ')}`));
  const shape = shapeText
    .split(',')
    .filter((s) => s.trim())
    .map(Number);
  check(
    shape.every((n) => Number.isSafeInteger(n) && n >= 0),
    () => fail(`has a shape (${shapeText}) of no sense`),
  );
  const Values = DTYPES[descr as NpyDtype];
  const size = shape.reduce((a, b) => a * b, 1) * Values.BYTES_PER_ELEMENT;
  const body = bytes.length - start - length;
  check(size === body, () =>
    fail(`holds ${body} bytes of data where its shape (${shapeText}) needs ${size}`),
  );
  // A copy: the payload need not be aligned where it lies. Not by slice, which for Node's Buffer is none.
  const data = new Values(new Uint8Array(bytes.subarray(start + length)).buffer);
  return { dtype: descr as NpyDtype, shape, data };
}
