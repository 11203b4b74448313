import * as tf from '@tensorflow/tfjs';
import { ready } from './src/index.js';
import { splineCoefficients } from './src/ops/spline.js';
import { solveTridiagonal } from './src/ops/tridiagonal.js';
import { splineBands } from './src/ops/spline.js';
await ready({ backend: 'wasm' });
const med = (f: () => void, k = 9) => { f(); const t = []; for (let i = 0; i < k; i++) { const a = performance.now(); f(); t.push(performance.now() - a); } return t.sort((a, b) => a - b)[k >> 1]; };
for (const [dims, F] of [[[10,10,10],16384],[[16,16,16],256],[[32,32,32],1],[[32,32,32],4]] as [[number,number,number],number][]) {
  const n = dims[0]*dims[1]*dims[2];
  const x = tf.tensor2d(new Float32Array(n*F).map((_, i) => Math.sin(i)), [n, F]);
  const copy = med(() => { tf.add(x, 1).dispose(); });
  const own = med(() => { splineCoefficients(x, dims, [2,2,2]).dispose(); });
  const wrap = med(() => { splineCoefficients(x, dims, [1,1,1]).dispose(); });
  const each = [[1,dims[0],dims[1]*dims[2]*F],[dims[0],dims[1],dims[2]*F],[dims[0]*dims[1],dims[2],F]].map((s, j) => { const y = x.reshape(s) as tf.Tensor3D; const b = tf.tensor2d(splineBands(dims[j], 2), [dims[j], 3]); return med(() => { solveTridiagonal(y, b).dispose(); }).toFixed(2); });
  console.log(dims.join('x'), F, 'MB', n*F*4/1e6, 'add1', copy.toFixed(2), 'reflect', own.toFixed(2), 'wrap', wrap.toFixed(2), 'x/y/z', each.join(' '));
  x.dispose();
}
