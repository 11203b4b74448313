/** A compressed wavetable: bytes that say all about themselves, and the parameters that they hold. */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, checkOptionNames, DisposedError, FormatError, shown } from '../errors.js';
import { ByteReader, ByteWriter } from './bytes.js';
import type { WavetableCodec } from './codec.js';
import { type Contents, PayloadKind, readContainer, writeContainer } from './container.js';
import { type NodeShape, type Parameters, sizeOf, tensorsOf } from './parameters.js';
import type { Achieved } from './quality.js';
import { readRaw, writeRaw } from './rawparameters.js';
import { codecFor } from './registry.js';

/** What decode takes: a compressed wavetable, or one with other params. */
export interface Decodable {
  readonly codec: string;
  readonly shape: NodeShape;
  readonly params: Readonly<Record<string, tf.Tensor>>;
  readonly constants: Readonly<Record<string, tf.Tensor>>;
}

export interface FromBytesOptions {
  /** Whether the checksum is verified. Default true. */
  verify?: boolean;
  /** What errors call the bytes. */
  source?: string;
}

/** Of parameters that no wavetable was measured against. */
const UNKNOWN: Achieved = { maxError: Number.NaN, psnr: Number.NaN, relativeError: Number.NaN };

/** The codec's own payload, and the trained params behind it. */
function splitTrained(payload: Uint8Array, source: string): { own: Uint8Array; trained: Uint8Array } {
  const input = new ByteReader(payload, source);
  const own = input.bytes(input.varint('the length of the codec payload', payload.length));
  return { own, trained: input.bytes(input.left) };
}

/** What a container's payload holds. @throws FormatError for parameters that do not fit the shape or the codec. */
function parametersOf(codec: WavetableCodec, { kind, shape, payload }: Contents, source: string): Parameters {
  if (kind === PayloadKind.Codec) return codec.unpack(payload, shape, source);
  let parameters: Parameters;
  if (kind === PayloadKind.Raw) parameters = readRaw(payload, source);
  else {
    const { own, trained } = splitTrained(payload, source);
    const before = codec.unpack(own, shape, source);
    parameters = { params: readRaw(trained, source).params, constants: before.constants };
  }
  checkRaw(codec, parameters, shape, source);
  return parameters;
}

type Tensors = Record<string, tf.Tensor>;

export class CompressedWavetable implements Decodable {
  #tensors: { params: Tensors; constants: Tensors } | null = null;
  #disposed = false;

  private constructor(
    /** Id of the codec that made it. */
    readonly codec: string,
    /** [H, W, C] of the wavetable. */
    readonly shape: NodeShape,
    /** The error that was measured when it was made; of trained parameters unknown: NaN. */
    readonly achieved: Achieved,
    /** Everything, as it is stored: codec/container.ts. Not to be written to. */
    readonly bytes: Uint8Array,
    /** The parameters on the host. Not to be written to. */
    readonly parameters: Parameters,
  ) {}

  /** Bytes in all: header, payload, checksum. */
  get sizeBytes(): number {
    return this.bytes.length;
  }

  /** float32 bytes of the wavetable over sizeBytes. */
  get ratio(): number {
    return (4 * this.shape[0] * this.shape[1] * this.shape[2]) / this.sizeBytes;
  }

  /** Named float32 tensors that decode is differentiable to, on the backend that was active at the first look; kept until dispose. */
  get params(): Readonly<Tensors> {
    return this.#onDevice().params;
  }

  /** Named tensors that decode needs besides. */
  get constants(): Readonly<Tensors> {
    return this.#onDevice().constants;
  }

  /** The same wavetable with some params in the place of its own: variables to train, or the arguments of tf.grads. */
  with(params: Readonly<Tensors>): Decodable {
    for (const [name, tensor] of Object.entries(params)) {
      const known = this.parameters.params[name];
      check(
        known !== undefined &&
          tensor instanceof tf.Tensor &&
          tf.util.arraysEqual([...known.shape], tensor.shape),
        () =>
          new ArgumentError(
            `with: '${name}' must be one of ${Object.entries(this.parameters.params).map(([n, { shape }]) => `${n} [${shape.join(', ')}]`)}, ` +
              `got [${tensor?.shape}]`,
          ),
      );
    }
    const { codec, shape, constants } = this;
    return { codec, shape, constants, params: { ...this.params, ...params } };
  }

  /**
   * Reads what `bytes` holds.
   * @throws FormatError for damaged or foreign bytes, and for a codec that is not there (provideCodec).
   */
  static async fromBytes(bytes: Uint8Array, options: FromBytesOptions = {}): Promise<CompressedWavetable> {
    return CompressedWavetable.read(bytes, options);
  }

