/**
 * One array as a .npy file: NumPy's format 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 * Little-endian, C order.
 */
import { check, FormatError } from '../errors.js';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** The dtypes that are written and read: float32, float16 as 16-bit words, bytes, integers. */
const DTYPES = {
  '<f4': Float32Array,
  '<f2': Uint16Array,
  '|u1': Uint8Array,
  '<i4': Int32Array,
} as const;
export type NpyDtype = keyof typeof DTYPES;
export type NpyArray = {
  dtype: NpyDtype;
  shape: number[];
  data: Float32Array | Uint16Array | Uint8Array | Int32Array;
};

/** All of a .npy file before its data, which begins at a multiple of 64. */
export function npyHead(dtype: NpyDtype, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${dtype}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padded = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
  const out = new Uint8Array(10 + padded.length);
  out.set([...MAGIC, 1, 0, padded.length & 255, padded.length >> 8]);
  out.set(new TextEncoder().encode(padded), 10);
  return out;
}

export function encodeNpy({
  dtype,
  shape,
  data,
}: {
  dtype: NpyDtype;
  shape: readonly number[];
  data: ArrayBufferView;
}): Uint8Array {
  const head = npyHead(dtype, shape);
  const out = new Uint8Array(head.length + data.byteLength);
  out.set(head);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), head.length);
  return out;
}

/** @throws FormatError for what is not such a file, or is cut short. */
export function decodeNpy(bytes: Uint8Array, source: string): NpyArray {
  const array = viewNpy(bytes, source);
  return array.data.buffer === bytes.buffer ? { ...array, data: array.data.slice() } : array;
}

/** As decodeNpy, without a copy where the data lies at a multiple of its element: a view of `bytes`. */
export function viewNpy(bytes: Uint8Array, source: string): NpyArray {
  const fail = (message: string) => new FormatError(source, message);
  check(bytes.length >= 10 && MAGIC.every((b, i) => bytes[i] === b), () => fail('is not a .npy array'));
  check((bytes[6] === 1 || bytes[6] === 2) && bytes[7] === 0, () =>
    fail(`has .npy version ${bytes[6]}.${bytes[7]}, known are 1.0 and 2.0`),
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = bytes[6] === 1 ? 10 : 12;
  check(bytes.length >= start, () => fail('ends within its header'));
  const length = bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  check(start + length <= bytes.length, () => fail('ends within its header'));
  const { descr, shape } = headerOf(bytes.subarray(start, start + length), source);
  const Values = DTYPES[descr];
  const size = shape.reduce((a, b) => a * b, 1) * Values.BYTES_PER_ELEMENT;
  const body = bytes.length - start - length;
  check(size === body, () =>
    fail(`holds ${body} bytes of data where its shape (${shape.join(', ')}) needs ${size}`),
  );
  const from = bytes.byteOffset + start + length;
  const data =
    from % Values.BYTES_PER_ELEMENT === 0
      ? new Values(bytes.buffer as ArrayBuffer, from, body / Values.BYTES_PER_ELEMENT)
      : // Not by slice, which for Node's Buffer is no copy.
        new Values(new Uint8Array(bytes.subarray(start + length)).buffer);
  return { dtype: descr, shape: [...shape], data };
}

/** The longest header: an array of numbers needs some hundred bytes. */
const MAX_HEADER_BYTES = 65_536;

interface Header {
  descr: NpyDtype;
  shape: readonly number[];
}

/** The header that was read last: the arrays of a file are mostly alike. */
let last: { text: string; header: Header } | undefined;

function headerOf(bytes: Uint8Array, source: string): Header {
  check(
    bytes.length <= MAX_HEADER_BYTES,
    () => new FormatError(source, `has a .npy header of ${bytes.length} bytes`),
  );
  const text = String.fromCharCode(...bytes.subarray(0, 4096));
  if (last?.text !== text) last = { text, header: parseHeader(text.trim(), source) };
  return last.header;
}

/** The dictionary of a header: a Python literal of these three keys, and nothing else. */
function parseHeader(text: string, source: string): Header {
  const fail = (message: string) => new FormatError(source, message);
  const said = new Map<string, string>();
  let rest = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1).trim() : '?';
  while (rest !== '') {
    const [whole, key, value] =
      /^'([a-z_]+)'\s*:\s*('[^']*'|True|False|\([^()]*\))\s*(?:,\s*|$)/.exec(rest) ?? [];
    check(whole !== undefined && !said.has(key), () => fail('has a .npy header of no sense'));
    said.set(key, value);
    rest = rest.slice(whole.length);
  }
  const [descr, order, tuple] = ['descr', 'fortran_order', 'shape'].map((key) => said.get(key));
  check(descr?.startsWith("'") === true && tuple?.startsWith('(') === true, () =>
    fail('has a .npy header without descr or shape'),
  );
  check(order === 'False', () => fail('is in Fortran order; save it with numpy.ascontiguousarray'));
  check(said.size === 3, () => fail(`has a .npy header with more than descr, fortran_order and shape`));
  const dtype = descr.slice(1, -1);
  check(Object.hasOwn(DTYPES, dtype), () =>
    fail(`has dtype ${dtype}, known are ${Object.keys(DTYPES).join(', ')}`),
  );
  const sizes = tuple.slice(1, -1).trim().replace(/,$/, '');
  const shape =
    sizes === '' ? [] : sizes.split(',').map((n) => (/^\s*\d{1,15}\s*$/.test(n) ? Number(n) : -1));
  check(!shape.includes(-1), () => fail(`has a shape ${tuple} of no sense`));
  return { descr: dtype as NpyDtype, shape };
}
