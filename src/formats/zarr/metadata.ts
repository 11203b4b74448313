/**
 * Metadata of arrays that others may have written: Zarr v3 as its specification says it, v2 as its .zarray says it, both checked
 * before anything is read or allocated on their word, and as zarrita takes them.
 */
import { check, FormatError, shown } from '../../errors.js';
import { halfToFloat } from '../../ops/half.js';

type Json = Record<string, unknown>;

/** Data types, and what zarrita reads them as: halves and truth values as the words they are. */
const TYPES = {
  float16: ['uint16', 2],
  float32: ['float32', 4],
  float64: ['float64', 8],
  int8: ['int8', 1],
  int16: ['int16', 2],
  int32: ['int32', 4],
  int64: ['int64', 8],
  uint8: ['uint8', 1],
  uint16: ['uint16', 2],
  uint32: ['uint32', 4],
  uint64: ['uint64', 8],
  bool: ['uint8', 1],
} as const;
export type DataType = keyof typeof TYPES;
export type RawType = (typeof TYPES)[DataType][0];

export interface Codec {
  name: string;
  configuration: Json;
}

/** An array as its metadata state it. */
export interface ArrayMetadata {
  shape: number[];
  type: DataType;
  rawType: RawType;
  /** Of what is decoded at once, and its bytes: chunks; of sharded arrays those within shards. */
  chunk: number[];
  chunkBytes: number;
  /** Of files: shards, or chunks. */
  file: number[];
  keys: { name: 'default' | 'v2'; separator: '/' | '.' };
  /** What values of chunks that are not there are; null: not said. */
  fill: number | null;
  /** Of a chunk. */
  codecs: Codec[];
  sharding: { codecs: Codec[]; atStart: boolean } | null;
  names: (string | null)[] | null;
  attributes: Json;
}

/** Of one chunk, decoded. */
const MAX_CHUNK_BYTES = 2 ** 30;
const BYTES_TO_BYTES = ['crc32c', 'gzip', 'zlib', 'zstd', 'blosc', 'lz4'];

/** Reads zarr.json of an array. @param source what errors call it. */
export function parseArray(json: unknown, source: string): ArrayMetadata {
  const parser: Parser = new Parser(source);
  const meta = parser.object(json, 'the metadata', [
    ...['zarr_format', 'node_type', 'shape', 'data_type', 'chunk_grid', 'chunk_key_encoding', 'fill_value'],
    ...['codecs', 'attributes', 'dimension_names', 'storage_transformers'],
  ]);
  parser.check(
    meta.zarr_format === 3 && meta.node_type === 'array',
    `is no array of Zarr v3 (zarr_format ${shown(meta.zarr_format)}, node_type ${shown(meta.node_type)})`,
  );
  const transformers = meta.storage_transformers ?? [];
  parser.check(
    Array.isArray(transformers) && transformers.length === 0,
    'has storage transformers, of which none is known',
  );
  const shape = parser.sizes(meta.shape, 'shape', 0);
  const grid = parser.named(meta.chunk_grid, 'chunk_grid', { regular: ['chunk_shape'] });
  const file = parser.sizes(grid.configuration.chunk_shape, 'chunk_shape', 1, shape.length);
  const keys = parser.named(meta.chunk_key_encoding, 'chunk_key_encoding', {
    default: ['separator'],
    v2: ['separator'],
  });
  const separator = keys.configuration.separator ?? (keys.name === 'v2' ? '.' : '/');
  parser.check(
    separator === '/' || separator === '.',
    `separates keys with ${shown(separator)}, known are '/' and '.'`,
  );
  const type = parser.type(meta.data_type);
  const codecs = parser.codecs(meta.codecs);
  const sharded = codecs.some(({ name }) => name === 'sharding_indexed');
  parser.check(!sharded || codecs.length === 1, 'has codecs around its shards, which is not supported');
  const names = meta.dimension_names ?? null;
  parser.check(
    names === null ||
      (Array.isArray(names) &&
        names.length === shape.length &&
        names.every((name) => name === null || typeof name === 'string')),
    `has dimension_names ${shown(names)} of no sense`,
  );
  const rest = {
    shape,
    type,
    rawType: TYPES[type][0],
    file,
    keys: { name: keys.name, separator: separator as '/' | '.' },
    fill: parser.fill(meta.fill_value, type),
    names: names as (string | null)[] | null,
    attributes: parser.object(meta.attributes ?? {}, 'attributes'),
  };
  if (!sharded)
    return parser.sized({ ...rest, chunk: file, codecs: parser.chain(codecs, shape.length), sharding: null });
  const { configuration } = codecs[0];
  const chunk = parser.sizes(configuration.chunk_shape, 'chunk_shape of shards', 1, shape.length);
  parser.check(
    chunk.every((n, j) => file[j] % n === 0),
    `has shards of [${file.join(', ')}], which are no multiples of their chunks of [${chunk.join(', ')}]`,
  );
  const location = configuration.index_location ?? 'end';
  parser.check(
    location === 'end' || location === 'start',
    `has the index of shards at ${shown(location)}, known are 'end' and 'start'`,
  );
  const index = parser.chain(parser.codecs(configuration.index_codecs), shape.length + 1);
  parser.check(
    index.every(({ name }) => name === 'bytes' || name === 'crc32c') &&
      index[0].configuration.endian === 'little',
    'has codecs of the index of shards that are not known: bytes, little-endian, and crc32c are',
  );
  const inner = parser.chain(parser.codecs(configuration.codecs), shape.length);
  return parser.sized({
    ...rest,
    chunk,
    codecs: inner,
    sharding: { codecs: index, atStart: location === 'start' },
  });
}

