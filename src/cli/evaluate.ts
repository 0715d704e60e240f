/** `dkv evaluate`: does priming rank better on judgements of one's own? With `--log`, on what a server answered (evaluate-log.ts). */

import { Command, Option } from 'commander';
import { counted } from '../base/counted.js';
import { DkvError } from '../base/errors.js';
import { firstFew } from '../base/few.js';
import { shellWord } from '../base/shell-word.js';
import type { Bm25 } from '../serving/bm25.js';
import type { Evaluation } from '../serving/evaluate.js';
import type { Store } from '../store/store.js';
import { evaluationSchema } from '../wire/ranking.js';
import { addLogOptions, evaluateDecisionLog, isOfLog, type LogOptions } from './evaluate-log.js';
import { printJson } from './json.js';
import { integer, openModel } from './model-options.js';
import {
  addRankingOptions,
  indexTexts,
  openPrimedStore,
  openQrels,
  type RankingOptions,
  relevanceAsked,
  sayLiterals,
  scoredAs,
  unrankedLines,
} from './ranking-options.js';
import { interruptSignal, Progress, sayNotice, whileBlocked } from './terminal.js';

interface EvaluateCommandOptions extends RankingOptions, LogOptions {
  readonly qrels: string;
  readonly variants?: readonly string[];
  readonly primary?: string;
  readonly calibrate: boolean;
  readonly upperBound: boolean;
  readonly template?: string;
  readonly onMissing: 'error' | 'skip';
  readonly seed: number;
}

const QRELS_FORM =
  'Judgements say which documents are relevant to a query, a line each: "query 0 document 1" (TREC), or a TSV with the header query-id, corpus-id, score (BEIR).';

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description(
      'Compare BM25, bare documents and every primed variant on judged queries, and say which to rank with, if any.',
    )
    .requiredOption('--qrels <file>', 'judgements, TREC’s four columns or BEIR’s TSV')
    .option('--variants <names...>', 'such as bare,doc_kw (default: all that the candidates have)')
    .option('--primary <measure>', 'decides the verdict (default: the first measure)')
    .option('--calibrate', 'fit and store what turns scores into probabilities of relevance', false)
    .option(
      '--upper-bound',
      'rank with the model as a full cross-encoder too: an encoder pass for every candidate',
      false,
    )
    .option(
      '--template <text>',
      'what a cross-encoder reads of the objective relevance (default: "Query: {query} Document: {document} Relevant:")',
    )
    .addOption(
      new Option(
        '--on-missing <what>',
        'what to do about candidates that lack a variant: end with an error, or leave them out for all',
      )
        .choices(['error', 'skip'])
        .default('error'),
    )
    .option('--seed <n>', 'seed of the bootstrap', integer, 42)
    .configureOutput({
      outputError: (message, write) =>
        write(message.includes("'--qrels <file>' not") ? `${message}${QRELS_FORM}\n` : message),
    });
  const ranking = addRankingOptions(
    command,
    `
All systems rank the same candidates, BM25's best together with whatever was judged, and are compared query by query: mean differences with the intervals that experiments have, p of random signs
(could the two systems be exchanged, query by query?) corrected by Holm over all pairs of systems (of every measure with --json). One is called better where its interval excludes 0 and its corrected p is
below .05; without that the simpler one stands, BM25 before bare and bare before variants. The last lines name the best system, the best cache, and say
whether to re-rank BM25's documents with the model at all.
Means are over the judged queries with a relevant document and, as ir_measures has them, over all judged ones; one without candidates counts 0.
BM25 stands for the first stage: down to its K the measures are those of searching the whole store. The other systems order the same
documents anew; what BM25 misses and nobody judged, they never see.
--upper-bound adds cross-encoder: query and document together in the encoder, by the template for --objective relevance, else the query in front of the
document as an oracle has it. It is what caches are held against and no verdict recommends it; each system's passes of the encoder stand beside it.

Examples:
  dkv evaluate --store ads --queries queries.jsonl --qrels qrels/test.tsv
  dkv evaluate --store ads --queries queries.jsonl --qrels qrels.txt --candidates judged --variants bare,doc_kw --calibrate
  dkv evaluate --store ads --queries queries.jsonl --qrels qrels.txt --measures nDCG@10 AP --json
  dkv evaluate --store ads --queries queries.jsonl --qrels qrels.txt --objective relevance --relevant-token true --irrelevant-token false --upper-bound
  dkv evaluate --log decisions --outcomes clicks.jsonl
  dkv evaluate --log decisions-*.jsonl --outcomes clicks.jsonl --control bare --detect 0.01 --json`,
  );
  return addLogOptions(ranking).action((options: EvaluateCommandOptions, evaluating: Command) =>
    isOfLog(options, evaluating) ? evaluateDecisionLog(options) : evaluateVariants(options, evaluating),
  );
}

