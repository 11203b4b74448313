/** WavecubeEase and its slopes on WebGPU. Contract: ops/easecontract.ts. */
import { EASE, EASE_SLOPE, registerEase } from '../../ops/easecontract.js';
import { i32, launch, vec3, zeros } from './program.js';
import { gpuOf } from './tfjs.js';

export function registerWebgpuEase(): void {
  registerEase('webgpu', ({ inputs: { coords, by }, attrs, backend }) => {
    const gpu = gpuOf(backend);
    const kernel = by ? EASE_SLOPE : EASE;
    const count = 3 * coords.shape[0];
    if (count === 0) return zeros(gpu, kernel, coords.shape);
    const points = { name: 'points', tensor: coords };
    return launch(gpu, {
      kernel,
      parts: [by ? 'easeSlope' : 'easeValue', 'ease'],
      inputs: by ? [points, { name: 'by', tensor: by }] : [points],
      uniforms: {
        count: i32(count),
        nearest: i32(Number(attrs.nearest)),
        order: i32(attrs.order),
        ends: vec3(attrs.ends),
      },
      shape: coords.shape,
      invocations: count,
    });
  });
}
