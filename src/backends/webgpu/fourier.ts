/**
 * The Fourier kernels of ops/waves.ts on WebGPU: Stockham's passes, one launch each, over all lines of an axis side by side.
 * Radices go up to 16, which saves passes over the memory, and to any prime that the size holds.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import { linePlan, radicesOf, rootsOf } from '../../ops/fourierplan.js';
import { replaceKernel } from '../../ops/register.js';
import { type AxisTerms, WAVES, WAVES_ADJOINT, type WavesAttrs } from '../../ops/waves.js';
import { f32, i32, launch, withScratch, zeros } from './program.js';
import { type Gpu, gpuOf } from './tfjs.js';

type Keep = (t: TensorInfo) => TensorInfo;

/** Radices 2 … 16 of a size where it has them; its larger primes as they are. */
function passesOf(size: number): number[] {
  const primes = radicesOf(size, size) as number[];
  const out: number[] = [];
  for (const r of primes) {
    const last = out.length - 1;
    if (last >= 0 && out[last] * r <= 16) out[last] *= r;
    else out.push(r);
  }
  return out;
}

/** Σ_j x_j e^{∓2πi jk/size} of lines side by side [size, lines]; `direction` 1 is e^{−…}. */
function transform(
  gpu: Gpu,
  kernel: string,
  keep: Keep,
  x: TensorInfo,
  size: number,
  lines: number,
  direction: 1 | -1,
): TensorInfo {
  const { points, roots } = linePlan(size);
  const table = Float32Array.from(points === size ? roots : rootsOf(size));
  const input = keep(gpu.makeTensorInfo([size, 2], 'float32', table));
  let from = x;
  let m = size;
  let s = 1;
  for (const r of passesOf(size)) {
    m /= r;
    from = keep(
      launch(gpu, {
        kernel,
        parts: ['fourierComplex', 'fourierPass'],
        inputs: [
          { name: 'x', tensor: from, lane: 2 },
          { name: 'roots', tensor: input, lane: 2 },
        ],
        uniforms: {
          count: i32(size * lines),
          lines: i32(lines),
          size: i32(size),
          r: i32(r),
          m: i32(m),
          s: i32(s),
          direction: f32(direction),
        },
        shape: [size, lines, 2],
        lane: 2,
        invocations: size * lines,
      }),
    );
    s *= r;
  }
  return from;
}

/** Of each key of an axis its two terms' other side, −1 for none, and their factors: [count, 2] int32, [count, 4] float32. */
function table(
  gpu: Gpu,
  keep: Keep,
  terms: AxisTerms,
  by: 'entry' | 'frequency',
): { indices: TensorInfo; factors: TensorInfo } {
  const count = by === 'entry' ? terms.entries : terms.size;
  const other = by === 'entry' ? terms.frequency : terms.entry;
  const indices = new Int32Array(2 * count).fill(-1);
  const factors = new Float32Array(4 * count);
  for (let t = 0; t < terms.entry.length; t++) {
    const at = 2 * terms[by][t];
    const slot = indices[at] < 0 ? at : at + 1;
    indices[slot] = other[t];
    factors[2 * slot] = terms.re[t];
    factors[2 * slot + 1] = terms.im[t];
  }
  return {
    indices: keep(gpu.makeTensorInfo([count, 2], 'int32', indices)),
    factors: keep(gpu.makeTensorInfo([count, 4], 'float32', factors)),
  };
}

