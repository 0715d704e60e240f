/**
 * JSON without its losses. `JSON.parse` rounds integers beyond 2^53, takes 1 and 1.0 for the same, and of two members with one name the
 * last; here a number that JavaScript would write otherwise is kept as it is written, and the rest is refused.
 */
import { isLosslessNumber, LosslessNumber, parse } from 'lossless-json';

/**
 * @returns numbers as `LosslessNumber` where `String(Number(text))` is not their text, and where they are integers of 2^53 and more
 * @throws Error for what is no JSON, for two members of one name with different values, for a number beyond the range of float64, for
 * half of a surrogate pair, and for values nested too deeply
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = parse(text, undefined, exactNumber);
  } catch (error) {
    if (error instanceof RangeError) throw new Error('nested too deeply', { cause: error });
    throw error;
  }
  // UTF-8 has no half of a pair: only an escape can bring one.
  if (/\\u[dD][89a-fA-F]/.test(text)) expectWellFormed(value);
  return value;
}

/** @throws Error beyond the range of float64 */
export function exactNumber(text: string): number | LosslessNumber {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error(`the number ${text} is beyond what a number can be`);
  // 2^53 is written so too, but 2^53 + 1 would become it.
  const isExact = String(value) === text && (!Number.isInteger(value) || Number.isSafeInteger(value));
  return isExact ? value : new LosslessNumber(text);
}

function expectWellFormed(value: unknown): void {
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new Error(`${JSON.stringify(value.slice(0, 40))} has half of a surrogate pair, which no text can hold`);
  }
  if (typeof value !== 'object' || value === null || isLosslessNumber(value)) return;
  for (const [key, item] of Object.entries(value)) {
    expectWellFormed(key);
    expectWellFormed(item);
  }
}
