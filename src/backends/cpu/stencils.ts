/** WavecubeStencil and WavecubeStencilTaps (ops/tapscontract.ts): interpolation/taps.ts itself. */
import { axisTaps } from '../../interpolation/taps.js';
import type { StencilAttrs } from '../../ops/tapscontract.js';

const nodes = new Int32Array(4);
const weights = new Float64Array(4);

const isFinite3 = (coords: Float32Array, i: number) =>
  Number.isFinite(coords[3 * i] + coords[3 * i + 1] + coords[3 * i + 2]);

/** Calls `found` with each axis of sample i: its place in the results, with `nodes` and `weights` filled; or `blank`. */
function eachAxis(
  coords: Float32Array,
  { dims, boundary, basis, a, order }: StencilAttrs,
  found: (at: number) => void,
  blank: (at: number) => void,
): void {
  for (let i = 0; i < coords.length / 3; i++) {
    const finite = isFinite3(coords, i);
    for (let j = 0; j < 3; j++) {
      const at = 12 * i + 4 * j;
      if (!finite) {
        blank(at);
        continue;
      }
      axisTaps(coords[3 * i + j], dims[j], boundary[j], basis[j], a, order, nodes, weights);
      found(at);
    }
  }
}

/** out [N, 3, 4]. */
export function stencil(coords: Float32Array, attrs: StencilAttrs, out: Float32Array): void {
  const none = attrs.order === 0 ? Number.NaN : 0;
  eachAxis(
    coords,
    attrs,
    (at) => out.set(weights, at),
    (at) => out.fill(none, at, at + 4),
  );
}

/** out [N, 3, 4]. */
export function stencilTaps(coords: Float32Array, attrs: StencilAttrs, out: Int32Array): void {
  eachAxis(
    coords,
    attrs,
    (at) => out.set(nodes, at),
    (at) => out.fill(-1, at, at + 4),
  );
}