function waves(gpu: Gpu, y: TensorInfo, { rows, columns }: WavesAttrs): TensorInfo {
  const [batch, , , parts] = y.shape;
  const channels = parts / 2;
  const shape = [batch, rows.size, columns.size, channels];
  if (shape.includes(0) || y.shape.includes(0)) return zeros(gpu, WAVES, shape);
  const width = columns.entries * channels;
  return withScratch(gpu, (keep) => {
    const down = table(gpu, keep, rows, 'frequency');
    const lines = batch * width;
    const spectra = keep(
      launch(gpu, {
        kernel: WAVES,
        parts: ['fourierComplex', 'wavesRows'],
        inputs: [
          { name: 'y', tensor: y },
          { name: 'entries', tensor: down.indices, lane: 2 },
          { name: 'factors', tensor: down.factors, lane: 4 },
        ],
        uniforms: {
          count: i32(rows.size * lines),
          lines: i32(lines),
          width: i32(width),
          entries: i32(rows.entries),
          channels: i32(channels),
        },
        shape: [rows.size, lines, 2],
        lane: 2,
        invocations: rows.size * lines,
      }),
    );
    const middle = transform(gpu, WAVES, keep, spectra, rows.size, lines, -1);
    const across = table(gpu, keep, columns, 'frequency');
    const reals = rows.size * channels;
    const stride = 2 * Math.ceil(reals / 2);
    const pairs = (batch * stride) / 2;
    const waves = keep(
      launch(gpu, {
        kernel: WAVES,
        parts: ['fourierComplex', 'wavesColumns'],
        inputs: [
          { name: 'x', tensor: middle, lane: 2 },
          { name: 'entries', tensor: across.indices, lane: 2 },
          { name: 'factors', tensor: across.factors, lane: 4 },
        ],
        uniforms: {
          count: i32(columns.size * pairs),
          lines: i32(pairs),
          reals: i32(reals),
          channels: i32(channels),
          stride: i32(stride),
          batch: i32(batch),
          width: i32(width),
          size: i32(columns.size),
        },
        shape: [columns.size, pairs, 2],
        lane: 2,
        invocations: columns.size * pairs,
      }),
    );
    const samples = transform(gpu, WAVES, keep, waves, columns.size, pairs, -1);
    const count = batch * reals * columns.size;
    return launch(gpu, {
      kernel: WAVES,
      parts: ['wavesSamples'],
      inputs: [{ name: 'x', tensor: samples, lane: 2 }],
      uniforms: {
        count: i32(count),
        channels: i32(channels),
        size: i32(columns.size),
        lines: i32(pairs),
        height: i32(rows.size),
        stride: i32(stride),
      },
      shape,
      invocations: count,
    });
  });
}

function wavesAdjoint(gpu: Gpu, x: TensorInfo, { rows, columns }: WavesAttrs): TensorInfo {
  const [batch, , , channels] = x.shape;
  const shape = [batch, rows.entries, columns.entries, 2 * channels];
  if (shape.includes(0) || x.shape.includes(0)) return zeros(gpu, WAVES_ADJOINT, shape);
  const width = columns.entries * channels;
  const reals = rows.size * channels;
  const stride = 2 * Math.ceil(reals / 2);
  const pairs = (batch * stride) / 2;
  return withScratch(gpu, (keep) => {
    const paired = keep(
      launch(gpu, {
        kernel: WAVES_ADJOINT,
        parts: ['wavesLines'],
        inputs: [{ name: 'x', tensor: x }],
        uniforms: {
          count: i32(columns.size * pairs),
          lines: i32(pairs),
          reals: i32(reals),
          stride: i32(stride),
          channels: i32(channels),
          size: i32(columns.size),
        },
        shape: [columns.size, pairs, 2],
        lane: 2,
        invocations: columns.size * pairs,
      }),
    );
    const spectra = transform(gpu, WAVES_ADJOINT, keep, paired, columns.size, pairs, 1);
    const across = table(gpu, keep, columns, 'entry');
    const lines = batch * width;
    const middle = keep(
      launch(gpu, {
        kernel: WAVES_ADJOINT,
        parts: ['fourierComplex', 'wavesEntries'],
        inputs: [
          { name: 'x', tensor: spectra, lane: 2 },
          { name: 'frequencies', tensor: across.indices, lane: 2 },
          { name: 'factors', tensor: across.factors, lane: 4 },
        ],
        uniforms: {
          count: i32(rows.size * lines),
          lines: i32(lines),
          pairs: i32(pairs),
          channels: i32(channels),
          stride: i32(stride),
          width: i32(width),
          size: i32(columns.size),
        },
        shape: [rows.size, lines, 2],
        lane: 2,
        invocations: rows.size * lines,
      }),
    );
    const analysed = transform(gpu, WAVES_ADJOINT, keep, middle, rows.size, lines, 1);
    const down = table(gpu, keep, rows, 'entry');
    const count = 2 * batch * rows.entries * width;
    return launch(gpu, {
      kernel: WAVES_ADJOINT,
      parts: ['fourierComplex', 'wavesSpectrum'],
      inputs: [
        { name: 'x', tensor: analysed, lane: 2 },
        { name: 'frequencies', tensor: down.indices, lane: 2 },
        { name: 'factors', tensor: down.factors, lane: 4 },
      ],
      uniforms: {
        count: i32(count),
        lines: i32(lines),
        channels: i32(channels),
        width: i32(width),
        entries: i32(rows.entries),
      },
      shape,
      invocations: count,
    });
  });
}

export function registerFourier(): void {
  replaceKernel('webgpu', WAVES, ({ inputs, attrs, backend }) =>
    waves(gpuOf(backend), inputs.y as TensorInfo, attrs as unknown as WavesAttrs),
  );
  replaceKernel('webgpu', WAVES_ADJOINT, ({ inputs, attrs, backend }) =>
    wavesAdjoint(gpuOf(backend), inputs.x as TensorInfo, attrs as unknown as WavesAttrs),
  );
}
