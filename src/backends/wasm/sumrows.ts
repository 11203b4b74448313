/** WavecubeSumRows on wasm. Contract: ops/sumrowscontract.ts; source: kernels/wasm/sumrows.ts and separable.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { SUM_ROWS, type SumRowsAttrs } from '../../ops/sumrowscontract.js';
import { type Heap, heapOf, type WasmBackend } from './heap.js';
import { Product } from './separable.js';

/** Rows that all parts are added to before the next ones: they stay in the cache. */
const BLOCK_BYTES = 256 * 1024;

interface Source {
  /** Where its first row is, and bytes of a row. */
  from: number;
  step: number;
  product: Product | null;
  rows: Int32Array;
}

/** Adds the sources to the rows of the result, each row's first one written. */
function sum(heap: Heap, sources: readonly Source[], out: number, n: number, payload: number): void {
  const { kernels } = heap;
  const bytes = 4 * payload;
  const block = Math.max(1, Math.floor(BLOCK_BYTES / bytes));
  const written = new Uint8Array(n);
  for (let first = 0; first < n; first += block) {
    const end = Math.min(n, first + block);
    for (const { from, step, product, rows } of sources) {
      for (let i = first; i < end; ) {
        const k = rows[i];
        const more = written[i];
        let count = 1;
        if (k < 0) {
          i++;
          continue;
        }
        // Images that follow each other go through a product together.
        while (i + count < end && rows[i + count] === k + count && written[i + count] === more) count++;
        const row = out + i * bytes;
        if (product) kernels.separableRun(product.at, row, from + k * step, count, more);
        else kernels.sumRow(row, more ? row : from + k * step, more ? from + k * step : 0, count * payload);
        written.fill(1, i, i + count);
        i += count;
      }
    }
    for (let i = first; i < end; i++) if (!written[i]) kernels.sumRow(out + i * bytes, 0, 0, payload);
  }
}

export function registerSumRows(): void {
  replaceKernel('wasm', SUM_ROWS, ({ inputs, attrs, backend }) => {
    const heap = heapOf(backend as WasmBackend);
    const given = inputs as Record<string, TensorInfo>;
    const { shape, sources, maps } = attrs as unknown as SumRowsAttrs;
    const [n, h, w, c] = shape;
    if (shape.includes(0)) return heap.output(shape, 'float32');
    const all: Source[] = sources.map((rows, b) => {
      const x = given[`p${b}`];
      const map = maps[b];
      const call = map && { inputs: { x, left: given[`l${b}`], right: given[`r${b}`] }, attrs: map, backend };
      return {
        from: heap.offsetOf(x),
        step: 4 * x.shape[1] * x.shape[2] * x.shape[3],
        product: call && x.shape[0] > 0 ? new Product(heap, call) : null,
        rows,
      };
    });
    const bytes = all.reduce((total, { product }) => total + (product?.bytes ?? 0), 16);
    return heap.withScratch(bytes, (scratch) => {
      const out = heap.output(shape, 'float32');
      let at = scratch;
      for (const { product } of all) {
        product?.open(at);
        at += product?.bytes ?? 0;
      }
      sum(heap, all, heap.offsetOf(out), n, h * w * c);
      return out;
    });
  });
}
