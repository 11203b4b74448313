/**
 * The lattices of hierarchical interpolation. A plane of level l holds every 2^l-th row and column of a channel. Its
 * points of even row and even column are the plane of level l + 1; the others are added in two steps, so that most
 * points have four close neighbours (a quincunx):
 *
 *   corners  even row, even column     known from the level above
 *   centres  odd row, odd column       predicted from corners
 *   edges    the rest                  predicted from corners and centres
 *
 * A margin around the plane holds what stencils see beyond the border: values continued linearly.
 */
export const MARGIN = 4;

/** One channel at one level; arrays are [height + 2 MARGIN, stride]. */
export interface Plane {
  height: number;
  width: number;
  stride: number;
  /** Decoded values. */
  values: Float64Array;
  /** Sizes of the quantised residuals, 0 in the margin. */
  sizes: Uint16Array;
  /** Decoded residuals, of the points of this level. */
  residuals: Float32Array;
}

/** An empty plane. */
export function newPlane(height: number, width: number): Plane {
  const stride = width + 2 * MARGIN;
  const length = stride * (height + 2 * MARGIN);
  return {
    height,
    width,
    stride,
    values: new Float64Array(length),
    sizes: new Uint16Array(length),
    residuals: new Float32Array(length),
  };
}

/** The plane [height, width] of the next finer level, its corners set. */
export function refined(coarse: Plane, height: number, width: number): Plane {
  const fine = newPlane(height, width);
  for (let y = 0; y < coarse.height; y++) {
    let from = (y + MARGIN) * coarse.stride + MARGIN;
    let to = (2 * y + MARGIN) * fine.stride + MARGIN;
    for (let x = 0; x < coarse.width; x++, from++, to += 2) {
      fine.values[to] = coarse.values[from];
      fine.sizes[to] = coarse.sizes[from];
    }
  }
  return fine;
}

/** Continues the lattice points from `start` with every second of `count` steps of `step`, to both sides. */
function continueLine(values: Float64Array, start: number, step: number, count: number): void {
  const last = count - ((count - 1) % 2) - 1;
  const low = values[start];
  const high = values[start + last * step];
  const lowSlope = last > 0 ? low - values[start + 2 * step] : 0;
  const highSlope = last > 0 ? high - values[start + (last - 2) * step] : 0;
  values[start - 2 * step] = low + lowSlope;
  values[start + (last + 2) * step] = high + highSlope;
  if (last + 4 < count + MARGIN) values[start + (last + 4) * step] = high + 2 * highSlope;
}

/** Fills the margin at corner points. */
export function continueCorners({ height, width, stride, values }: Plane): void {
  for (let y = 0; y < height; y += 2) continueLine(values, (y + MARGIN) * stride + MARGIN, 1, width);
  for (let x = -2; x < width + MARGIN - 1; x += 2) {
    continueLine(values, MARGIN * stride + MARGIN + x, stride, height);
  }
}

/**
 * Continues a line of centres (`start` is at coordinate 1) beyond coordinates 0 and count − 1; `side` is the step across.
 * The plane through the two corners on the border and the centre inside gives the first centre outside.
 */
function continueCentres1(
  values: Float64Array,
  start: number,
  step: number,
  count: number,
  side: number,
): void {
  const zero = start - step;
  if (count === 1) {
    const mean = (values[zero - side] + values[zero + side]) / 2;
    for (const k of [-3, -1, 1, 3]) values[zero + k * step] = mean;
    return;
  }
  const below = values[zero - side] + values[zero + side] - values[start];
  values[zero - step] = below;
  values[zero - 3 * step] = 2 * below - values[start];
  const last = count - (count % 2) - 1;
  const inner = values[zero + last * step];
  const border = zero + (last + 1) * step;
  const above = values[border - side] + values[border + side] - inner;
  values[border + step] = above;
  if (last + 4 < count + MARGIN) values[border + 3 * step] = 2 * above - inner;
}

/** Fills the margin at centre points; corners that lie one step beyond the far border follow the centres on it. */
export function continueCentres({ height, width, stride, values }: Plane): void {
  const origin = MARGIN * stride + MARGIN;
  for (let y = 1; y < height; y += 2) continueCentres1(values, origin + y * stride + 1, 1, width, stride);
  for (let x = -3; x < width + MARGIN - 1; x += 2) {
    if (x > 0 && x < width) continueCentres1(values, origin + stride + x, stride, height, 1);
    else continueOutside(values, origin + stride + x, stride, height);
  }
  if (width % 2 === 0) {
    for (let y = 0; y < height; y += 2) {
      const at = origin + y * stride + width;
      values[at] = values[at - 1 - stride] + values[at - 1 + stride] - values[at - 2];
    }
  }
  if (height % 2 === 0) {
    for (let x = 0; x < width; x += 2) {
      const at = origin + height * stride + x;
      values[at] = values[at - stride - 1] + values[at - stride + 1] - values[at - 2 * stride];
    }
  }
}

/** Columns of centres in the margin: their rows beyond the border repeat the nearest. */
function continueOutside(values: Float64Array, start: number, step: number, count: number): void {
  const last = count === 1 ? -1 : count - (count % 2) - 1;
  if (last < 0) {
    // No row of centres: corners on the line's two sides stand in.
    const mean = (values[start - step - 1] + values[start - step + 1]) / 2;
    for (const k of [-4, -2, 0, 2]) values[start + k * step] = mean;
    return;
  }
  values[start - 2 * step] = values[start];
  values[start - 4 * step] = values[start];
  const zero = start - step;
  values[zero + (last + 2) * step] = values[zero + last * step];
  if (last + 4 < count + MARGIN) values[zero + (last + 4) * step] = values[zero + last * step];
}