  /** fromBytes at once, for codecs that are loaded. */
  static read(bytes: Uint8Array, options: FromBytesOptions = {}): CompressedWavetable {
    checkOptionNames('CompressedWavetable.fromBytes', options, ['verify', 'source']);
    check(
      bytes instanceof Uint8Array,
      () =>
        new ArgumentError(`CompressedWavetable.fromBytes: bytes must be a Uint8Array, got ${shown(bytes)}`),
    );
    const { verify = true, source = 'bytes' } = options;
    const contents = readContainer(bytes, source, verify);
    const { codec: id, shape, achieved } = contents;
    const parameters = parametersOf(codecFor(id, contents.version, source), contents, source);
    return new CompressedWavetable(id, shape, achieved, new Uint8Array(bytes), parameters);
  }

  /** What a codec made and measured. */
  static of(
    codec: WavetableCodec,
    shape: NodeShape,
    achieved: Achieved,
    payload: Uint8Array,
    parameters: Parameters,
  ): CompressedWavetable {
    const { maxError, psnr, relativeError } = achieved;
    const contents = { codec: codec.id, version: codec.version, kind: PayloadKind.Codec, shape, payload };
    const bytes = writeContainer({ ...contents, achieved: { maxError, psnr, relativeError } });
    return new CompressedWavetable(codec.id, shape, { maxError, psnr, relativeError }, bytes, parameters);
  }

  /**
   * Parameters as they are: trained, or set by hand; copied. No error is known of them.
   * @throws FormatError for what the codec cannot decode, and for values that are not finite unless the codec takes them.
   */
  static ofParameters(codec: WavetableCodec, shape: NodeShape, parameters: Parameters): CompressedWavetable {
    checkRaw(codec, parameters, shape, codec.id);
    const achieved = UNKNOWN;
    const contents = { codec: codec.id, version: codec.version, kind: PayloadKind.Raw, shape, achieved };
    const payload = writeRaw(parameters);
    const bytes = writeContainer({ ...contents, payload });
    // Read back: copies of the caller's arrays.
    return new CompressedWavetable(codec.id, [...shape], achieved, bytes, readRaw(payload, codec.id));
  }

  /** `bytes` with trained params in the place of their own; their constants stay as they were coded. No error is known of it. */
  static ofTrained(bytes: Uint8Array, params: Parameters['params']): CompressedWavetable {
    const before = readContainer(bytes, 'trained', false);
    const codec = codecFor(before.codec, before.version, 'trained');
    const { constants } = parametersOf(codec, before, 'trained');
    const parameters = { params, constants };
    if (before.kind === PayloadKind.Raw || Object.keys(constants).length === 0) {
      return CompressedWavetable.ofParameters(codec, before.shape, parameters);
    }
    checkRaw(codec, parameters, before.shape, codec.id);
    const own =
      before.kind === PayloadKind.Trained ? splitTrained(before.payload, 'trained').own : before.payload;
    const out = new ByteWriter();
    out.varint(own.length);
    out.bytes(own);
    out.bytes(writeRaw({ params, constants: {} }));
    const contents = { ...before, kind: PayloadKind.Trained, achieved: UNKNOWN, payload: out.finish() };
    return new CompressedWavetable(codec.id, before.shape, UNKNOWN, writeContainer(contents), parameters);
  }

  /** Frees the tensors; `bytes` stay. */
  dispose(): void {
    this.#disposed = true;
    if (this.#tensors) tf.dispose([this.#tensors.params, this.#tensors.constants]);
    this.#tensors = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #onDevice(): { params: Tensors; constants: Tensors } {
    check(!this.#disposed, () => new DisposedError('CompressedWavetable: it is disposed'));
    if (!this.#tensors) {
      const kept = (arrays: Parameters['params']) => {
        const tensors = tensorsOf(arrays);
        for (const tensor of Object.values(tensors)) tf.keep(tensor);
        return tensors;
      };
      this.#tensors = { params: kept(this.parameters.params), constants: kept(this.parameters.constants) };
    }
    return this.#tensors;
  }
}

/** @throws FormatError unless parameters that are stored as they are fit the shape, and each array its own. */
function checkRaw(codec: WavetableCodec, parameters: Parameters, shape: NodeShape, source: string): void {
  const arrays = [...Object.entries(parameters.params), ...Object.entries(parameters.constants)];
  for (const [name, { shape: own, values }] of arrays) {
    check(
      values.length === sizeOf(own),
      () => new FormatError(source, `'${name}' must be [${own.join(', ')}], got ${values.length} values`),
    );
    check(
      codec.takesNonFinite || values.every(Number.isFinite),
      () => new FormatError(source, `'${name}' must be finite`),
    );
  }
  codec.checkParameters(parameters, shape, source);
}
