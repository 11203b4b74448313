/** From a wavetable and bounds to the payload of a mixture: character, growth, pruning, polish, quantisation. */
import type { HostWavetable } from '../codec.js';
import { pause } from '../pause.js';
import type { Target } from '../quality.js';
import { type Character, characterOf } from './character.js';
import { type Field, fieldOf, folded, partOfBounds } from './field.js';
import { grow } from './grow.js';
import type { Grown } from './grown.js';
import { energyOf, type Lattice, latticeOf } from './lattice.js';
import { manyGaussians } from './many.js';
import { countOf, emptyMixture, type Mixture } from './mixture.js';
import { pack } from './payload.js';
import { polish } from './polish.js';
import { prune } from './prune.js';
import { COARSE, coarsest, type Quantised, type Quantiser, quantise, quantiserOf } from './quantise.js';
import { residualOf } from './render.js';

/** Components whose normal matrix is too large to be solved often. */
const MANY = 96;

/** Components that are fitted on the host, where nothing says otherwise. */
export const HOST_GAUSSIANS = 384;
/** The part of the bounds that many Gaussians may take; the rest is for quantisation. */
const ADAM_PART = 0.92;
/** Bits of a number of a component: the fewest that say something, and what most take. */
const LEAST_BITS = 3;
const USUAL_BITS = 7;
/** Multiplications, and renders of a pixel, of an effort of 1. */
const HOST_WORK = 1.2e10;
const ADAM_WORK = 8e7;
/** Values of a wavetable that all of the host's work is for. */
const WORK_SIZE = 2 ** 20;
/** The part of a bound that float64 may say is taken: float32 on another backend rounds otherwise. */
const SURE = 0.9995;

export interface FitOptions {
  maxGaussians: number;
  optimizer: 'auto' | 'host' | 'adam';
  /** 1: what a fit may take by default. */
  effort: number;
  signal?: AbortSignal;
}

interface HostOptions {
  maxGaussians: number;
  maxWork: number;
  signal?: AbortSignal;
}

/** A payload, and whether it holds the target: if not, the best that was found. */
export interface Fitted {
  payload: Uint8Array;
  holds: boolean;
}

const EMPTY = () =>
  pack(
    { compact: false, exponents: [0], mixture: emptyMixture(1) },
    { amplitude: 0, centre: 0, shape: 0 },
    () => new Float64Array(0),
  )!.payload;

const held = (payload: Uint8Array): Fitted => ({ payload, holds: true });

/** The payload of a target, or, of a target of bytes, the best within them; null where nothing was worth a fit. */
export async function fitted(
  wavetable: HostWavetable,
  target: Target,
  { maxGaussians, optimizer, effort, signal }: FitOptions,
): Promise<Fitted | null> {
  if (wavetable.values.every((v) => v === 0)) return target.bytes >= 1 ? held(EMPTY()) : null;
  if (target.lossless || target.squaredError === 0) return null;
  const general = fieldOf(wavetable, target);
  if (!general) return null;
  const compact = folded(general);
  const field = compact ?? general;
  // A small wavetable is not worth the work of a large one.
  const maxWork = effort * HOST_WORK * Math.min(1, Math.sqrt(wavetable.values.length / WORK_SIZE));
  const adam = { maxGaussians, maxWork: effort * ADAM_WORK, signal };
  if (target.bytes < Number.POSITIVE_INFINITY) {
    if (optimizer === 'adam') return manyWithinBytes(field, target.bytes, adam);
    return withinBytes(field, target.bytes, { maxGaussians, maxWork, signal });
  }
  if (partOfBounds(general, general.planes, 1) <= 1) return held(EMPTY());
  if (optimizer === 'adam') return manyWithinBounds(field, adam);
  // Hard edges look like noise to this; who asks for Adam may mean them.
  if (drowned(general, characterOf(general))) return null;
  const most = optimizer === 'auto' ? Math.min(maxGaussians, HOST_GAUSSIANS) : maxGaussians;
  const host = { maxGaussians: most, maxWork, signal };
  let best = compact && (await withinBounds(compact, host));
  if (!best?.holds) best = await withinBounds(general, host);
  return best.holds || maxGaussians === most ? best : manyWithinBounds(field, adam);
}

/** White noise alone breaks the bound: its largest of so many values, its energy. */
function drowned(field: Field, { noise }: Character): boolean {
  const energy = field.weights.reduce((sum, w, c) => sum + w * noise[c] ** 2, 0) * field.planes[0].length;
  return noise.some((s, c) => 2.5 * s > field.maxAbs[c]) || 0.5 * energy > field.squaredError;
}

