/**
 * IEEE 754 binary16 as storage: float32 ↔ half, round to nearest even, subnormals and infinities kept. Two halves
 * a lane of an int32 tensor, the even element in the low 16 bits (tfjs has no 16-bit dtype).
 */
const word = new Uint32Array(1);
const real = new Float32Array(word.buffer);

/** The half nearest to x, as 16 bits; beyond ±65,504 (after rounding) it is ±∞. */
export function floatToHalf(x: number): number {
  real[0] = x;
  const bits = word[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x7f800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: adding 0.5 leaves the value, in units of 2⁻²⁴ and rounded to even, in the low mantissa bits.
    real[0] = Math.abs(x) + 0.5;
    return sign | (word[0] - 0x3f000000);
  }
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

export function halfToFloat(half: number): number {
  const exponent = (half >>> 10) & 31;
  const mantissa = half & 0x3ff;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

let decoded: Float32Array | undefined;

/** All 65,536 halves as floats. */
function halfTable(): Float32Array {
  if (!decoded) {
    decoded = new Float32Array(65536);
    for (let h = 0; h < 65536; h++) decoded[h] = halfToFloat(h);
  }
  return decoded;
}

/** int32 lanes that hold `payload` halves. */
export function lanesFor(payload: number): number {
  return (payload + 1) >> 1;
}

/** [rows, payload] floats → [rows, lanes] packed halves; an odd row's last half is 0. */
export function packHalves(values: ArrayLike<number>, payload: number): Int32Array {
  const lanes = lanesFor(payload);
  const rows = payload ? values.length / payload : 0;
  const out = new Int32Array(rows * lanes);
  for (let r = 0; r < rows; r++) {
    for (let f = 0; f < payload; f += 2) {
      const low = floatToHalf(values[r * payload + f]);
      const high = f + 1 < payload ? floatToHalf(values[r * payload + f + 1]) : 0;
      out[r * lanes + (f >> 1)] = low | (high << 16);
    }
  }
  return out;
}

/** Writes row `row` of packed lanes as `payload` floats into `out` from `offset`. */
export function unpackRow(
  lanes: Int32Array,
  row: number,
  payload: number,
  out: Float32Array | Float64Array,
  offset = 0,
): void {
  const table = halfTable();
  const start = row * lanesFor(payload);
  for (let f = 0; f < payload; f++) {
    const lane = lanes[start + (f >> 1)];
    out[offset + f] = table[f & 1 ? lane >>> 16 : lane & 0xffff];
  }
}
