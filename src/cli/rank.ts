/** `dkv rank`: rankings of stored documents as a TREC run, and what they are worth if judgements are at hand. */

import { Command, Option } from 'commander';
import type { z } from 'zod';
import { counted } from '../base/counted.js';
import { DkvError } from '../base/errors.js';
import { firstFew } from '../base/few.js';
import type { Model } from '../scoring/load-model.js';
import type { QueryToRank } from '../serving/ranked-query.js';
import { rankedRunSchema } from '../wire/ranking.js';
import { printJson } from './json.js';
import { openModel, positiveInteger } from './model-options.js';
import { expectApart, type Output, openOutput } from './output.js';
import {
  addRankingOptions,
  indexTexts,
  openPrimedStore,
  openQrels,
  type RankingOptions,
  relevanceAsked,
  sayLiterals,
  scoredAs,
  share,
  unrankedLines,
} from './ranking-options.js';
import { interruptSignal, Progress, sayNotice } from './terminal.js';

interface RankCommandOptions extends RankingOptions {
  readonly output: string;
  readonly details?: string;
  readonly variant: string;
  readonly qrels?: string;
  readonly interpolate?: number;
  readonly top?: number;
  readonly onMissing: 'error' | 'last' | 'skip';
}

export function rankCommand(): Command {
  const command = new Command('rank')
    .description('Rank stored documents by how likely the model finds the query, or its answer, given each.')
    .option(
      '--output <file>',
      'TREC run: qid Q0 docid rank score tag; - for standard output, which --json has to itself',
      '-',
    )
    .option('--details <file>', 'JSON lines with every number of every document')
    .option('--variant <name>', 'which of the documents’ caches: bare, or a surrogate’s specification', 'bare')
    .option('--qrels <file>', 'judgements, TREC’s four columns or BEIR’s TSV: measures are printed')
    .option(
      '--interpolate <w>',
      'mix with the first stage: w times its z-score and 1 - w times that of the model',
      share,
    )
    .option('--top <n>', 'write the best n only', positiveInteger)
    .addOption(
      new Option('--on-missing <what>', 'what to do about candidates that the store does not have')
        .choices(['error', 'last', 'skip'])
        .default('error'),
    );
  return addRankingOptions(
    command,
    `
The research found hardly any gain in ranking from priming: begin with the variant bare, and let dkv evaluate tell whether another one
is better on your own judgements.
A score is -NLL, mean over the target's tokens. Scores compare within a query, not between queries. With --objective relevance it is the log
of the odds between two words, or the log of one word's probability; both have to be one token each. A line of details:
  {"query", "id", "rank", "score", "nll", "nll_sum", "tokens", "relevance_score"?, "first_stage"?}
relevance_score is there if dkv evaluate --calibrate has been run with the same settings. Measures are of what is written.

Examples:
  dkv rank --store ads --queries queries.jsonl --candidates bm25:100 --output run.txt
  dkv rank --store ads --queries queries.jsonl --candidates qrels/test.tsv --qrels qrels/test.tsv --output run.txt
  dkv rank --store ads --queries queries.jsonl --candidates first.run --interpolate 0.3 --output run.txt --details all.jsonl
  dkv rank --store ads --queries queries.jsonl --objective relevance --relevant-token true --irrelevant-token false --output run.txt`,
  ).action(rankDocuments);
}