async function evaluateVariants(options: EvaluateCommandOptions, command: Command): Promise<void> {
  const { readQueryFile } = await import('../datasets/queries.js');
  const { withCandidates } = await import('../serving/candidates.js');
  const { evaluate } = await import('../serving/evaluate.js');
  const { specificationsIn } = await import('../serving/variants.js');
  const { objective, prior, measures, primary, calibrate, upperBound, onMissing, seed } = options;
  const relevance = relevanceAsked(options);
  if (options.template !== undefined && !upperBound) {
    throw new DkvError(
      'INPUT_INVALID',
      '--template is what a cross-encoder reads, and none is asked for: give --upper-bound as well.',
    );
  }
  const signal = interruptSignal();
  const allQueries = await readQueryFile(options.queries, { signal });
  const qrels = await openQrels(options.qrels);
  const judged = allQueries.filter(({ id }) => qrels.has(id));
  if (judged.length === 0) {
    throw new DkvError(
      'INPUT_INVALID',
      `--qrels ${options.qrels} judges none of the ${allQueries.length} queries of ${options.queries}: it has ${firstFew([...qrels.keys()])}, they are ${firstFew(allQueries.map(({ id }) => id))}.`,
    );
  }
  const store = await openPrimedStore(options.store);
  try {
    const bm25 = await indexIfTexts(store, options.candidates, signal);
    const queries = await withCandidates(options.candidates, store, judged, {
      qrels,
      signal,
      onNotice: sayNotice,
      ...(bm25 && { bm25 }),
    });
    const model = await openModel(options, signal);
    sayLiterals(model, queries);
    const progress = new Progress('ranking', 'candidates');
    try {
      const evaluation = await evaluate(model, store, queries, qrels, {
        objective,
        ...(relevance && { relevance }),
        upperBound,
        prior,
        calibrate,
        onMissing,
        seed,
        signal,
        whileBlocked,
        ...(options.variants && { variants: specificationsIn(options.variants) }),
        ...(measures && { measures }),
        ...(primary !== undefined && { primary }),
        ...(bm25 && { bm25 }),
        onProgress: (done, total) => progress.update(done, total),
      });
      progress.end();
      if (options.json) printJson(evaluationSchema, evaluation);
      else process.stdout.write(await described(evaluation, model.builtIn, command));
    } finally {
      progress.end();
      await model.close();
    }
  } finally {
    await store.close();
  }
}

/** Makes BM25's index. Where the store has no texts BM25 is left out, unless it has to choose the candidates. */
async function indexIfTexts(store: Store, candidates: string, signal: AbortSignal): Promise<Bm25 | undefined> {
  const { isBm25 } = await import('../serving/candidates.js');
  try {
    return await indexTexts(store, signal);
  } catch (error) {
    if (isBm25(candidates) || !(error instanceof DkvError) || error.code !== 'INPUT_INVALID') throw error;
    process.stderr.write(`BM25 is left out: ${error.message}\n`);
    return undefined;
  }
}

/** The options of a command that were given on the command line and that another command takes too, as it takes them. */
function given(command: Command, other: Command): string {
  return command.options
    .flatMap((option) => {
      const name = option.attributeName();
      const there = other.options.find(({ long }) => long === option.long);
      // `--prior` is a file for `dkv prime`.
      if (!there || there.isBoolean() !== option.isBoolean() || name === 'json') return [];
      if (command.getOptionValueSource(name) !== 'cli') return [];
      const value: unknown = command.getOptionValue(name);
      // `dkv rank` does not choose its candidates by judgements.
      if (name === 'candidates' && value === 'judged') return [];
      // Of tiers the last one keeps everything.
      const values = Array.isArray(value) ? (there.variadic ? value : value.slice(-1)) : value === true ? [] : [value];
      return [option.long!, ...values.map((one) => shellWord(String(one)))];
    })
    .map((word) => ` ${word}`)
    .join('');
}

