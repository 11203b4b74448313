import * as tf from '@tensorflow/tfjs';
import { boundaryCode } from '../../src/interpolation/stencil.js';
import type { Basis } from '../../src/interpolation/taps.js';
import { splineCoefficients } from '../../src/ops/spline.js';
import { stencilOf, tapRows } from '../../src/ops/taps.js';
import golden from '../golden/interpolation.json' with { type: 'json' };
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, magnitude } from '../support/numbers.js';
import { specOf } from '../support/tapscases.js';

/** The bar of the method against its peers, as a part of the largest node. */
const PEER_TOLERANCE = 1e-5;

type Dims = [number, number, number];

/** [N] samples of nodes [X·Y·Z, 1] in cell order. */
function samples(
  nodes: tf.Tensor2D,
  dims: Dims,
  coords: number[],
  code: number,
  basis: Basis,
  a = 0,
): tf.Tensor {
  return tf.tidy(() => {
    const cells = nodes.shape[0];
    const grid = tf.tensor3d(
      Int32Array.from({ length: cells }, (_, i) => i),
      dims,
      'int32',
    );
    const at = tf.tensor2d(coords, [coords.length / 3, 3]);
    const stencil = stencilOf(at, specOf(dims, [code, code, code], [basis, basis, basis], a));
    return tapRows(nodes, grid, stencil, {
      payload: 1,
      half: false,
      firstRow: 0,
      rows: cells,
      ordered: true,
    });
  });
}

eachBackend('cubic methods equal their peers', () => {
  for (const [boundary, mode] of [
    ['reflect', 'mirror'],
    ['wrap', 'grid-wrap'],
  ] as const) {
    it(`B-spline, ${boundary}: SciPy's map_coordinates, order 3, '${mode}'`, () =>
      withoutLeaks(async () => {
        const { dims, nodes, coords } = golden.spline;
        const code = boundaryCode(boundary);
        const rows = tf.tensor2d(nodes, [nodes.length, 1]);
        const coefficients = splineCoefficients(rows, dims as Dims, [code, code, code]);
        const out = samples(coefficients, dims as Dims, coords, code, 'bspline');
        expectClose(await out.data(), golden.spline[mode], PEER_TOLERANCE * magnitude(nodes));
        tf.dispose([rows, coefficients, out]);
      }));
  }

  it("cardinal of a = -0.75, clamp: PyTorch's bicubic grid_sample", () =>
    withoutLeaks(async () => {
      const { dims, nodes, coords } = golden.bicubic;
      const rows = tf.tensor2d(nodes, [nodes.length, 1]);
      const at = Array.from({ length: coords.length / 2 }, (_, i) => [coords[2 * i], coords[2 * i + 1], 0]);
      const out = samples(rows, [dims[0], dims[1], 1], at.flat(), boundaryCode('clamp'), 'cardinal', -0.75);
      expectClose(await out.data(), golden.bicubic.samples, PEER_TOLERANCE * magnitude(nodes));
      tf.dispose([rows, out]);
    }));

  it("Hermite: SciPy's CubicHermiteSpline", () =>
    withoutLeaks(async () => {
      const { values, tangents, coords } = golden.hermite;
      const at = coords.flatMap((r) => [r, 0, 0]);
      // Along x; y and z have one node each, whose tangent counts for nothing.
      const part = (rows: number[], basis: Basis) =>
        tf.tidy(() => {
          const grid = tf.tensor3d([0, 1, 2, 3, 4, 5, 6], [7, 1, 1], 'int32');
          const spec = specOf([7, 1, 1], [0, 0, 0], [basis, 'hermite', 'hermite'], 0);
          const stencil = stencilOf(tf.tensor2d(at, [coords.length, 3]), spec);
          const attrs = { payload: 1, half: false, firstRow: 0, rows: 7, ordered: true };
          return tapRows(tf.tensor2d(rows, [7, 1]), grid, stencil, attrs);
        });
      const [a, b] = [part(values, 'hermite'), part(tangents, 'hermite-tangent')];
      const out = tf.add(a, b);
      expectClose(await out.data(), golden.hermite.samples, PEER_TOLERANCE * magnitude(values));
      tf.dispose([a, b, out]);
    }));
});