async function rankDocuments(options: RankCommandOptions): Promise<void> {
  const { expectRunIds } = await import('../datasets/trec.js');
  const { rank } = await import('../serving/rank.js');
  const { measuredRun, writeRankedRun } = await import('../serving/ranked-run.js');
  const { DEFAULT_MEASURES } = await import('../serving/evaluate.js');
  const { readQueryFile } = await import('../datasets/queries.js');
  const { isBm25, withCandidates } = await import('../serving/candidates.js');
  const { wholeRelevance } = await import('../serving/relevance.js');
  const { measure } = await import('../stats/ranking.js');
  const { objective, variant, prior, interpolate, onMissing } = options;
  const signal = interruptSignal();
  if (options.json && options.output === '-') {
    throw new DkvError('INPUT_INVALID', 'With --json the run needs a file of its own: give --output.');
  }
  await expectApart(
    [
      ['--output', options.output],
      ['--details', options.details],
    ],
    [
      ['--queries', options.queries],
      ['--qrels', options.qrels],
      ['--candidates', options.candidates],
    ],
  );
  const relevance = relevanceAsked(options);
  const { measures = DEFAULT_MEASURES } = options;
  measures.forEach(measure);
  if (options.measures && options.qrels === undefined) {
    throw new DkvError('INPUT_INVALID', '--measures are of judgements, and none are given: give --qrels as well.');
  }
  const allQueries = await readQueryFile(options.queries, { signal });
  const qrels = options.qrels === undefined ? undefined : await openQrels(options.qrels);
  const store = await openPrimedStore(options.store);
  try {
    const bm25 = isBm25(options.candidates) ? await indexTexts(store, signal) : undefined;
    const asked = await withCandidates(options.candidates, store, allQueries, {
      signal,
      onNotice: sayNotice,
      ...(bm25 && { bm25 }),
      // A search does not know what was judged: BM25's best stay what they are.
      ...(options.candidates === 'judged' && qrels && { qrels }),
    });
    const queries = asked.filter(({ candidates }) => candidates.length > 0);
    expectRunIds(idsOf(queries));
    const progress = new Progress('ranking', 'candidates');
    const files: Output[] = [];
    let model: Model | undefined;
    try {
      const run = await openOutput(options.output);
      files.push(run);
      const details = options.details === undefined ? undefined : await openOutput(options.details, '--details');
      if (details) files.push(details);
      model = await openModel(options, signal);
      sayLiterals(model, queries);
      const rankings = rank(model, store, queries, {
        objective,
        ...(relevance && { relevance }),
        variant,
        prior,
        onMissing,
        signal,
        ...(interpolate !== undefined && { interpolate }),
        onProgress: (done, total) => progress.update(done, total),
      });
      const tag = `dkv-${model.name}-${variant}`;
      const written = await writeRankedRun(rankings, { run, details, tag, top: options.top });
      for (const file of files) await file.close();
      progress.end();
      const summary = {
        store: store.location,
        model: model.name,
        fingerprint: model.fingerprint,
        builtIn: model.builtIn,
        objective,
        ...(relevance && { relevance: wholeRelevance(relevance) }),
        variant,
        prior,
        interpolate: interpolate ?? null,
        ...written,
        ...measuredRun(measures, qrels ?? new Map(), asked, written.scores),
      };
      if (written.rejected.length > 0) process.exitCode = 2;
      if (options.json) printJson(rankedRunSchema, summary);
      else (options.output === '-' ? process.stderr : process.stdout).write(await described(summary));
    } finally {
      progress.end();
      for (const file of files) await file.discard();
      await model?.close();
    }
  } finally {
    await store.close();
  }
}

function* idsOf(queries: readonly QueryToRank[]): Generator<string> {
  for (const { id, candidates } of queries) {
    yield id;
    for (const candidate of candidates) yield candidate.id;
  }
}

async function described(summary: z.output<typeof rankedRunSchema>): Promise<string> {
  const { fixed } = await import('../report/words/format.js');
  const { number, renderText, text } = await import('../report/tables/table.js');
  const { queries, documents, missing, rejected, measures, model, variant, prior, interpolate } = summary;
  const how = `${scoredAs(summary)}${prior ? ' less priors' : ''}${interpolate === null ? '' : `, ${interpolate} of the first stage,`}`;
  const lines = [
    `${counted(queries, 'query')}, ${counted(documents, 'document')} ranked by ${how} with ${variant} of ${model}${summary.builtIn ? ', the built-in model' : ''}`,
  ];
  if (missing.length > 0) {
    lines.push(`Not in the store: ${counted(missing.length, 'candidate')}, ${firstFew(missing)}`);
  }
  const [first] = rejected;
  if (first) {
    lines.push(
      `Without a score and in no ranking: ${counted(rejected.length, 'candidate')}. The first, of query ${first.query}: ${first.reason}`,
    );
  }
  if (measures.length > 0) {
    lines.push(...unrankedLines(summary.unranked), '');
    const columns = ['all judged', 'queries', 'with a relevant document', 'queries'].map(number);
    const rows = measures.map(({ name, mean, queries, judgedMean, judgedQueries }) => [
      name,
      fixed(judgedMean, 4),
      String(judgedQueries),
      fixed(mean, 4),
      String(queries),
    ]);
    lines.push(renderText({ columns: [text('mean of'), ...columns], rows }));
  }
  return `${lines.join('\n')}\n`;
}
