/** Resamplings as kernels/wasm/bandlimited.ts reads them, and where they pay. */
import { linePlan, rootsOf } from '../../ops/fourierplan.js';
import { planBytes } from './fourier.js';

export interface ResampledAxis {
  from: number;
  to: number;
  periodic: boolean;
  adjoint: boolean;
}

const HEADER_BYTES = 48;
const aligned = (bytes: number) => 16 * Math.ceil(bytes / 16) + 16;

/** Instructions of a complex transform of n points. */
function transformCost(n: number): number {
  const { points, radices, chirp } = linePlan(n);
  // Passes of radix 2, 3, 4, 5 cost about 14 a point, others two products more for each of the radix.
  const passes = radices.reduce((sum, r) => sum + (r <= 5 ? 14 : 6 * r), 0);
  return points * passes * (chirp ? 2 : 1) + (chirp ? 12 * points : 0);
}

/** Whether transforms are less work than a centred matrix. */
export function paysTransforms({ from, to }: ResampledAxis): boolean {
  if (Math.min(from, to) < 16) return false;
  const product = 2.75 * from * to;
  return transformCost(from) + transformCost(to) + 16 * (from + to) < product;
}

const kept = new Map<string, Float32Array>();

/** e^{sign · πi k · numerator / denominator}, k ≤ count, as pairs. */
function turns(key: string, make: () => Float64Array): Float32Array {
  let values = kept.get(key);
  if (!values) {
    if (kept.size > 64) kept.clear();
    kept.set(key, (values = Float32Array.from(make())));
  }
  return values;
}

/** e^{−πik/2n} for k ≤ n/2; its conjugate where `back`. */
const mirroredTurns = (n: number, back: boolean): Float32Array =>
  turns(`${n} ${back}`, () => rootsOf(4 * n, (n >> 1) + 1).map((v, i) => (back && i & 1 ? -v : v)));

/** e^{πik(1/to − 1/from)} for 2k ≤ the smaller size. */
const shiftTurns = (from: number, to: number): Float32Array =>
  turns(`${from} ${to}`, () => {
    const count = (Math.min(from, to) >> 1) + 1;
    return Float64Array.from({ length: 2 * count }, (_, i) => {
      const k = i >> 1;
      const angle = Math.PI * k * (1 / to - 1 / from);
      return i & 1 ? Math.sin(angle) : Math.cos(angle);
    });
  });

/** A resampling's bytes, and where in scratch. */
export class Resampling {
  readonly #blobs: Uint8Array[];
  readonly #room: number[];
  readonly bytes: number;

  constructor(private readonly axis: ResampledAxis) {
    const { from, to, periodic } = axis;
    const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
      new Uint8Array(buffer, byteOffset, byteLength);
    this.#blobs = [
      planBytes(from),
      planBytes(to),
      bytesOf(periodic ? shiftTurns(from, to) : mirroredTurns(from, false)),
      bytesOf(periodic ? new Float32Array(0) : mirroredTurns(to, true)),
    ];
    const points = Math.max(linePlan(from).points, linePlan(to).points);
    this.#room = [32 * points, 32 * points];
    const sizes = [...this.#blobs.map((blob) => blob.length), ...this.#room];
    this.bytes = sizes.reduce((sum, size) => sum + aligned(size), HEADER_BYTES + 16);
  }

  /** Writes it at `base`, a multiple of 16. */
  write(base: number, write: (offset: number, bytes: Uint8Array) => void): void {
    const { from, to, periodic, adjoint } = this.axis;
    const header = new DataView(new ArrayBuffer(HEADER_BYTES));
    header.setInt32(0, periodic ? 2 : 1, true);
    // Of the matrix, whichever way it is applied.
    const points = adjoint ? to : from;
    header.setFloat32(4, 1 / points, true);
    header.setFloat32(8, points <= Math.min(from, to) ? 1 : 2, true);
    let at = base + HEADER_BYTES;
    this.#blobs.forEach((blob, i) => {
      header.setUint32(12 + 4 * i, at, true);
      write(at, blob);
      at += aligned(blob.length);
    });
    this.#room.forEach((size, i) => {
      header.setUint32(28 + 4 * i, at, true);
      at += aligned(size);
    });
    write(base, new Uint8Array(header.buffer));
  }
}
