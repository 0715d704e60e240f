/** What `dkv rank` and `dkv evaluate` have in common: a store, queries, candidates, judgements. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DkvError } from '../base/errors.js';
import { firstFew } from '../base/few.js';
import type { Qrels } from '../datasets/trec.js';
import { LiteralTokens } from '../model/tokenizer/literal-tokens.js';
import type { Model } from '../scoring/load-model.js';
import type { Bm25 } from '../serving/bm25.js';
import type { Objective } from '../serving/calibration.js';
import type { QueryToRank } from '../serving/ranked-query.js';
import type { Relevance } from '../serving/relevance.js';
import type { Unranked } from '../serving/unranked.js';
import type { Store } from '../store/store.js';
import { addEngineOptions, type EngineOptions } from './model-options.js';
import { Progress } from './terminal.js';

export interface RankingOptions extends EngineOptions {
  readonly store: readonly string[];
  readonly queries: string;
  readonly candidates: string;
  readonly objective: Objective;
  readonly relevantToken?: string;
  readonly irrelevantToken?: string;
  readonly prompt?: string;
  readonly prior: boolean;
  readonly measures?: readonly string[];
  readonly json: boolean;
}

/** The help text that lists the values of `--candidates`. */
const CANDIDATES_HELP = `
Candidates: a TREC run (its scores are the first stage's), a TSV of query and document ids, qrels (their grades are not looked at), all,
judged (by --qrels), bm25 or bm25:K (the K best by BM25 over the stored texts, 100 unless told otherwise).`;

const MEASURES_HELP =
  'names as in ir_measures: nDCG@10, nDCG(gain=exponential)@10, RR@10, AP, AP(rel=2), P@5, Success@1, AUC';

/** Says how many queries, with their answers, have control tokens as they are written. */
export function sayLiterals(
  { tokenizer }: Model,
  queries: readonly Pick<QueryToRank, 'text' | 'answer'>[],
  name = 'queries',
): void {
  const literals = new LiteralTokens(tokenizer);
  for (const { text, answer } of queries) literals.see(text, answer);
  const found = literals.described(name);
  if (found) process.stderr.write(`${found}\n`);
}

export function addRankingOptions(command: Command, help: string): Command {
  return addEngineOptions(
    command
      .requiredOption('--store <location...>', 'what dkv prime wrote to; several are tiers, fastest first')
      .requiredOption('--queries <file>', 'JSON lines: {"_id" or "id", "text", "answer"?}, as in BEIR')
      .option('--candidates <what>', 'which documents each query is ranked over', 'bm25:100')
      .addOption(
        new Option(
          '--objective <name>',
          'what is scored: the query, its answer after the query, or whether the first word after both means relevant',
        )
          .choices(['query-likelihood', 'answer-likelihood', 'relevance'])
          .default('query-likelihood'),
      )
      .option(
        '--relevant-token <word>',
        'for the objective relevance: the word that means relevant, one token of the model (monoT5: true)',
      )
      .option('--irrelevant-token <word>', 'the word that it is weighed against (monoT5: false; default: every token)')
      .option('--prompt <text>', 'what stands before that word in the decoder (default: "Query: {query} Relevant:")')
      .option('--prior', "take off each document's prior (dkv prime --prior)", false)
      .option('--measures <names...>', MEASURES_HELP, names)
      .option('--json', 'for machines', false),
  ).addHelpText('after', `${CANDIDATES_HELP}\n${help}`);
}

/**
 * The words that the objective relevance asks for; undefined for other objectives.
 * @throws DkvError INPUT_INVALID for options that do not go together
 */
export function relevanceAsked({
  objective,
  relevantToken,
  irrelevantToken,
  prompt,
  template,
}: RankingOptions & { readonly template?: string }): Relevance | undefined {
  const others = { '--irrelevant-token': irrelevantToken, '--prompt': prompt, '--template': template };
  const [given] =
    Object.entries({ '--relevant-token': relevantToken, ...others }).find(([, own]) => own !== undefined) ?? [];
  if (objective !== 'relevance') {
    if (given === undefined) return undefined;
    throw new DkvError('INPUT_INVALID', `${given} is for --objective relevance, and the objective is ${objective}.`);
  }
  if (relevantToken === undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      '--objective relevance needs the word that means relevant: give --relevant-token (monoT5: true), and for odds --irrelevant-token (monoT5: false).',
    );
  }
  return { relevantToken, irrelevantToken, prompt, template };
}

/** Describes an objective in words. */
export function scoredAs({
  objective,
  relevance,
}: {
  readonly objective: Objective;
  readonly relevance?: Relevance | undefined;
}): string {
  if (!relevance) return objective;
  const { relevantToken, irrelevantToken } = relevance;
  const against = irrelevantToken === undefined ? '' : ` against ${JSON.stringify(irrelevantToken)}`;
  return `${objective} (${JSON.stringify(relevantToken)}${against})`;
}

/** Splits a list of names separated by white space or commas. */
function names(list: string, before: readonly string[] = []): string[] {
  return [...before, ...list.split(',').map((name) => name.trim())].filter((name) => name !== '');
}

export function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number from 0 to 1.');
}

export async function openPrimedStore(locations: readonly string[]): Promise<Store> {
  const { openStore } = await import('../store/open.js');
  const [first = ''] = locations;
  return openStore(locations.length === 1 ? first : locations, { mustExist: true });
}

export async function openQrels(file: string): Promise<Qrels> {
  const { readQrels } = await import('../datasets/trec.js');
  const qrels = await readQrels(file, `--qrels ${file}`);
  if (qrels.size > 0) return qrels;
  throw new DkvError('INPUT_INVALID', `--qrels ${file}: no judgements in it. Expected lines like "qid 0 docid grade".`);
}

export async function indexTexts(store: Store, signal: AbortSignal): Promise<Bm25> {
  const { bm25Of } = await import('../serving/bm25.js');
  const progress = new Progress('indexing', 'documents');
  try {
    return await bm25Of(store, { signal, onProgress: (done, total) => progress.update(done, total) });
  } finally {
    progress.end();
  }
}

/** Says which judged queries were not ranked, one line for each kind. */
export function unrankedLines({ withoutCandidates, notAsked }: Unranked): string[] {
  const line = (ids: readonly string[], why: string) =>
    ids.length === 0
      ? []
      : [
          `${ids.length} judged ${ids.length === 1 ? `query ${why} and counts` : `queries ${why.replace(/^is/, 'are').replace(/^has/, 'have')} and count`} 0: ${firstFew(ids)}.`,
        ];
  return [...line(withoutCandidates, 'has no candidates'), ...line(notAsked, 'is not in the query file')];
}
