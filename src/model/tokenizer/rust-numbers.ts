/**
 * Numbers of `tokenizer.json` as Python's tokenizers read them. The Rust library behind them (serde_json) takes the digits for a whole number and
 * divides by a power of ten, which rounds twice: of numbers with more than 15 digits, which scores of a Unigram model are, one in seven
 * is off by its last bit, which decides between cuts of a word that are equally good but for it.
 */
import { parse } from 'lossless-json';

const LARGEST = 2n ** 64n - 1n;
/** The largest power of ten of a double. */
const LARGEST_POWER = 308;

/** The JSON of a file with its numbers as Rust reads them. @throws Error for what is no JSON */
export function parseAsRust(text: string): unknown {
  return parse(text, undefined, readAsRust);
}

/** @param numeral a number of JSON */
export function readAsRust(numeral: string): number {
  const [, sign, whole, fraction = '', written = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(numeral)!;
  const digits = (whole! + fraction).replace(/^0+(?=\d)/, '');
  const kept = digits.slice(0, keptDigits(digits));
  let exponent = Number(written) - fraction.length + digits.length - kept.length;
  let value = Number(kept);
  for (; exponent < -LARGEST_POWER && value !== 0; exponent += LARGEST_POWER) value /= Number(`1e${LARGEST_POWER}`);
  const power = Number(`1e${Math.min(Math.abs(exponent), LARGEST_POWER)}`);
  value = exponent < 0 ? value / power : value * power;
  return sign ? -value : value;
}

/** The number of digits that fit into a whole number of 64 bits; those behind are ignored. */
function keptDigits(digits: string): number {
  if (digits.length <= 19) return digits.length;
  return BigInt(digits.slice(0, 20)) <= LARGEST ? 20 : 19;
}