const V2_TYPES: Record<string, DataType> = {
  ...{ b1: 'bool', i1: 'int8', i2: 'int16', i4: 'int32', i8: 'int64', u1: 'uint8', u2: 'uint16' },
  ...{ u4: 'uint32', u8: 'uint64', f2: 'float16', f4: 'float32', f8: 'float64' },
};

/** .zarray of Zarr v2 as zarr.json would say it. */
export function fromV2(json: unknown, attributes: Json, source: string): Json {
  const parser: Parser = new Parser(source);
  const meta = parser.object(json, 'the metadata');
  parser.check(meta.zarr_format === 2, `is no array of Zarr v2 (zarr_format ${shown(meta.zarr_format)})`);
  const [, order, name] = /^([<>|])([a-z]\d+)$/.exec(String(meta.dtype)) ?? [];
  parser.check(name in V2_TYPES, `has dtype ${shown(meta.dtype)}, which is not supported`);
  const filters = meta.filters ?? [];
  parser.check(
    Array.isArray(filters) && filters.length === 0,
    `has filters ${shown(filters)}, which are not supported`,
  );
  parser.check(meta.order === 'C' || meta.order === 'F', `has order ${shown(meta.order)}, known are C and F`);
  const codecs: Codec[] = [{ name: 'bytes', configuration: { endian: order === '>' ? 'big' : 'little' } }];
  if (meta.order === 'F') {
    const rank = Array.isArray(meta.shape) ? meta.shape.length : 0;
    const reversed = Array.from({ length: rank }, (_, j) => rank - 1 - j);
    codecs.unshift({ name: 'transpose', configuration: { order: reversed } });
  }
  if (meta.compressor !== null && meta.compressor !== undefined) {
    const { id, ...configuration } = parser.object(meta.compressor, 'compressor');
    codecs.push({ name: String(id), configuration });
  }
  const separator = meta.dimension_separator ?? '.';
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: meta.shape,
    data_type: V2_TYPES[name],
    chunk_grid: { name: 'regular', configuration: { chunk_shape: meta.chunks } },
    chunk_key_encoding: { name: 'v2', configuration: { separator } },
    // Null, and what no number is: not said.
    fill_value: meta.fill_value ?? null,
    codecs,
    attributes,
    ...(Array.isArray(attributes._ARRAY_DIMENSIONS) && { dimension_names: attributes._ARRAY_DIMENSIONS }),
  };
}

/** attributes of a group's zarr.json. */
export function parseGroup(json: unknown, source: string): Json {
  const parser: Parser = new Parser(source);
  const meta = parser.object(json, 'the metadata', [
    'zarr_format',
    'node_type',
    'attributes',
    'consolidated_metadata',
  ]);
  parser.check(
    meta.zarr_format === 3 && meta.node_type === 'group',
    `is no group of Zarr v3 (zarr_format ${shown(meta.zarr_format)}, node_type ${shown(meta.node_type)})`,
  );
  return parser.object(meta.attributes ?? {}, 'attributes');
}

class Parser {
  constructor(readonly source: string) {}

  check(holds: boolean, message: string): asserts holds {
    check(holds, () => new FormatError(this.source, message));
  }

  /** An object; with `known` of these keys, and others only where they say that they need not be understood. */
  object(value: unknown, what: string, known?: readonly string[]): Json {
    this.check(
      typeof value === 'object' && value !== null && !Array.isArray(value),
      `has ${what} that is no object: ${shown(value)}`,
    );
    for (const [key, one] of Object.entries(known ? value : {})) {
      this.check(
        known!.includes(key) || (one as Json | null)?.must_understand === false,
        `has a key '${key}' in ${what} that is not known`,
      );
    }
    return value as Json;
  }

