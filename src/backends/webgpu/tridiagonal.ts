/** WavecubeTridiagonal on WebGPU: a launch for the plan, one for the lines. Contract: ops/tridiagonalcontract.ts. */
import { registerTridiagonal, TRIDIAGONAL } from '../../ops/tridiagonalcontract.js';
import { PLAN } from '../../ops/tridiagonalplan.js';
import { laneShader } from './job.js';
import { i32, launch, withScratch, zeros } from './program.js';
import { gpuOf } from './tfjs.js';

export function registerWebgpuTridiagonal(): void {
  registerTridiagonal('webgpu', ({ inputs: { x, bands }, attrs, backend }) => {
    const gpu = gpuOf(backend);
    const [outer, n, width] = x.shape;
    if (outer * width === 0) return zeros(gpu, TRIDIAGONAL, x.shape);
    const lane = width % 4 === 0 ? 4 : 1;
    const lanes = width / lane;
    const cyclic = i32(Number(attrs.cyclic));
    return withScratch(gpu, (keep) => {
      const plan = keep(
        launch(gpu, {
          kernel: TRIDIAGONAL,
          parts: ['tridiagonalPlan'],
          inputs: [{ name: 'bands', tensor: bands }],
          uniforms: { n: i32(n), cyclic, turned: i32(Number(attrs.adjoint)) },
          shape: [n, PLAN],
          lane: 4,
          invocations: 1,
        }),
      );
      return launch(gpu, {
        kernel: TRIDIAGONAL,
        parts: [laneShader(lane), 'tridiagonal'],
        inputs: [
          { name: 'x', tensor: x, lane },
          { name: 'plan', tensor: plan, lane: 4 },
        ],
        uniforms: { count: i32(outer * lanes), lanes: i32(lanes), n: i32(n), cyclic },
        shape: x.shape,
        lane,
        invocations: outer * lanes,
      });
    });
  });
}
