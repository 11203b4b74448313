/**
 * The eight taps of one sample after another, in float64, from the shared stencil (interpolation/stencil.ts).
 * Tap k = 4a + 2b + c takes the lower (0) or upper (1) neighbour along x, y, z by its bits a, b, c.
 */
import { axisStencil, tapNode } from '../../interpolation/stencil.js';
import type { SamplingAttrs } from '../../ops/contract.js';

export class Taps {
  /** Row in the page of each tap, −1 where there is no node. */
  readonly row = new Int32Array(8);
  /** w_k, or D_h w_k after `tangentWeights`. */
  readonly weight = new Float64Array(8);
  /** Weights (lower, upper) of each axis, and their derivatives. */
  private readonly w = new Float64Array(6);
  private readonly d = new Float64Array(6);
  private readonly node = new Int32Array(6);
  private readonly plain: boolean;
  private readonly axis = { base: 0, fraction: 0, slope: 0 };

  constructor(
    private readonly coords: Float32Array,
    private readonly grid: Int32Array,
    private readonly dims: number[],
    private readonly attrs: SamplingAttrs,
  ) {
    this.plain = attrs.ordered && attrs.boundary.every((code) => code === 0) && dims.every((n) => n > 1);
  }

  /** Moves to sample i; false, and nothing else, where its coordinates are not finite. */
  moveTo(i: number): boolean {
    return this.plain ? this.moveInside(i) : this.moveAnywhere(i);
  }

  /** The common case: clamped axes of two nodes or more, every cell with its own row. No tap is ever absent. */
  private moveInside(i: number): boolean {
    const { coords, dims, w, d, row } = this;
    let cell = 0;
    for (let j = 0; j < 3; j++) {
      const r = coords[3 * i + j];
      if (r - r !== 0) return false;
      const last = dims[j] - 1;
      const c = r < 0 ? 0 : r > last ? last : r;
      let base = c | 0;
      if (base === last) base--;
      const fraction = c - base;
      const slope = c === r ? 1 : 0;
      w[2 * j] = 1 - fraction;
      w[2 * j + 1] = fraction;
      d[2 * j] = -slope;
      d[2 * j + 1] = slope;
      cell = cell * dims[j] + base;
    }
    const ny = dims[2];
    const nx = dims[1] * ny;
    row[0] = cell;
    row[1] = cell + 1;
    row[2] = cell + ny;
    row[3] = cell + ny + 1;
    row[4] = cell + nx;
    row[5] = cell + nx + 1;
    row[6] = cell + nx + ny;
    row[7] = cell + nx + ny + 1;
    return true;
  }

  private moveAnywhere(i: number): boolean {
    const { coords, dims, axis, w, d, node } = this;
    const { boundary } = this.attrs;
    for (let j = 0; j < 3; j++) {
      const r = coords[3 * i + j];
      if (r - r !== 0) return false;
      axisStencil(r, dims[j], boundary[j], axis);
      w[2 * j] = 1 - axis.fraction;
      w[2 * j + 1] = axis.fraction;
      d[2 * j] = -axis.slope;
      d[2 * j + 1] = axis.slope;
      node[2 * j] = tapNode(axis.base, dims[j], boundary[j]);
      node[2 * j + 1] = tapNode(axis.base + 1, dims[j], boundary[j]);
    }
    const { row, grid } = this;
    const { firstRow, rows } = this.attrs;
    for (let k = 0; k < 8; k++) {
      const x = node[k >> 2];
      const y = node[2 + ((k >> 1) & 1)];
      const z = node[4 + (k & 1)];
      const r = (x | y | z) < 0 ? -1 : grid[(x * dims[1] + y) * dims[2] + z] - firstRow;
      row[k] = r < rows ? r : -1;
    }
    return true;
  }

  /** weight[k] = w_k. */
  valueWeights(): void {
    const { w, weight } = this;
    const w00 = w[0] * w[2];
    const w01 = w[0] * w[3];
    const w10 = w[1] * w[2];
    const w11 = w[1] * w[3];
    weight[0] = w00 * w[4];
    weight[1] = w00 * w[5];
    weight[2] = w01 * w[4];
    weight[3] = w01 * w[5];
    weight[4] = w10 * w[4];
    weight[5] = w10 * w[5];
    weight[6] = w11 * w[4];
    weight[7] = w11 * w[5];
  }

  /** weight[k] = Σ_j h_j ∂w_k/∂r_j. */
  tangentWeights(hx: number, hy: number, hz: number): void {
    const { w, d, weight } = this;
    for (let k = 0; k < 8; k++) {
      const a = k >> 2;
      const b = 2 + ((k >> 1) & 1);
      const c = 4 + (k & 1);
      weight[k] = hx * d[a] * w[b] * w[c] + hy * w[a] * d[b] * w[c] + hz * w[a] * w[b] * d[c];
    }
  }

  /** out[j] = Σ_k ∂w_k/∂r_j · dot[k]. */
  coordGrad(dot: Float64Array, out: Float64Array): void {
    const { w, d } = this;
    // Blend the eight products down one axis at a time; a derivative is a difference on its own axis.
    const y00 = dot[0] * w[4] + dot[1] * w[5];
    const y01 = dot[2] * w[4] + dot[3] * w[5];
    const y10 = dot[4] * w[4] + dot[5] * w[5];
    const y11 = dot[6] * w[4] + dot[7] * w[5];
    const z00 = dot[1] - dot[0];
    const z01 = dot[3] - dot[2];
    const z10 = dot[5] - dot[4];
    const z11 = dot[7] - dot[6];
    out[0] = d[1] * (y10 * w[2] + y11 * w[3] - y00 * w[2] - y01 * w[3]);
    out[1] = d[3] * (w[0] * (y01 - y00) + w[1] * (y11 - y10));
    out[2] = d[5] * (w[0] * (w[2] * z00 + w[3] * z01) + w[1] * (w[2] * z10 + w[3] * z11));
  }

  /** out[j] = Σ_k ∂(D_h w_k)/∂r_j · dot[k]; along one axis the linear weight has no second derivative. */
  coordGradTangent(dot: Float64Array, hx: number, hy: number, hz: number, out: Float64Array): void {
    const { w, d } = this;
    out.fill(0);
    for (let k = 0; k < 8; k++) {
      const a = k >> 2;
      const b = 2 + ((k >> 1) & 1);
      const c = 4 + (k & 1);
      out[0] += dot[k] * d[a] * (hy * d[b] * w[c] + hz * w[b] * d[c]);
      out[1] += dot[k] * d[b] * (hx * d[a] * w[c] + hz * w[a] * d[c]);
      out[2] += dot[k] * d[c] * (hx * d[a] * w[b] + hy * w[a] * d[b]);
    }
  }
}