async function described(evaluation: Evaluation, isBuiltIn: boolean, command: Command): Promise<string> {
  const { fixed, pValue, signed, withInterval } = await import('../report/words/format.js');
  const { number, renderText, text } = await import('../report/tables/table.js');
  const { commandLines, verdictLines } = await import('./verdict.js');
  const { primeCommand } = await import('./prime.js');
  const { rankCommand } = await import('./rank.js');
  const { measures, systems, comparisons, calibrations, primary, missing, rejected, primed, unranked } = evaluation;
  const m = measures.findIndex(({ name }) => name === primary);
  const judged = measures[m]!.judgedQueries;
  const allRelevant = measures.every(({ queries }) => queries === judged);
  const judgedTable = allRelevant
    ? [`Over all ${counted(judged, 'judged query')}, each of which has a relevant document.`]
    : [
        'Over the judged queries with a relevant document. Over all judged queries:',
        '',
        renderText({
          columns: [text(`mean of ${counted(judged, 'query')}`), ...measures.map(({ name }) => number(name))],
          rows: systems.map(({ name, judgedMeans }) => [name, ...judgedMeans.map((value) => fixed(value, 3))]),
        }),
      ];
  const hasUpperBound = systems.some(({ encoderPasses }) => encoderPasses.perQuery > 0);
  const passesColumns = hasUpperBound ? ['encoder passes a query', 'passes a document, before'] : [];
  const lines = [
    `${counted(evaluation.queries, 'judged query')}, ${counted(evaluation.candidates, 'candidate')}, ${scoredAs(evaluation)} of ${primed.model}${isBuiltIn ? ', the built-in model' : ''}`,
    ...(rejected[0]
      ? [
          `Left out for all, as candidates have no score: ${counted(new Set(rejected.map(({ query }) => query)).size, 'query')}. ${rejected[0].reason}`,
        ]
      : []),
    ...(missing.length > 0
      ? [`Left out for all, as a variant is missing: ${counted(missing.length, 'candidate')}.`]
      : []),
    ...unrankedLines(unranked),
    '',
    renderText({
      columns: [
        text('mean of'),
        ...measures.map(({ name, queries, judgedQueries }) =>
          number(queries < judgedQueries ? `${name}, ${counted(queries, 'query')}` : name),
        ),
        ...passesColumns.map(number),
      ],
      rows: systems.map(({ name, means, encoderPasses: { perQuery, perDocument } }) => [
        name,
        ...means.map(({ value }) => fixed(value, 3)),
        ...(hasUpperBound ? [fixed(perQuery, perQuery === 0 ? 0 : 1), String(perDocument)] : []),
      ]),
    }),
    ...judgedTable,
  ];
  if (comparisons.length > 0) {
    lines.push(
      '',
      renderText({
        columns: [
          text('difference'),
          text('against'),
          number(`${primary} [95%]`),
          number('p, exchangeable'),
          number('p, Holm'),
        ],
        rows: comparisons.map(({ treatment, baseline, differences, holm }) => {
          const difference = differences[m];
          return [
            treatment,
            baseline,
            difference ? withInterval(difference.mean, (x) => signed(x, 3)) : '–',
            pValue(difference?.p.signFlip ?? null),
            pValue(holm[m] ?? null),
          ];
        }),
      }),
    );
  }
  if (calibrations.length > 0) {
    lines.push(
      '',
      renderText({
        columns: [
          text('calibrated'),
          number('relevant'),
          number('Brier, share'),
          number('Brier, raw'),
          number('Brier, calibrated'),
        ],
        rows: calibrations.map(({ variant, relevant, brier }) => [
          variant,
          fixed(relevant, 3),
          ...[brier?.constant, brier?.raw, brier?.calibrated].map((value) => fixed(value ?? null, 4)),
        ]),
      }),
    );
  }
  lines.push('', ...verdictLines(evaluation.verdict));
  lines.push(...commandLines(evaluation.verdict, given(command, rankCommand()), given(command, primeCommand())));
  return `${lines.join('\n')}\n`;
}
