/** The Fourier kernels of ops/waves.ts on wasm: plans and terms go to scratch, kernels/wasm/waves.ts and wavesadjoint.ts do the rest. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { type LinePlan, linePlan } from '../../ops/fourierplan.js';
import { replaceKernel } from '../../ops/register.js';
import { type AxisTerms, WAVES, WAVES_ADJOINT, type WavesAttrs } from '../../ops/waves.js';
import { type Heap, heapOf, type WasmBackend } from './heap.js';

/** Bytes before a plan's factors: kernels/wasm/fourierpasses.ts. */
const HEADER_BYTES = 160;
const RADICES_AT = 5;

/** A plan as the kernels read it. */
function bytesOf(plan: LinePlan): Uint8Array {
  const { points, roots, radices } = plan;
  const factors: number[] = [];
  let m = points;
  let s = 1;
  const put = (k: number) => factors.push(roots[2 * (k % points)], roots[2 * (k % points) + 1]);
  for (const r of radices) {
    m /= r;
    if (r > 5) for (let k = 0; k < r; k++) put((points / r) * k);
    for (let p = 0; p < m; p++) for (let j = 1; j < r; j++) put(s * p * j);
    s *= r;
  }
  const chirpAt = HEADER_BYTES + 4 * factors.length;
  const responseAt = chirpAt + 8 * plan.size;
  const header = new Int32Array(HEADER_BYTES / 4);
  header.set([plan.size, points, radices.length]);
  if (plan.chirp) header.set([chirpAt, responseAt], 3);
  header.set(radices, RADICES_AT);
  const floats = Float32Array.from([...factors, ...(plan.chirp ?? []), ...(plan.response ?? [])]);
  const out = new Uint8Array(HEADER_BYTES + floats.byteLength);
  out.set(new Uint8Array(header.buffer));
  out.set(new Uint8Array(floats.buffer), HEADER_BYTES);
  return out;
}

const kept = new WeakMap<LinePlan, Uint8Array>();

export function planBytes(size: number): Uint8Array {
  const plan = linePlan(size);
  let bytes = kept.get(plan);
  if (!bytes) kept.set(plan, (bytes = bytesOf(plan)));
  return bytes;
}

function termBytes({ entry, frequency, re, im }: AxisTerms): Uint8Array {
  const words = new Int32Array(4 * entry.length);
  const floats = new Float32Array(words.buffer);
  for (let t = 0; t < entry.length; t++) {
    words[4 * t] = entry[t];
    words[4 * t + 1] = frequency[t];
    floats[4 * t + 2] = re[t];
    floats[4 * t + 3] = im[t];
  }
  return new Uint8Array(words.buffer);
}

/** Runs one of the two on a batch; `channels` of the wavetable. */
function run(
  heap: Heap,
  kernel: 'waves' | 'wavesAdjoint',
  input: TensorInfo,
  shape: number[],
  channels: number,
  { rows, columns }: WavesAttrs,
): TensorInfo {
  if (shape.includes(0)) return heap.output(shape, 'float32');
  const blobs = [planBytes(rows.size), planBytes(columns.size), termBytes(rows), termBytes(columns)];
  const points = Math.max(linePlan(rows.size).points, linePlan(columns.size).points);
  const midBytes = 16 * Math.ceil((columns.entries * channels) / 4) * rows.size;
  const offsets: number[] = [];
  let bytes = 0;
  for (const length of [...blobs.map((blob) => blob.length), 2 * midBytes, 32 * points, 32 * points]) {
    offsets.push(bytes);
    // Reading on beyond the end of a row must stay inside.
    bytes += 16 * Math.ceil(length / 16) + 16;
  }
  return heap.withScratch(bytes + 16, (scratch) => {
    const out = heap.output(shape, 'float32');
    const base = 16 * Math.ceil(scratch / 16);
    const at = offsets.map((offset) => base + offset);
    blobs.forEach((blob, i) => {
      heap.bytes(at[i], blob.length).set(blob);
    });
    heap.kernels[kernel](
      heap.offsetOf(out),
      heap.offsetOf(input),
      shape[0],
      channels,
      rows.entries,
      columns.entries,
      at[0],
      at[1],
      at[2],
      rows.entry.length,
      at[3],
      columns.entry.length,
      at[4],
      midBytes,
      at[5],
      at[6],
    );
    return out;
  });
}

export function registerFourier(): void {
  replaceKernel('wasm', WAVES, ({ inputs, attrs, backend }) => {
    const { rows, columns } = attrs as unknown as WavesAttrs;
    const y = inputs.y as TensorInfo;
    const [count, , , parts] = y.shape;
    const shape = [count, rows.size, columns.size, parts / 2];
    return run(heapOf(backend as unknown as WasmBackend), 'waves', y, shape, parts / 2, { rows, columns });
  });
  replaceKernel('wasm', WAVES_ADJOINT, ({ inputs, attrs, backend }) => {
    const { rows, columns } = attrs as unknown as WavesAttrs;
    const x = inputs.x as TensorInfo;
    const [count, , , channels] = x.shape;
    const shape = [count, rows.entries, columns.entries, 2 * channels];
    return run(heapOf(backend as unknown as WasmBackend), 'wavesAdjoint', x, shape, channels, {
      rows,
      columns,
    });
  });
}
