/**
 * The regular expressions that pipelines may split by. Python's tokenizers match with Oniguruma, whose classes, escapes and case folding
 * differ from those of JavaScript; so each pattern that is supported is written here once more, and others are refused.
 */
import { LETTERS, MARKS, NUMBERS } from './character-classes.js';

/** The class `\s` of Oniguruma. JavaScript's has U+FEFF in it and lacks U+0085. */
const SPACE = '\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const LETTER = characterClass(LETTERS);
const MARK = characterClass(MARKS);
const NUMBER = characterClass(NUMBERS);

const GPT2 = `'s|'t|'re|'ve|'m|'ll|'d| ?[${LETTER}]+| ?[${NUMBER}]+| ?[^${SPACE}${LETTER}${NUMBER}]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`;

/** The pattern of Llama 3, or of Qwen 2, which takes digits one by one. U+017F, the long s, is another case of s. */
const afterGpt2 = (numbers: string) =>
  `'(?:[sS\\u017f]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\\r\\n${LETTER}${NUMBER}]?[${LETTER}]+|[${NUMBER}]${numbers}| ?[^${SPACE}${LETTER}${NUMBER}]+[\\r\\n]*|[${SPACE}]*[\\r\\n]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`;

/** The built-in model's pattern: words with the space before them, numbers of two digits at most, everything else by itself. */
export const MARKED_WORDS = '\\n|▁?[\\p{L}\\p{M}]+|▁?\\p{N}{1,2}|▁?[^\\p{L}\\p{M}\\p{N}▁\\n]|▁';

/** The known patterns: the same in JavaScript for what `tokenizer.json` says. */
const KNOWN: Readonly<Record<string, string>> = {
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+": GPT2,
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
    afterGpt2('{1,3}'),
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
    afterGpt2(''),
  '\\s+': `[${SPACE}]+`,
  [MARKED_WORDS]: `\\n|▁?[${LETTER}${MARK}]+|▁?[${NUMBER}]{1,2}|▁?[^${LETTER}${MARK}${NUMBER}▁\\n]|▁`,
};

export const KNOWN_PATTERNS: readonly string[] = Object.keys(KNOWN);

/** @param pattern one of `KNOWN_PATTERNS` */
export function knownPattern(pattern: string): RegExp {
  return new RegExp(KNOWN[pattern]!, 'gu');
}

/** The pattern that the ByteLevel pre-tokenizer splits by. */
export function byteLevelPattern(): RegExp {
  return new RegExp(GPT2, 'gu');
}

export function literalPattern(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'gu');
}

export function isSpace(unit: number): boolean {
  return (
    unit === 0x20 ||
    (unit >= 0x09 && unit <= 0x0d) ||
    unit === 0x85 ||
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

function characterClass(distances: string): string {
  const numbers = distances.split(' ').map((number) => Number.parseInt(number, 36));
  const escaped = (code: number) => `\\u{${code.toString(16)}}`;
  let [at, written] = [0, ''];
  for (let i = 0; i < numbers.length; i += 2) {
    const low = at + numbers[i]!;
    at = low + numbers[i + 1]!;
    written += low === at ? escaped(low) : `${escaped(low)}-${escaped(at)}`;
  }
  return written;
}
