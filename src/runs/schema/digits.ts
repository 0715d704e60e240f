/**
 * Whole numbers as texts of hexadecimal digits: one text for the lowest digit of all of them, one for the next, and so on. gzip codes each text by how often each
 * digit occurs in it, so that high digits, most of which are 0, take next to nothing, and random ones no more than their four bits.
 */

const BASE = 16;

/** The largest size of a number that can be written. */
export const MOST = 2 ** 52 - 1;

const ZERO = 0x30;
const NINE = 0x39;
const A = 0x61;
const F = 0x66;

/**
 * @param numbers whole and of at most `MOST` in size. Each stands as twice its size, plus 1 where it is negative.
 * @returns as many texts as the largest number has digits, each with a digit for every number
 */
export function digitsOf(numbers: readonly number[]): string[] {
  const left = numbers.map((number) => 2 * Math.abs(number) + (number < 0 ? 1 : 0));
  const texts: string[] = [];
  const codes = new Uint8Array(left.length);
  while (left.some((number) => number > 0)) {
    for (const [at, number] of left.entries()) {
      const digit = number % BASE;
      codes[at] = digit < 10 ? ZERO + digit : A - 10 + digit;
      left[at] = (number - digit) / BASE;
    }
    texts.push(new TextDecoder().decode(codes));
  }
  return texts.length > 0 ? texts : ['0'.repeat(left.length)];
}

/** @throws Error for texts of different lengths, and for what is no digit */
export function numbersOf(digits: readonly string[]): number[] {
  const numbers = new Array<number>(digits[0]?.length ?? 0).fill(0);
  let place = 1;
  for (const text of digits) {
    if (text.length !== numbers.length) throw new Error(`${text.length} digits beside ${numbers.length}`);
    for (let at = 0; at < text.length; at++) numbers[at]! += place * digitAt(text.charCodeAt(at));
    place *= BASE;
  }
  return numbers.map((number) => (number % 2 === 0 ? number / 2 : (1 - number) / 2));
}

function digitAt(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  if (code >= A && code <= F) return code - A + 10;
  throw new Error(`"${String.fromCharCode(code)}" is no hexadecimal digit`);
}
