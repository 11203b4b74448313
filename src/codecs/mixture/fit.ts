/** From a wavetable and bounds to the payload of a mixture: character, growth, pruning, polish, quantisation. */
import type { HostWavetable } from '../codec.js';
import type { Target } from '../quality.js';
import { characterOf } from './character.js';
import { type Field, fieldOf, folded, partOfBounds } from './field.js';
import { grow } from './grow.js';
import type { Grown } from './grown.js';
import { type Lattice, latticeOf } from './lattice.js';
import { countOf, emptyMixture, type Mixture } from './mixture.js';
import { pause } from './pause.js';
import { pack } from './payload.js';
import { polish } from './polish.js';
import { prune } from './prune.js';
import { quantise, quantiserOf } from './quantise.js';
import { residualOf } from './render.js';

/** Components whose normal matrix is too large to be solved often. */
const MANY = 96;

export interface FitOptions {
  maxGaussians: number;
  /** Multiplications that the search may take, roughly. */
  maxWork: number;
  signal?: AbortSignal;
}

const EMPTY = () =>
  pack(
    { compact: false, exponents: [0], mixture: emptyMixture(1) },
    { amplitude: 0, centre: 0, shape: 0 },
    () => new Float64Array(0),
  )!.payload;

/** The payload that holds the target, or, of a target of bytes, the best within them; null where none was found. */
export async function fitted(
  wavetable: HostWavetable,
  target: Target,
  options: FitOptions,
): Promise<Uint8Array | null> {
  if (wavetable.values.every((v) => v === 0)) return target.bytes >= 1 ? EMPTY() : null;
  if (target.lossless || target.squaredError === 0) return null;
  const general = fieldOf(wavetable, target);
  if (!general) return null;
  if (target.bytes < Number.POSITIVE_INFINITY) return withinBytes(general, target.bytes, options);
  const compact = folded(general);
  return (compact && (await withinBounds(compact, options))) ?? withinBounds(general, options);
}

async function withinBounds(
  field: Field,
  { maxGaussians, maxWork, signal }: FitOptions,
): Promise<Uint8Array | null> {
  const full = latticeOf(field, [1, 1]);
  if (partOfBounds(field, full.planes, 1) <= 1) return EMPTY();
  const character = characterOf(field);
  // White noise alone breaks the bound: its largest of so many values, its energy.
  const noise =
    field.weights.reduce((sum, w, c) => sum + w * character.noise[c] ** 2, 0) * full.planes[0].length;
  if (character.noise.some((s, c) => 2.5 * s > field.maxAbs[c]) || 0.5 * noise > field.squaredError)
    return null;
  let stride = character.stride;
  let mixture = emptyMixture(field.planes.length);
  let work = character.plausible ? maxWork : maxWork / 24;
  while (true) {
    const lattice = stride[0] * stride[1] === 1 ? full : latticeOf(field, stride);
    let grown = await grow(field, lattice, character, mixture, { maxGaussians, maxWork: work, signal });
    if (grown.part > 1) return null;
    grown = await prune(field, lattice, grown, work / 4, signal);
    work -= grown.work;
    await pause(signal);
    const polished = polish(full, lattice, grown.mixture, countOf(grown.mixture) > MANY ? 1 : 6);
    const part = partOfBounds(field, polished.residual, 1);
    if (part < 1) {
      const payload = await verified(field, full, lattice, polished.mixture, signal);
      if (payload) return payload;
    }
    if (stride[0] * stride[1] === 1 || work < 0) return null;
    mixture = polished.mixture;
    stride = [Math.max(1, stride[0] >> 1), Math.max(1, stride[1] >> 1)];
  }
}

/** The shortest quantisation that holds at every pixel. */
async function verified(
  field: Field,
  full: Lattice,
  lattice: Lattice,
  mixture: Mixture,
  signal?: AbortSignal,
): Promise<Uint8Array | null> {
  for (const quantised of await quantise(field, lattice, mixture, signal)) {
    await pause(signal);
    if (partOfBounds(field, residualOf(full, quantised.mixture), 1) <= 1) return quantised.payload;
  }
  return null;
}

/** The mixture of least error within some bytes: of each of the mixtures on the way up, the finest that fits. */
async function withinBytes(
  general: Field,
  bytes: number,
  { maxGaussians, maxWork, signal }: FitOptions,
): Promise<Uint8Array | null> {
  if (bytes < 1) return null;
  const field = folded(general) ?? general;
  const full = latticeOf(field, [1, 1]);
  const character = characterOf(field);
  const lattice = latticeOf(field, character.stride);
  // A component of fewer bits than these a number says nothing.
  const most = Math.floor((8 * bytes) / (3 * (5 + field.planes.length)));
  const along: Grown[] = [];
  await grow(field, lattice, character, emptyMixture(field.planes.length), {
    maxGaussians: Math.min(maxGaussians, most),
    maxWork: maxWork / 8,
    signal,
    onGrown: (grown) => {
      const count = countOf(grown.mixture);
      if (count === 0) return;
      if (along.length > 0 && count < 1.2 * countOf(along[along.length - 1].mixture)) along.pop();
      along.push(grown);
    },
  });
  let best: { payload: Uint8Array; energy: number } = { payload: EMPTY(), energy: Number.POSITIVE_INFINITY };
  for (const { mixture, energy } of along) {
    if (energy * 1.01 > best.energy) continue;
    await pause(signal);
    const polished = polish(full, lattice, mixture, 3);
    const quantiser = quantiserOf(field, lattice, polished.mixture);
    for (let high = 12, low = -60; high - low > 1; ) {
      const middle = (high + low) >> 1;
      const tried = quantiser({ amplitude: middle, centre: middle + 2, shape: middle + 2 });
      if (!tried || tried.payload.length > bytes) {
        low = middle;
        continue;
      }
      high = middle;
      const left = tried.energy + polished.energy / lattice.area;
      if (left < best.energy) best = { payload: tried.payload, energy: left };
    }
  }
  return best.payload;
}
