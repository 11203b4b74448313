/** The compiled kernels (kernels/wasm, built by kernels/build.mjs) and their signatures. Pointers are byte offsets. */
import { check, DeviceError } from '../../errors.js';
import { shared, unshared } from './binary.generated.js';
import type { WasmGaussians } from './gaussians.js';
import type { WasmMonotone } from './monotone.js';
import type { WasmTaps } from './taps.js';

/** The exports of kernels/wasm/index.ts. A tangent of 0 is none. */
export interface Kernels extends WasmGaussians, WasmMonotone, WasmTaps {
  setGrid(
    grid: number,
    dimX: number,
    dimY: number,
    dimZ: number,
    boundaryX: number,
    boundaryY: number,
    boundaryZ: number,
    firstRow: number,
    rows: number,
    ordered: number,
  ): void;
  /** Bytes of scratch that a call with this grid and these coordinates needs at most; coords 0 for a splat. */
  scratchBytes(n: number, payload: number, rows: number, coords: number): number;
  sample(
    out: number,
    nodes: number,
    coords: number,
    tangent: number,
    n: number,
    payload: number,
    half: number,
    scratch: number,
  ): void;
  splat(
    out: number,
    values: number,
    coords: number,
    tangent: number,
    n: number,
    payload: number,
    scratch: number,
  ): void;
  coordGrad(
    out: number,
    nodes: number,
    coords: number,
    values: number,
    tangent: number,
    n: number,
    payload: number,
    half: number,
    scratch: number,
  ): void;
  /** A row of WavecubeSumRows; b 0: none; a 0 too: zeros. */
  sumRow(out: number, a: number, b: number, count: number): void;
  /** w and kw are floats of a row. */
  addBox(out: number, x: number, y: number, n: number, h: number, w: number, kh: number, kw: number): void;
  /** Coordinates moved by nearest and smoothstep; by 0: none. */
  ease(
    out: number,
    coords: number,
    by: number,
    n: number,
    nearest: number,
    order: number,
    endX: number,
    endY: number,
    endZ: number,
  ): void;
  meanSquare(out: number, x: number, size: number): void;
  meanSquareGrad(out: number, x: number, dy: number, size: number): void;
  /** Bytes of scratch that `separableOpen` needs at most. */
  separableBytes(n: number, fromH: number, fromW: number, toH: number, toW: number, channels: number): number;
  /** Lays out a product for separableRun. */
  separableOpen(
    left: number,
    right: number,
    n: number,
    fromH: number,
    fromW: number,
    toH: number,
    toW: number,
    channels: number,
    leftSymmetry: number,
    rightSymmetry: number,
    adjoint: number,
    leftResampling: number,
    rightResampling: number,
    scratch: number,
  ): number;
  /** Multiplies n images; where `more` the result is added to what stands at `out`. */
  separableRun(product: number, out: number, x: number, n: number, more: number): void;
  /** plan: [n, 4] float32 (ops/tridiagonalplan.ts). */
  tridiagonal(
    out: number,
    x: number,
    plan: number,
    outer: number,
    n: number,
    width: number,
    cyclic: number,
  ): void;
  waves: WavesKernel;
  wavesAdjoint: WavesKernel;
  waveletPass(
    x: number,
    width: number,
    channels: number,
    h: number,
    w: number,
    axis: number,
    indices: number,
    weights: number,
    taps: number,
    scratch: number,
  ): void;
}

/** kernels/wasm/waves.ts and wavesadjoint.ts; channels are the wavetable's. */
type WavesKernel = (
  out: number,
  input: number,
  n: number,
  channels: number,
  rowEntries: number,
  columnEntries: number,
  rowPlan: number,
  columnPlan: number,
  rowTerms: number,
  rowCount: number,
  columnTerms: number,
  columnCount: number,
  mid: number,
  midBytes: number,
  a: number,
  b: number,
) => void;

/** tfjs's threaded build has a shared memory, which only a module made for it can import. */
export type Flavour = 'unshared' | 'shared';

const modules = new Map<Flavour, WebAssembly.Module>();

/** The bytes of a binary. */
export function binary(flavour: Flavour): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(flavour === 'shared' ? shared : unshared), (c) => c.charCodeAt(0));
}

/** Compiles a flavour once. @throws DeviceError where the engine lacks SIMD. */
export async function compile(flavour: Flavour): Promise<void> {
  if (modules.has(flavour)) return;
  try {
    modules.set(flavour, await WebAssembly.compile(binary(flavour)));
  } catch (cause) {
    throw new DeviceError(
      "useWasm: this engine does not compile WebAssembly SIMD; ready({ backend: 'cpu' })",
      {
        cause,
      },
    );
  }
}

/** Kernels on a memory. Synchronous, for a backend that tfjs made anew; `compile` has to have run. */
export function instantiate(flavour: Flavour, memory: WebAssembly.Memory): Kernels {
  const module = modules.get(flavour);
  check(
    module !== undefined,
    () => new DeviceError('wasm: the kernels are not compiled; await useWasm() before the first op'),
  );
  // The kernels raise nothing; AssemblyScript's runtime insists on the import in some builds.
  const imports = { env: { memory, abort: () => {} } };
  return new WebAssembly.Instance(module, imports).exports as unknown as Kernels;
}
