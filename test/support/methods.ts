/** Every method in float64, of cubes at index coordinates: the oracles of stencils put together as grid/methods.ts says. */
import type { Boundary, InterpolationMethod } from '../../src/index.js';
import { monotoneAxes, monotoneOracle } from './monotone.js';
import { type Field, sampleOracle } from './oracle.js';
import { axisNodeWeights, type Method, tapsOracle } from './tapsoracle.js';

export interface MethodField extends Field {
  /** Nodes of the tangents along x, y, z. */
  tangents?: Field['node'][];
}

const CARDINAL = -0.5;

export function methodOracle(
  field: MethodField,
  method: InterpolationMethod,
  r: ArrayLike<number>,
  a = CARDINAL,
): Float64Array {
  const at = [r[0], r[1], r[2]];
  if (!at.every(Number.isFinite)) return new Float64Array(field.payload).fill(Number.NaN);
  switch (method) {
    case 'linear':
      return sampleOracle(field, r);
    case 'nearest':
      return sampleOracle(
        field,
        at.map((x) => Math.floor(x + 0.5)),
      );
    case 'smoothstep':
      return sampleOracle(field, at.map(eased));
    case 'cardinal':
    case 'catmull-rom':
      return tapsOracle(field, threeOf({ basis: 'cardinal', a }), r);
    case 'bspline':
      return tapsOracle(coefficientField(field), threeOf({ basis: 'bspline', a }), r);
    case 'monotone':
      return monotoneOracle(field, monotoneAxes(field, r));
    case 'hermite': {
      const sum = tapsOracle(field, threeOf({ basis: 'hermite', a }), r);
      field.tangents?.forEach((node, axis) => {
        const methods = threeOf({ basis: 'hermite', a });
        methods[axis] = { basis: 'hermite-tangent', a };
        tapsOracle({ ...field, node }, methods, r).forEach((v, f) => {
          sum[f] += v;
        });
      });
      return sum;
    }
  }
}

const threeOf = (method: Method): Method[] => [{ ...method }, { ...method }, { ...method }];

function eased(r: number): number {
  const g = Math.floor(r);
  const f = r - g;
  return g + f * f * (3 - 2 * f);
}

const solved = new WeakMap<Field['node'], Field>();

/** The field of coefficients whose B-spline takes the field's values at nodes. */
export function coefficientField(field: Field): Field {
  let found = solved.get(field.node);
  if (!found) {
    const { dims, payload } = field;
    const cells = dims[0] * dims[1] * dims[2];
    let rows = Array.from({ length: cells }, (_, cell) =>
      Float64Array.from(field.node(cell) ?? new Float64Array(payload)),
    );
    dims.forEach((n, axis) => {
      const inverse = splineInverse(n, field.boundary[axis]);
      const stride = [dims[1] * dims[2], dims[2], 1][axis];
      rows = rows.map((_, cell) => {
        const i = Math.floor(cell / stride) % n;
        const out = new Float64Array(payload);
        for (let k = 0; k < n; k++) {
          const line = rows[cell + (k - i) * stride];
          for (let f = 0; f < payload; f++) out[f] += inverse[i][k] * line[f];
        }
        return out;
      });
    });
    found = { ...field, node: (cell) => rows[cell] };
    solved.set(field.node, found);
  }
  return found;
}

/** Gauss-Jordan of the spline's values at the nodes of an axis. */
function splineInverse(n: number, boundary: Boundary): number[][] {
  const rows = Array.from({ length: n }, (_, i) => [
    ...axisNodeWeights(i, n, boundary, { basis: 'bspline', a: 0 }),
    ...Array.from({ length: n }, (_, k) => Number(k === i)),
  ]);
  for (let i = 0; i < n; i++) {
    const pivot = rows[i][i];
    rows[i] = rows[i].map((v) => v / pivot);
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const factor = rows[j][i];
      rows[j] = rows[j].map((v, k) => v - factor * rows[i][k]);
    }
  }
  return rows.map((row) => row.slice(n));
}
