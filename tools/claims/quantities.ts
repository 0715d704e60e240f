/** Numbers in words ("twice", "two thirds"): which they are, and whether the numbers in claims show them. */

const COUNTS = ['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const PARTS = ['half', 'third', 'quarter', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
const OTHERS: Readonly<Record<string, number>> = {
  ...{ twice: 2, thrice: 3, double: 2, doubles: 2, doubled: 2, triple: 3, triples: 3, tripled: 3 },
  ...{ halves: 1 / 2, one: 1, twenty: 20, hundred: 100 },
};

const COUNT = COUNTS.join('|');
const PART = PARTS.slice(1).join('|');

/** Numbers in words: wherever they stand, a claim has to show them. */
export const QUANTITY = new RegExp(
  String.raw`\b(?:twice|thrice|half|halves|(?:double|triple)[sd]?|(?:${COUNT}|twenty|hundred)[\s-]*(?:times|fold)|(?:(?:one|${COUNT})[\s-]+)?(?:${PART})s?|times\s+as)\b`,
  'giu',
);

function factorOf(word: string): number {
  if (COUNTS.includes(word)) return COUNTS.indexOf(word) + 2;
  const part = PARTS.indexOf(word.replace(/s$/u, ''));
  return part < 0 ? OTHERS[word]! : 1 / (part + 2);
}

/** "Two thirds" is 2/3, "four times" and "fourfold" 4; "times as" is no number. */
function amountOf(words: string): number | undefined {
  const plain = words.toLowerCase();
  if (plain.startsWith('times')) return undefined;
  const [first, second] = plain.replace(/[\s-]*(?:times|fold)$/u, '').split(/[\s-]+/u) as [string, string?];
  return factorOf(first) * (second === undefined ? 1 : factorOf(second));
}

/** How far from a quantity in words two numbers may be, as a factor, that claims have below and above it. */
const NEAR = 1.5;

/** Whether claims with these numbers show a quantity in words: it is one of them, or lies between two that are near, as itself or in percent. */
export function shows(literals: readonly number[], words: string): boolean {
  const amount = amountOf(words);
  if (amount === undefined) return literals.length > 0;
  return [amount, 100 * amount].some((wanted) => {
    const ratios = literals.map((x) => x / wanted).filter((x) => x >= 1 / NEAR && x <= NEAR);
    return ratios.some((x) => Math.abs(x - 1) < 1e-9) || (ratios.some((x) => x < 1) && ratios.some((x) => x > 1));
  });
}