  /** { name, configuration } with one of the known names, and the keys that go with it. */
  named<Name extends string>(
    value: unknown,
    what: string,
    known: Record<Name, readonly string[]>,
  ): { name: Name; configuration: Json } {
    const { name, configuration = {} } =
      typeof value === 'string'
        ? { name: value }
        : this.object(value, what, ['name', 'configuration', 'must_understand']);
    this.check(
      typeof name === 'string' && Object.hasOwn(known, name),
      `has ${what} ${shown(name)}, known are ${Object.keys(known).join(', ')}`,
    );
    return { name: name as Name, configuration: this.object(configuration, what, known[name as Name]) };
  }

  sizes(value: unknown, what: string, least: number, rank?: number): number[] {
    this.check(
      Array.isArray(value) &&
        value.length <= 32 &&
        value.length === (rank ?? value.length) &&
        value.every((n) => Number.isSafeInteger(n) && n >= least && n <= 2 ** 48),
      `has a ${what} ${shown(value)} of no sense`,
    );
    return value as number[];
  }

  type(value: unknown): DataType {
    this.check(
      typeof value === 'string' && Object.hasOwn(TYPES, value),
      `has data_type ${shown(value)}, known are ${Object.keys(TYPES).join(', ')}`,
    );
    return value as DataType;
  }

  codecs(value: unknown): Codec[] {
    this.check(
      Array.isArray(value) && value.length > 0 && value.length <= 16,
      `has codecs ${shown(value)} of no sense`,
    );
    return value.map((one) => this.#codec(one));
  }

  #codec(value: unknown): Codec {
    const { name, configuration } = this.named(value, 'codec', {
      bytes: ['endian'],
      transpose: ['order'],
      sharding_indexed: ['chunk_shape', 'codecs', 'index_codecs', 'index_location'],
      crc32c: [],
      gzip: ['level'],
      zlib: ['level'],
      zstd: ['level', 'checksum'],
      blosc: ['cname', 'clevel', 'shuffle', 'typesize', 'blocksize'],
      lz4: ['acceleration'],
      'numcodecs.zlib': ['level'],
      'numcodecs.lz4': ['acceleration'],
    });
    return { name: name.replace('numcodecs.', ''), configuration };
  }

  /** Codecs in the only order that they can have: transpose, bytes, compressors and checksums. */
  chain(codecs: readonly Codec[], rank: number): Codec[] {
    const first = codecs.findIndex(({ name }) => name === 'bytes');
    const before = codecs.slice(0, Math.max(0, first));
    const after = codecs.slice(first + 1);
    this.check(
      first >= 0 &&
        before.length <= 1 &&
        before.every(({ name }) => name === 'transpose') &&
        after.every(({ name }) => BYTES_TO_BYTES.includes(name)),
      `has codecs in an order that is not supported: ${codecs.map(({ name }) => name).join(', ')}`,
    );
    for (const { configuration } of before) {
      const order = this.sizes(configuration.order, 'order of transpose', 0, rank);
      this.check(
        new Set(order).size === rank && order.every((j) => j < rank),
        `has an order of transpose ${shown(order)} of no sense`,
      );
    }
    const { endian = 'little' } = codecs[first].configuration;
    this.check(endian === 'little' || endian === 'big', `has endian ${shown(endian)} of no sense`);
    const bytes = { name: 'bytes', configuration: { endian } };
    return [...before, bytes, ...after];
  }

  fill(value: unknown, type: DataType): number | null {
    if (value === null || value === undefined) return null;
    if (typeof value === 'boolean') return Number(value);
    if (typeof value === 'number') return value;
    const named = {
      NaN: Number.NaN,
      Infinity: Number.POSITIVE_INFINITY,
      '-Infinity': Number.NEGATIVE_INFINITY,
    };
    if (typeof value === 'string' && Object.hasOwn(named, value)) return named[value as keyof typeof named];
    this.check(
      typeof value === 'string' && type.startsWith('float') && /^0x[0-9a-f]{1,16}$/i.test(value),
      `has fill_value ${shown(value)} of no sense`,
    );
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(value));
    if (type === 'float16') return halfToFloat(view.getUint16(6));
    return type === 'float32' ? view.getFloat32(4) : view.getFloat64(0);
  }

  sized(meta: Omit<ArrayMetadata, 'chunkBytes'>): ArrayMetadata {
    const chunkBytes = meta.chunk.reduce((a, b) => a * b, TYPES[meta.type][1]);
    this.check(
      chunkBytes <= MAX_CHUNK_BYTES,
      `has chunks of [${meta.chunk.join(', ')}] ${meta.type}, ${chunkBytes} bytes; at most ${MAX_CHUNK_BYTES} are read at once`,
    );
    return { ...meta, chunkBytes };
  }
}
