/**
 * WavecubeMonotone and its gradients on WebGPU. Contract: ops/monotonecontract.ts.
 *
 * The splat, without atomics: (row, tap) pairs of the samples sorted by row (stable); derivatives by all 64 taps of a window of
 * lanes, written out; each row gathers its own in their order. Windows of lanes and parts of the samples keep what is written
 * out below PART elements.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import { type MonotoneCall, OPEN, registerMonotone } from '../../ops/monotonecontract.js';
import { laneShader } from './job.js';
import { checkBinding, type Input, i32, launch, type Shader, vec3, withScratch, zeros } from './program.js';
import { sortPairs, startsOf } from './sort.js';
import { type Gpu, gpuOf } from './tfjs.js';

/** Samples times lanes' elements whose 64 derivatives are held at a time: 64 MB of float32. */
const PART = 2 ** 18;

interface Job extends MonotoneCall {
  gpu: Gpu;
  count: number;
  lane: 1 | 4;
  lanes: number;
}

function jobOf(call: MonotoneCall): Job {
  const { payload } = call.attrs;
  const lane = payload % 4 === 0 ? 4 : 1;
  return {
    ...call,
    gpu: gpuOf(call.backend),
    count: call.inputs.place.shape[0],
    lane,
    lanes: payload / lane,
  };
}

const uniformsOf = ({ inputs, attrs, count, lanes }: Job) => ({
  dims: vec3(inputs.grid.shape),
  open: vec3(attrs.boundary.map((code) => Number(code === OPEN))),
  rows: i32(attrs.rows),
  count: i32(count),
  lanes: i32(lanes),
});

const where = ({ inputs: { grid, taps, place } }: Job): Input[] => [
  { name: 'grid', tensor: grid },
  { name: 'taps', tensor: taps },
  { name: 'place', tensor: place },
];

function nodeInput({ attrs, lane }: Job, tensor: TensorInfo): Input {
  return { name: 'nodes', tensor, lane: attrs.half ? (lane === 4 ? 2 : 1) : lane };
}

function shadersOf({ attrs, lane }: Job): Shader[] {
  const half = lane === 4 ? 'nodeHalf4' : 'nodeHalf1';
  const node = attrs.half ? half : 'node';
  return [laneShader(lane), node, 'monotoneLine', 'monotoneTaps', 'monotoneValues'];
}

function value(call: MonotoneCall): TensorInfo {
  const job = jobOf(call);
  const { gpu, kernel, inputs, attrs, count, lane, lanes } = job;
  const shape = [count, attrs.payload];
  if (count * attrs.payload === 0) return zeros(gpu, kernel, shape);
  return withScratch(gpu, (keep) => {
    // An empty page still gives NaN where places are not finite, but cannot be bound: a row nobody reads can.
    const empty = attrs.half ? new Int32Array(4) : new Float32Array(4);
    const nodes = attrs.rows ? inputs.nodes : keep(gpu.makeTensorInfo([4], inputs.nodes.dtype, empty));
    return launch(gpu, {
      kernel,
      parts: [...shadersOf(job), 'monotone'],
      inputs: [nodeInput(job, nodes), ...where(job)],
      uniforms: uniformsOf(job),
      shape,
      lane,
      invocations: count * lanes,
    });
  });
}

/** Invocations that share a sample's lanes. */
const teamOf = (lanes: number): number => (lanes >= 128 ? 64 : lanes >= 16 ? 8 : 1);

function placeGrad(call: MonotoneCall): TensorInfo {
  const job = jobOf(call);
  const { gpu, kernel, inputs, attrs, count, lane, lanes } = job;
  const shape = [count, 3, 4];
  if (count * attrs.payload * attrs.rows === 0) return zeros(gpu, kernel, shape);
  const team = teamOf(lanes);
  return launch(gpu, {
    kernel,
    parts: [...shadersOf(job), 'monotoneLineGrad', 'monotonePlaceGrad'],
    constants: { TEAM: team },
    inputs: [nodeInput(job, inputs.nodes), { name: 'values', tensor: inputs.values, lane }, ...where(job)],
    uniforms: uniformsOf(job),
    shape,
    invocations: count * team,
  });
}

/** Adds the part of the samples from `first` on to `out`; the first part overwrites it. */
function addPart(job: Job, out: TensorInfo, first: number, count: number, window: number): void {
  const { gpu, kernel, inputs, attrs, lane, lanes } = job;
  const part = { ...uniformsOf(job), first: i32(first), count: i32(count) };
  withScratch(gpu, (keep) => {
    const pairs = keep(
      launch(gpu, {
        kernel,
        parts: [laneShader(1), 'monotoneLine', 'monotoneTaps', 'monotonePairs'],
        inputs: where(job),
        uniforms: part,
        shape: [64 * count, 2],
        dtype: 'int32',
        lane: 2,
        invocations: 64 * count,
      }),
    );
    const order = keep(sortPairs(gpu, kernel, pairs, attrs.rows));
    const starts = keep(startsOf(gpu, kernel, order, attrs.rows));
    for (let start = 0; start < lanes; start += window) {
      withScratch(gpu, (keepWindow) => {
        const uniforms = { ...part, start: i32(start), window: i32(window) };
        const byTap = keepWindow(
          launch(gpu, {
            kernel,
            parts: [...shadersOf(job), 'monotoneLineGrad', 'monotoneByTap'],
            inputs: [
              nodeInput(job, inputs.nodes),
              { name: 'values', tensor: inputs.values, lane },
              ...where(job),
            ],
            uniforms,
            shape: [count, 64, window * lane],
            lane,
            invocations: count * window,
          }),
        );
        launch(gpu, {
          kernel,
          parts: [laneShader(lane), 'monotoneGather'],
          inputs: [
            { name: 'byTap', tensor: byTap, lane },
            { name: 'order', tensor: order, lane: 2 },
            { name: 'starts', tensor: starts },
          ],
          uniforms,
          shape: out.shape,
          into: out,
          lane,
          invocations: attrs.rows * window,
        });
      });
    }
  });
}

function splat(call: MonotoneCall): TensorInfo {
  const job = jobOf(call);
  const { gpu, kernel, attrs, count, lane, lanes } = job;
  const shape = [attrs.rows, attrs.payload];
  if (count * attrs.payload * attrs.rows === 0) return zeros(gpu, kernel, shape);
  checkBinding(gpu, kernel, 'the result', shape);
  const window = Math.min(lanes, Math.max(1, Math.floor(PART / (count * lane))));
  const most = Math.max(1, Math.floor(PART / (window * lane)));
  const out = gpu.makeTensorInfo(shape, 'float32');
  for (let first = 0; first < count; first += most) {
    addPart(job, out, first, Math.min(most, count - first), window);
  }
  return out;
}

export function registerWebgpuMonotone(): void {
  registerMonotone('webgpu', { value, splat, placeGrad });
}
