/** Half-precision numbers, IEEE 754 binary16, as bit patterns. */

export const LARGEST_FLOAT16 = 65504;

/**
 * Rounds to nearest, ties to even: relative error at most 2^-11, below 2^-14 absolute error at most 2^-25.
 * @param refuse called for the first number that is not finite or beyond LARGEST_FLOAT16; throws
 */
export function toFloat16(
  values: Float32Array,
  refuse: (value: number, at: number) => never,
): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  const sum = new Float32Array(1);
  const sumBits = new Uint32Array(sum.buffer);
  for (let at = 0; at < bits.length; at++) {
    const sign = (bits[at]! >>> 16) & 0x8000;
    const magnitude = bits[at]! & 0x7fffffff;
    let half: number;
    if (magnitude < 0x38800000) {
      // Below 2^-14: adding 0.5 in float32 rounds to multiples of 2^-24, float16's smallest step.
      sum[0] = Math.abs(values[at]!) + 0.5;
      half = sumBits[0]! - 0x3f000000;
    } else {
      // Exponent bias from 127 to 15, mantissa from 23 to 10 bits with rounding to even.
      half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    }
    if (half >= 0x7c00) refuse(values[at]!, at);
    halves[at] = sign | half;
  }
  return halves;
}

let numbers: Float32Array | undefined;

/**
 * Widens float16 bit patterns to float32 numbers, exactly.
 * @param values where the numbers go; new memory by default
 */
export function fromFloat16<Memory extends ArrayBufferLike = ArrayBuffer>(
  halves: Uint16Array,
  values = new Float32Array(halves.length) as Float32Array<Memory>,
): Float32Array<Memory> {
  numbers ??= Float32Array.from({ length: 0x10000 }, (_, half) => numberOf(half));
  const table = numbers;
  for (let at = 0; at < halves.length; at++) values[at] = table[halves[at]!]!;
  return values;
}

function numberOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}
