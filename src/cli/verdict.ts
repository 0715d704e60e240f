/** The last lines of `dkv evaluate`: a verdict in words, and the commands that follow from it. */
import { shellWord } from '../base/shell-word.js';
import { pValue, signed, withInterval } from '../report/words/format.js';
import { BARE } from '../serving/variants.js';
import { BM25, type Margin, type Standing, type Verdict } from '../serving/verdict.js';

export function verdictLines(verdict: Verdict): string[] {
  const { measure, comparisons, queries, queriesNeeded, best, bestCache, rerank, rerankMargin } = verdict;
  if (queries === 0) return [`No judged query has a relevant document: ${measure} says nothing of these systems.`];
  if (comparisons === 0) return [`${best.system} is the only system: there is nothing to compare it with.`];
  const lines = [
    standing('Best system', best, `by ${measure}, Holm over ${counted(comparisons, 'comparison')}`),
    standing('Best cache', bestCache),
    rerankMargin && rerank
      ? advice(rerank, rerankMargin, measure)
      : `${BM25} is not among the systems: whether to re-rank its documents at all is not known.`,
  ];
  if (queries < queriesNeeded) {
    lines.push(
      `${counted(queries, 'judged query', 'judged queries')} with a relevant document cannot show any difference between so many systems: it takes ${queriesNeeded} at least.`,
    );
  }
  return lines;
}

/**
 * The commands that rank with what a verdict recommends and prime more documents for it. There are none where that is BM25 alone.
 * @param ranking the options that the evaluation shares with `dkv rank`, as they were given
 * @param priming those that it shares with `dkv prime`
 */
export function commandLines(
  { queries, best, bestCache, rerank }: Verdict,
  ranking: string,
  priming: string,
): string[] {
  // Without BM25 among the systems the best of all is the best cache.
  if (queries === 0 || best.system === BM25 || rerank === 'no') return [];
  const { system } = bestCache;
  const variant = system === BARE ? '' : ` --variant ${shellWord(system)}`;
  const surrogate = system === BARE ? '' : ` --surrogate ${shellWord(system)} --no-bare`;
  return [
    'Rank with it:',
    `  dkv rank${ranking}${variant}`,
    'Prime more documents for it:',
    `  dkv prime --input FILE${priming}${surrogate}`,
  ];
}

function standing(what: string, { system, betterThan, undecided }: Standing, how?: string): string {
  const shown = betterThan.length > 0 ? `, shown to be better than ${listed(betterThan)}` : '';
  const open = undecided.length > 0 ? `no evidence of a difference from ${listed(undecided)}` : '';
  const between = open === '' ? '' : shown === '' ? ', the simplest: ' : '; ';
  return `${what}: ${system}${shown}${between}${open}${how ? ` (${how})` : ''}.`;
}

function advice(
  rerank: NonNullable<Verdict['rerank']>,
  { treatment, difference, holm }: Margin,
  measure: string,
): string {
  const size = `${withInterval(difference, (x) => signed(x, 3))} ${measure}, p ${pValue(holm)} by Holm`;
  switch (rerank) {
    case 'yes':
      return `Re-rank with ${treatment}, which is better than ${BM25}: ${size}.`;
    case 'no':
      return `Do not re-rank with this model: ${treatment}, of its caches the one with the highest mean, is worse than ${BM25}: ${size}.`;
    case 'undecided':
      return `No evidence that re-ranking with this model helps or harms: ${treatment} less ${BM25} ${size}. More judged queries may tell.`;
  }
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