async function withinBounds(field: Field, { maxGaussians, maxWork, signal }: HostOptions): Promise<Fitted> {
  const full = latticeOf(field, [1, 1]);
  if (partOfBounds(field, full.planes, 1) <= 1) return held(EMPTY());
  const character = characterOf(field);
  let stride = character.stride;
  let mixture = emptyMixture(field.planes.length);
  let work = character.plausible ? maxWork : maxWork / 24;
  while (true) {
    const lattice = stride[0] * stride[1] === 1 ? full : latticeOf(field, stride);
    let grown = await grow(field, lattice, character, mixture, { maxGaussians, maxWork: work, signal });
    if (grown.part > 1) return nearest(field, lattice, grown.mixture, grown.part);
    grown = await prune(field, lattice, grown, work / 4, signal);
    work -= grown.work;
    await pause(signal);
    const polished = polish(full, lattice, grown.mixture, countOf(grown.mixture) > MANY ? 1 : 6);
    const part = partOfBounds(field, polished.residual, 1);
    if (part < 1) {
      const payload = await verified(field, full, lattice, polished.mixture, true, signal);
      if (payload) return held(payload);
    }
    if (stride[0] * stride[1] === 1 || work < 0) return nearest(field, lattice, polished.mixture, part);
    mixture = polished.mixture;
    stride = [Math.max(1, stride[0] >> 1), Math.max(1, stride[1] >> 1)];
  }
}

/** A mixture that misses its bounds by so much, in the bytes that make it little worse. */
function nearest(field: Field, lattice: Lattice, mixture: Mixture, part: number): Fitted {
  const close = (q: Quantised) => q.part <= 1.05 * part;
  const found = coarsest(quantiserOf(field, lattice, mixture), COARSE, 8, close);
  return { payload: found?.payload ?? EMPTY(), holds: false };
}

/** The lattice on which quantisations of many components are judged. */
const judged = (field: Field, full: Lattice): Lattice =>
  full.width * full.height > 2 ** 16 ? latticeOf(field, [2, 2]) : full;

async function manyWithinBounds(field: Field, options: HostOptions): Promise<Fitted> {
  const { mixture, part } = await manyGaussians(field, { ...options, enough: ADAM_PART });
  const full = latticeOf(field, [1, 1]);
  const lattice = judged(field, full);
  if (part < 1) {
    const payload = await verified(field, full, lattice, mixture, false, options.signal);
    if (payload) return held(payload);
  }
  return nearest(field, lattice, mixture, part);
}

/** The shortest quantisation that holds at every pixel. */
async function verified(
  field: Field,
  full: Lattice,
  lattice: Lattice,
  mixture: Mixture,
  faithful: boolean,
  signal?: AbortSignal,
): Promise<Uint8Array | null> {
  for (const quantised of await quantise(field, lattice, mixture, faithful, signal)) {
    await pause(signal);
    if (partOfBounds(field, residualOf(full, quantised.mixture), 1) <= (faithful ? 1 : SURE))
      return quantised.payload;
  }
  return null;
}

/** The mixture of least error within some bytes: of each of the mixtures on the way up, the finest that fits. */
async function withinBytes(
  field: Field,
  bytes: number,
  { maxGaussians, maxWork, signal }: HostOptions,
): Promise<Fitted | null> {
  if (bytes < 1) return null;
  const full = latticeOf(field, [1, 1]);
  const character = characterOf(field);
  const lattice = latticeOf(field, character.stride);
  // A component of fewer bits than these a number says nothing.
  const most = Math.floor((8 * bytes) / (LEAST_BITS * (5 + field.planes.length)));
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
  let best: Sized = { payload: EMPTY(), energy: Number.POSITIVE_INFINITY };
  for (const { mixture, energy } of along) {
    if (energy * 1.01 > best.energy) continue;
    await pause(signal);
    const polished = polish(full, lattice, mixture, 3);
    best = await finestWithin(
      bytes,
      quantiserOf(field, lattice, polished.mixture),
      polished.energy / lattice.area,
      best,
      signal,
    );
  }
  return held(best.payload);
}

interface Sized {
  payload: Uint8Array;
  energy: number;
}

/** The finest quantisation within some bytes, if that leaves less than `best`. `left`: what the mixture itself leaves. */
async function finestWithin(
  bytes: number,
  quantiser: Quantiser,
  left: number,
  best: Sized,
  signal?: AbortSignal,
): Promise<Sized> {
  for (let high = 12, low = -60; high - low > 1; ) {
    await pause(signal);
    const middle = (high + low) >> 1;
    const tried = quantiser({ amplitude: middle, centre: middle + 2, shape: middle + 2 });
    if (!tried || tried.payload.length > bytes) {
      low = middle;
      continue;
    }
    high = middle;
    const energy = tried.energy + left;
    if (energy < best.energy) best = { payload: tried.payload, energy };
  }
  return best;
}

/** As many components as the bytes hold at usual steps, and the finest steps that fit. */
async function manyWithinBytes(field: Field, bytes: number, options: HostOptions): Promise<Fitted | null> {
  if (bytes < 1) return null;
  const usual = Math.floor((8 * bytes) / (USUAL_BITS * (5 + field.planes.length)));
  const best: Sized = { payload: EMPTY(), energy: Number.POSITIVE_INFINITY };
  if (usual < 1) return held(best.payload);
  const maxGaussians = Math.min(options.maxGaussians, usual);
  // Of nothing but bytes, no fit is good enough.
  const energy = field.planes.reduce((sum, plane, c) => sum + field.weights[c] * energyOf([plane]), 0);
  const strict = { ...field, squaredError: 1e-12 * energy };
  const { mixture } = await manyGaussians(strict, { ...options, maxGaussians, enough: 1 });
  const lattice = judged(field, latticeOf(field, [1, 1]));
  const left = energyOf(residualOf(lattice, mixture));
  return held(
    (await finestWithin(bytes, quantiserOf(field, lattice, mixture), left, best, options.signal)).payload,
  );
}
