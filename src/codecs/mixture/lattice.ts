/** Points of a wavetable at which a mixture is fitted: all pixels, or every so many of them. */

export interface Lattice {
  height: number;
  width: number;
  /** Point (i, j) lies at (x0 + j · stepX, y0 + i · stepY) of the unit square: a pixel's centre. */
  x0: number;
  stepX: number;
  y0: number;
  stepY: number;
  /** One plane [height · width] a channel. */
  planes: Float64Array[];
  /** Pixels that a point stands for. */
  area: number;
}

/** Planes of all pixels. */
export interface Planes {
  height: number;
  width: number;
  planes: Float64Array[];
}

/** Every `stride`-th pixel of the rows and columns, centred; the values are the field's own, so that the model is exact. */
export function latticeOf({ height, width, planes }: Planes, stride: readonly [number, number]): Lattice {
  const [sy, sx] = stride;
  const h = Math.ceil(height / sy);
  const w = Math.ceil(width / sx);
  const top = (height - 1 - (h - 1) * sy) >> 1;
  const left = (width - 1 - (w - 1) * sx) >> 1;
  const taken =
    sy === 1 && sx === 1
      ? planes
      : planes.map((plane) => {
          const out = new Float64Array(h * w);
          for (let i = 0, at = 0; i < h; i++) {
            const row = (top + i * sy) * width + left;
            for (let j = 0; j < w; j++) out[at++] = plane[row + j * sx];
          }
          return out;
        });
  return {
    height: h,
    width: w,
    x0: (left + 0.5) / width,
    stepX: sx / width,
    y0: (top + 0.5) / height,
    stepY: sy / height,
    planes: taken,
    area: (height * width) / (h * w),
  };
}

export const energyOf = (planes: readonly Float64Array[]): number => {
  let sum = 0;
  for (const plane of planes) for (let i = 0; i < plane.length; i++) sum += plane[i] * plane[i];
  return sum;
};

/** Largest magnitude of each plane. */
export const peaksOf = (planes: readonly Float64Array[]): number[] =>
  planes.map((plane) => {
    let peak = 0;
    for (let i = 0; i < plane.length; i++) {
      const v = Math.abs(plane[i]);
      if (v > peak) peak = v;
    }
    return peak;
  });

export const copiesOf = (planes: readonly Float64Array[]): Float64Array[] =>
  planes.map((plane) => plane.slice());
