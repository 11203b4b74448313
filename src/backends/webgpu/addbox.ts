/** WavecubeAddBox on WebGPU. Contract: ops/addbox.ts. */
import { ADD_BOX } from '../../ops/addboxcontract.js';
import { replaceKernel } from '../../ops/register.js';
import { laneShader } from './job.js';
import { i32, launch, zeros } from './program.js';
import { gpuOf } from './tfjs.js';

export function registerAddBox(): void {
  replaceKernel('webgpu', ADD_BOX, ({ inputs, backend }) => {
    const gpu = gpuOf(backend);
    const x = inputs.x!;
    const y = inputs.y!;
    const [n, h, w, c] = x.shape;
    const [, kh, kw] = y.shape;
    const lane = c % 4 === 0 ? 4 : 1;
    const count = (n * h * w * c) / lane;
    if (count === 0) return zeros(gpu, ADD_BOX, x.shape);
    return launch(gpu, {
      kernel: ADD_BOX,
      parts: [laneShader(lane), 'addbox'],
      inputs: [
        { name: 'x', tensor: x, lane },
        // What is empty cannot be bound, and is not read.
        { name: 'y', tensor: kh * kw === 0 ? x : y, lane },
      ],
      uniforms: {
        count: i32(count),
        lanes: i32(c / lane),
        height: i32(h),
        width: i32(w),
        boxHeight: i32(kh),
        boxWidth: i32(kw),
      },
      shape: x.shape,
      lane,
      invocations: count,
    });
  });
}
