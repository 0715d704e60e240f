/** A ranking of many queries written out: a TREC run, a line of details for each document, and what it is worth by judgements. */
import { formatRun, type Qrels } from '../datasets/trec.js';
import { mean } from '../stats/describe.js';
import { measure, measured, type Scores } from '../stats/ranking.js';
import { rankedLineSchema } from '../wire/ranking.js';
import { jsonText } from '../wire/text.js';
import type { RankedQuery, RejectedCandidate } from './ranked-query.js';
import { type Unranked, unrankedOf } from './unranked.js';

/** Anything that takes text: a file, a stream, an answer. */
interface Sink {
  write(text: string): Promise<void>;
}

export interface RankedRunOutputs {
  /** The sink of the TREC run. */
  readonly run: Sink;
  /** The sink of JSON lines with every number of every document. */
  readonly details?: Sink | undefined;
  /** The name of the run in its lines. */
  readonly tag: string;
  /** The number of best documents to write for each query; all by default. */
  readonly top?: number | undefined;
}

export interface RankedRun {
  /** The scores that were written, by query. */
  readonly scores: ReadonlyMap<string, Scores>;
  readonly queries: number;
  /** The number of the run's lines. */
  readonly documents: number;
  /** The ids of missing candidates, each once. */
  readonly missing: readonly string[];
  /** The candidates without a finite score, which are in no ranking. */
  readonly rejected: readonly (RejectedCandidate & { readonly query: string })[];
}

/** Writes rankings as they are made. @throws what making and writing them throws */
export async function writeRankedRun(
  rankings: AsyncIterable<RankedQuery>,
  { run, details, tag, top }: RankedRunOutputs,
): Promise<RankedRun> {
  const scores = new Map<string, Scores>();
  const missing = new Set<string>();
  const rejected: (RejectedCandidate & { query: string })[] = [];
  let documents = 0;
  for await (const ranking of rankings) {
    const best = ranking.documents.slice(0, top);
    const own = new Map(best.map(({ id, score }) => [id, score]));
    scores.set(ranking.id, own);
    documents += own.size;
    for (const id of ranking.missing) missing.add(id);
    rejected.push(...ranking.rejected.map((one) => ({ query: ranking.id, ...one })));
    await run.write(formatRun(new Map([[ranking.id, own]]), tag));
    const lines = best.map((document, at) =>
      jsonText(rankedLineSchema, { query: ranking.id, rank: at + 1, ...document }),
    );
    await details?.write(lines.map((line) => `${line}\n`).join(''));
  }
  return { scores, queries: scores.size, documents, missing: [...missing], rejected };
}

export interface MeasuredRun {
  /** The measures; empty without judgements. */
  readonly measures: readonly {
    readonly name: string;
    /** The mean over the judged queries with a relevant document. */
    readonly mean: number | null;
    readonly queries: number;
    /** The mean over all judged queries; null for AUC. */
    readonly judgedMean: number | null;
    readonly judgedQueries: number;
  }[];
  readonly unranked: Unranked;
}

/**
 * @param names of measures
 * @param asked all queries, those without candidates among them
 * @param run by query its scores
 */
export function measuredRun(
  names: readonly string[],
  qrels: Qrels,
  asked: readonly { readonly id: string }[],
  run: ReadonlyMap<string, Scores>,
): MeasuredRun {
  const ids = [...qrels.keys()];
  const scores = ids.map((id): Scores => run.get(id) ?? new Map());
  const meanOf = (values: readonly number[] = []) => (values.length > 0 ? mean(values) : null);
  const measures = names.map((name) => {
    const { withRelevant, judged } = measured(measure(name), scores, [...qrels.values()]);
    const judgedQueries = { judgedMean: meanOf(judged), judgedQueries: ids.length };
    return { name, mean: meanOf(withRelevant), queries: withRelevant.length, ...judgedQueries };
  });
  const ranked = [...run.keys()].map((id) => ({ id }));
  return { measures: ids.length > 0 ? measures : [], unranked: unrankedOf(qrels, asked, ranked) };
}
