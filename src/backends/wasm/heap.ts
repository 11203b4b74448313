/**
 * The typed boundary to tfjs's internals: the heap of its wasm backend, where our kernels read and write tensors in
 * place, and the values of its cpu backend.
 */
import * as tf from '@tensorflow/tfjs';
import { check, DeviceError } from '../../errors.js';
import { type Flavour, instantiate, type Kernels } from './binary.js';
import { guardMalloc, type MallocModule } from './malloc.js';

/** What is used of emscripten's module: memory is `asm.memory`, or `wasmMemory` in the threaded build. */
interface WasmModule extends MallocModule {
  asm?: { memory?: WebAssembly.Memory };
  wasmMemory?: WebAssembly.Memory;
}

export type Values = Float32Array | Int32Array | Uint8Array | Uint8Array[];
type Read = (dataId: object, start?: number, end?: number) => Values;

/** What is used of BackendWasm. */
export interface WasmBackend {
  wasm: WasmModule;
  dataIdMap: { get(dataId: object): { memoryOffset: number; dtype: tf.DataType; shape: number[] } };
  makeOutput(shape: number[], dtype: tf.DataType, memoryOffset?: number, values?: Values): tf.TensorInfo;
  readSync: Read;
  incRef(dataId: object): void;
}

/** What is used of MathBackendCPU. */
export interface CpuBackend {
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: Values): tf.TensorInfo;
  readSync: Read;
  disposeData(dataId: object): boolean;
}

/** What kernels get: tensors, or arrays of them, by name or by place. */
export type KernelInputs = tf.NamedTensorInfoMap;

export function cpuBackend(): CpuBackend {
  return tf.engine().findBackend('cpu') as unknown as CpuBackend;
}

function memoryOf(module: WasmModule): WebAssembly.Memory {
  const memory = module.wasmMemory ?? module.asm?.memory;
  check(
    memory !== undefined,
    () => new DeviceError('wasm: tfjs-backend-wasm 4.22.0 is expected; its heap was not found'),
  );
  return memory;
}

export function flavourOf(backend: WasmBackend): Flavour {
  const { buffer } = memoryOf(backend.wasm);
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer
    ? 'shared'
    : 'unshared';
}

/** Scratch kept between calls: what narrow rows need at most (kernels/wasm/layout.ts), so that their training never allocates. */
const KEPT_BYTES = 64 * 1024 * 1024 + 65536;

/** Our kernels on one backend object's heap, with an arena for their scratch. */
export class Heap {
  readonly kernels: Kernels;
  private readonly memory: WebAssembly.Memory;
  private arena = 0;
  private arenaBytes = 0;

  constructor(private readonly backend: WasmBackend) {
    this.memory = memoryOf(backend.wasm);
    this.kernels = instantiate(flavourOf(backend), this.memory);
    guardMalloc(backend.wasm, this.memory);
    readComplex(backend, this);
  }

  /** Where a tensor's data begins, after moving it here if it lies on another backend. */
  offsetOf(x: tf.TensorInfo): number {
    return this.backend.dataIdMap.get(x.dataId).memoryOffset;
  }

  /** A new tensor, its contents undefined. @throws DeviceError if the heap cannot hold it. */
  output(shape: number[], dtype: tf.DataType): tf.TensorInfo {
    return this.backend.makeOutput(shape, dtype);
  }

  /**
   * Runs `body` with at least `bytes` of scratch. The arena is kept for the next call up to KEPT_BYTES, and given back
   * beyond: one call of many wide rows must not cost its scratch for ever.
   * @throws DeviceError if the heap cannot hold it.
   */
  withScratch<T>(bytes: number, body: (scratch: number) => T): T {
    if (bytes > this.arenaBytes) {
      this.freeArena();
      this.arena = this.backend.wasm._malloc(bytes) >>> 0;
      this.arenaBytes = bytes;
    }
    try {
      return body(this.arena);
    } finally {
      if (this.arenaBytes > KEPT_BYTES) this.freeArena();
    }
  }

  private freeArena(): void {
    this.backend.wasm._free(this.arena);
    this.arena = 0;
    this.arenaBytes = 0;
  }

  /** A view that lasts until the next allocation: growing the heap detaches it. */
  bytes(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, offset, length);
  }
}

/** tfjs's own readSync has no view for complex64, which lies interleaved at eight bytes an element. */
function readComplex(backend: WasmBackend, heap: Heap): void {
  const readSync: Read = backend.readSync.bind(backend);
  backend.readSync = (dataId, start, end) => {
    const { dtype, shape, memoryOffset } = backend.dataIdMap.get(dataId);
    if (dtype !== 'complex64') return readSync(dataId, start, end);
    const from = start ?? 0;
    const to = end ?? tf.util.sizeFromShape(shape);
    return new Float32Array(heap.bytes(memoryOffset + 8 * from, 8 * (to - from)).slice().buffer);
  };
}

const heaps = new WeakMap<WasmBackend, Heap>();

/** The heap of a backend object; one that tfjs made anew gets its own. */
export function heapOf(backend: WasmBackend): Heap {
  let heap = heaps.get(backend);
  if (!heap) heaps.set(backend, (heap = new Heap(backend)));
  return heap;
}

/** The active wasm backend. */
export function activeWasm(): WasmBackend {
  return tf.backend() as unknown as WasmBackend;
}
