/**
 * Rotations of a wavetable's channels: what channels have in common goes into few of them (Karhunen–Loève). A product of
 * plane rotations, each by an angle whose half has a tangent of t / 32768, so that cosine and sine are quotients and the
 * same on every platform.
 */
import type { ByteReader, ByteWriter } from '../bytes.js';

interface Plane {
  p: number;
  q: number;
  t: number;
}

const MOST_CHANNELS = 8;
const UNIT = 32768;
const SWEEPS = 2;

export class Rotations {
  private constructor(private readonly planes: readonly Plane[]) {}

  static readonly none = new Rotations([]);

  get isNone(): boolean {
    return this.planes.length === 0;
  }

  /** The rotations that make channels uncorrelated: Jacobi's, of Σ x xᵀ over `values` [n, channels, parts]. */
  static of(values: Float64Array, channels: number, parts: number): Rotations {
    if (channels < 2 || channels > MOST_CHANNELS) return Rotations.none;
    const a = Array.from({ length: channels }, () => new Float64Array(channels));
    for (let i = 0; i < values.length; i += channels * parts) {
      for (let p = 0; p < channels; p++) {
        for (let q = 0; q <= p; q++) {
          for (let k = 0; k < parts; k++) a[p][q] += values[i + p * parts + k] * values[i + q * parts + k];
        }
      }
    }
    for (let p = 0; p < channels; p++) for (let q = 0; q < p; q++) a[q][p] = a[p][q];
    const planes: Plane[] = [];
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      for (let p = 0; p < channels; p++) {
        for (let q = p + 1; q < channels; q++) {
          const angle = Math.atan2(2 * a[p][q], a[p][p] - a[q][q]) / 2;
          const t = Math.round(UNIT * Math.tan(angle / 2)) || 0;
          if (Math.abs(t) < UNIT / 512 || !Number.isFinite(angle)) continue;
          const plane = { p, q, t: Math.min(t, UNIT - 1) };
          planes.push(plane);
          for (const row of a) turn(row, p, q, plane.t, 1);
          for (let k = 0; k < channels; k++) {
            const column = Float64Array.of(a[p][k], a[q][k]);
            turn(column, 0, 1, plane.t, 1);
            [a[p][k], a[q][k]] = column;
          }
        }
      }
    }
    return new Rotations(planes);
  }

  /** Rotates `values` [n, channels, parts] in place; back where `inverse`. */
  apply(values: Float64Array, channels: number, parts: number, inverse: boolean): void {
    const { planes } = this;
    for (let k = 0; k < planes.length; k++) {
      const { p, q, t } = planes[inverse ? planes.length - 1 - k : k];
      for (let i = 0; i < values.length; i += channels * parts) {
        for (let j = 0; j < parts; j++)
          turn(values, i + p * parts + j, i + q * parts + j, t, inverse ? -1 : 1);
      }
    }
  }

  write(out: ByteWriter): void {
    out.u8(this.planes.length);
    for (const { p, q, t } of this.planes) {
      out.u8(p);
      out.u8(q);
      out.u8(t & 255);
      out.u8((t >> 8) & 255);
    }
  }

  static read(input: ByteReader, channels: number): Rotations {
    const planes: Plane[] = [];
    for (let n = input.u8(); n > 0; n--) {
      const p = input.u8();
      const q = input.u8();
      const t = ((input.u8() | (input.u8() << 8)) << 16) >> 16;
      if (p >= channels || q >= channels || p === q) throw input.error('rotates channels that it has not');
      planes.push({ p, q, t });
    }
    return new Rotations(planes);
  }
}

function turn(x: Float64Array, p: number, q: number, t: number, direction: 1 | -1): void {
  const half = (direction * t) / UNIT;
  const norm = 1 + half * half;
  const cosine = (1 - half * half) / norm;
  const sine = (2 * half) / norm;
  const a = x[p];
  const b = x[q];
  x[p] = cosine * a + sine * b;
  x[q] = cosine * b - sine * a;
}
