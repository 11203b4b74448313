/**
 * What the kernels of src/ops/gaussianscontract.ts share: components in units of pixels, filed under their first row, and their
 * chords on a row.
 *
 * On a row ρ² = v² + u² with u = e^p/W · (j − centre): the centre, in float64, takes in what of e^p dx and q dy
 * cancels, so that float32 serves for the rest. log2 g = base − s², s = step · (j − centre).
 */
import { exp } from './exp';

/** ρ² of the cut, and log2 of e^(−ρ²/2) there. */
export const CUT: f64 = 36;
export const LEAST: f32 = -25.96851; // −18 log2 e
/** ½ log2 e and its root: s = ROOT · u. */
export const HALF_LOG2E: f64 = 0.7213475204444817;
export const ROOT: f64 = 0.8493218002880191;
export const MOST_LOG_SCALE: f64 = 40;

/** A component. Centre, in pixels: */
const CENTRE_X: usize = 0;
const CENTRE_Y: usize = 8;
/** Columns that the centre moves to the left a row: q W / (e^p H). */
const SHEAR: usize = 16;
/** e^p / W and its reciprocal, e^r / H. */
const STEP: usize = 24;
const REACH: usize = 32;
export const RISE: usize = 40;
/** The last row, the next component of the same first row (0: none), its numbers as they came, its place. */
const LAST: usize = 48;
const NEXT: usize = 52;
export const SOURCE: usize = 56;
export const INDEX: usize = 60;
export const COMPONENT_BYTES: usize = 64;

/** A chord: the centre in float64, ROOT · step, log2 e^(−v²/2); first (a multiple of eight) and last column. */
export const CENTRE: usize = 0;
export const SCALE: usize = 8;
export const BASE: usize = 12;
export const FROM: usize = 16;
export const TO: usize = 20;
/** The next chord of the same first column, the amplitudes, row − CENTRE_Y. */
export const NEXT_CHORD: usize = 24;
export const AMPLITUDES: usize = 28;
export const DY: usize = 32;
export const CHORD_BYTES: usize = 40;

export const SHAPE_PARAMETERS: i32 = 5;

export function allFinite(x: usize, parameters: i32): bool {
  for (let k = 0; k < parameters; k++) {
    const v = load<f32>(x + ((<usize>k) << 2));
    if (v - v !== 0) return false;
  }
  return true;
}

export function hasAmplitude(x: usize, parameters: i32): bool {
  for (let k = SHAPE_PARAMETERS; k < parameters; k++) {
    if (load<f32>(x + ((<usize>k) << 2)) !== 0) return true;
  }
  return false;
}

export function scaleOf(x: usize): f64 {
  return exp(min(max(<f64>load<f32>(x), -MOST_LOG_SCALE), MOST_LOG_SCALE));
}

/** Writes the component of the finite numbers at `x` and files it under its first row, if it has one. */
export function file(at: usize, x: usize, index: i32, heads: usize, height: i32, width: i32): void {
  const ep = scaleOf(x + 8);
  const er = scaleOf(x + 16);
  const cy = <f64>load<f32>(x, 4) * <f64>height - 0.5;
  const rise = er / <f64>height;
  store<f64>(at, <f64>load<f32>(x) * <f64>width - 0.5, CENTRE_X);
  store<f64>(at, cy, CENTRE_Y);
  store<f64>(at, (<f64>load<f32>(x, 12) * <f64>width) / (ep * <f64>height), SHEAR);
  store<f64>(at, ep / <f64>width, STEP);
  store<f64>(at, <f64>width / ep, REACH);
  store<f64>(at, rise, RISE);
  store<u32>(at, <u32>x, SOURCE);
  store<i32>(at, index, INDEX);
  const reach = sqrt(CUT) / rise;
  // Compared as float64: only what lies in the image becomes an integer.
  const first = max(ceil(cy - reach), 0);
  const last = min(floor(cy + reach), <f64>(height - 1));
  if (!(first <= last)) return;
  store<i32>(at, <i32>last, LAST);
  const head = heads + ((<usize>(<i32>first)) << 2);
  store<u32>(at, load<u32>(head), NEXT);
  store<u32>(head, <u32>at);
}

/** Appends the components that begin at a row to the `live` ones. @returns how many there are now. */
export function enter(live: usize, count: i32, head: usize): i32 {
  for (let at = load<u32>(head); at !== 0; at = load<u32>(<usize>at + NEXT)) {
    store<u32>(live + ((<usize>count) << 2), at);
    count++;
  }
  return count;
}

/** Whether a component goes on below a row. */
export function goesOn(at: usize, row: i32): bool {
  return load<i32>(at, LAST) > row;
}

/** Writes the component's chord on a row. @returns false, and nothing useful there, if no column is within the cut. */
export function chord(to: usize, at: usize, row: i32, width: i32): bool {
  const dy = <f64>row - load<f64>(at, CENTRE_Y);
  const v = load<f64>(at, RISE) * dy;
  const centre = load<f64>(at, CENTRE_X) - load<f64>(at, SHEAR) * dy;
  const reach = sqrt(max(CUT - v * v, 0)) * load<f64>(at, REACH);
  // The last column and minus the first, together and without a branch: which of them the image clips is hard to foresee.
  const ends = f64x2.floor(f64x2.add(f64x2.splat(reach), f64x2.mul(f64x2.splat(centre), f64x2(-1, 1))));
  const clipped = f64x2.pmin(ends, f64x2.replace_lane(f64x2.splat(0), 1, <f64>(width - 1)));
  const from = -f64x2.extract_lane(clipped, 0);
  const last = f64x2.extract_lane(clipped, 1);
  if (!(from <= last)) return false;
  store<f64>(to, centre, CENTRE);
  store<f32>(to, <f32>(ROOT * load<f64>(at, STEP)), SCALE);
  store<f32>(to, <f32>(-HALF_LOG2E * v * v), BASE);
  store<i32>(to, <i32>from & ~7, FROM);
  store<i32>(to, <i32>last, TO);
  store<u32>(to, load<u32>(at, SOURCE) + 4 * SHAPE_PARAMETERS, AMPLITUDES);
  store<f64>(to, dy, DY);
  return true;
}
