/**
 * Ranks stored documents by how likely the model finds the query, or its answer, given each of them. Only the decoder runs.
 *
 * Scores of one query compare with each other: same target, same model, same variant. Between queries they do not, because targets
 * differ; a document's prior takes out how much it likes any query, a calibration makes probabilities of them.
 */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { grouped } from '../base/groups.js';
import { expectKnownOptions } from '../base/option-names.js';
import { parse } from '../base/parse.js';
import { deadlineOf } from '../engine/deadline.js';
import { type PhaseTimes, PRIORITIES, type RequestOptions } from '../engine/engine.js';
import { PhaseMeter } from '../engine/phases.js';
import type { Model } from '../scoring/load-model.js';
import type { Store } from '../store/store.js';
import { OBJECTIVES, type Objective, readCalibration } from './calibration.js';
import { missingDocuments, missingMessage } from './missing.js';
import { questionOf, scoredBy } from './objectives.js';
import { expectProvenance } from './provenance.js';
import { ON_MISSING, type QueryToRank, type RankedQuery, rankedQuery } from './ranked-query.js';
import { expectReferenceDigest } from './reference-queries.js';
import type { Relevance } from './relevance.js';
import { type AskStoredOptions, askStored } from './score.js';
import { BARE } from './variants.js';

const optionsSchema = z.strictObject({
  /** What is scored; `query-likelihood` by default. */
  objective: z.enum(OBJECTIVES).optional(),
  /** Which words of the decoder mean relevant and irrelevant. It is for the objective `relevance` only, which needs it. */
  relevance: z.custom<Relevance>().optional(),
  /** The variant to score. `bare` by default, since no surrogate has been shown to rank better. */
  variant: z.string().min(1).optional(),
  /**
   * Add each document's prior, its mean NLL of reference queries, to its score. That takes out how likely the document makes any query: see
   * docs/ranking.md.
   */
  prior: z.boolean().optional(),
  /**
   * The weight w of the first stage, in [0, 1]. Scores are then w z(first stage) + (1 - w) z(ours), where z is the distance from the mean of the
   * query's candidates in standard deviations, or 0 where all are equal.
   */
  interpolate: z.number().min(0).max(1).optional(),
  /** Give relevance scores. True demands a calibration; by default they are given where the store has one. Interpolated scores have none. */
  calibration: z.boolean().optional(),
  /** What happens to missing candidates; `error` by default. */
  onMissing: z.enum(ON_MISSING).optional(),
  signal: z.instanceof(AbortSignal).optional(),
  /** The class of the requests in the engine's queue; `interactive` by default. */
  priority: z.enum(PRIORITIES).optional(),
  /** A time limit in milliseconds from the call. What has not begun by then is dropped with DEADLINE_PASSED. */
  deadlineMs: z.number().positive().optional(),
  /**
   * Drops only the candidates that are in no batch when the deadline passes, and ranks the others. Where no candidate has a score by then, the
   * ranking ends with DEADLINE_PASSED all the same.
   */
  dropLate: z.boolean().optional(),
  /** Called once, when the ranking ends or fails, with the milliseconds in each phase over all of its requests. */
  onPhases: z.custom<NonNullable<RequestOptions['onPhases']>>().optional(),
  onProgress: z.custom<NonNullable<RequestOptions['onProgress']>>().optional(),
});

/** Options of a ranking. `onProgress` counts the candidates that have been scored, over all queries. */
export type RankOptions = z.input<typeof optionsSchema>;

/** Candidates scored together: enough for full batches. A query's own are never split from each other. */
const GROUP_CANDIDATES = 256;

/**
 * Ranks the candidates of queries by the decoder alone, from stored states.
 * @returns rankings in the order of the queries, a few queries at a time
 * @throws DkvError INPUT_INVALID, STORE_MISMATCH when the store was primed with another model, DOCUMENT_MISSING, CANCELLED
 */
export async function* rank(
  given: Model,
  store: Store,
  queries: readonly QueryToRank[],
  options: RankOptions = {},
): AsyncGenerator<RankedQuery> {
  const { deadlineMs, onPhases, ...checked } = checkedOptions(options);
  const phases = new PhaseMeter();
  const within = { deadline: deadlineOf(deadlineMs), onPhases: (times: PhaseTimes) => phases.addAll(times) };
  try {
    yield* rankings(given, store, queries, checked, within);
  } finally {
    onPhases?.(phases.times);
  }
}

async function* rankings(
  given: Model,
  store: Store,
  queries: readonly QueryToRank[],
  options: Omit<RankOptions, 'deadlineMs' | 'onPhases'>,
  within: Pick<AskStoredOptions, 'deadline' | 'onPhases'>,
): AsyncGenerator<RankedQuery> {
  const { objective = 'query-likelihood', variant = BARE, prior = false, ...rest } = options;
  const { onMissing = 'error', signal, onProgress, interpolate, priority, dropLate } = rest;
  const scored = scoredBy(given, objective, rest.relevance);
  const { relevance } = scored;
  const { provenance, model } = await expectProvenance(store, given);
  for (const query of queries) expectQuery(query, objective, interpolate);
  const references = prior ? await expectReferenceDigest(store) : null;
  const calibration =
    rest.calibration === false || interpolate !== undefined
      ? undefined
      : await readCalibration(store, provenance, { variant, objective, references, relevance });
  if (rest.calibration && !calibration) throw uncalibrated(store, variant, objective, prior);
  // Every query may have the whole store as its candidates: one list at a time.
  const ids = new Set<string>();
  for (const { candidates } of queries) for (const { id } of candidates) ids.add(id);
  const expectNone = async (missing: readonly string[]) => {
    if (missing.length === 0) return;
    throw new DkvError('DOCUMENT_MISSING', await missingMessage(store, variant, missing, ids.size, ['last', 'skip']));
  };
  const groups = [...grouped(queries, GROUP_CANDIDATES, ({ candidates }) => candidates.length)];
  // Of a single group its own reads are the check; of more, nothing is to be scored in vain.
  const isCheckedByReading = onMissing === 'error' && groups.length === 1;
  if (onMissing === 'error' && groups.length > 1) await expectNone(await missingDocuments(store, ids, variant));

  const total = queries.reduce((sum, { candidates }) => sum + candidates.length, 0);
  let done = 0;
  for (const group of groups) {
    const items = group.flatMap(({ text, answer, candidates }) =>
      candidates.map(({ id }) => ({ id, variant, text, answer })),
    );
    const asked = askStored(model, store, items, questionOf(scored), {
      ...{ ...within, signal, priority, dropLate },
      ...(isCheckedByReading && { onMissing: expectNone }),
      onProgress: (answered) => onProgress?.(done + answered, total),
    });
    // What other groups have been answered stays.
    const scores = await (dropLate && done > 0 ? asked.catch((error) => items.map(() => expectLate(error))) : asked);
    if (isCheckedByReading) await expectNone(missingAmong(items, scores));
    let next = 0;
    for (const query of group) {
      const own = scores.slice(next, next + query.candidates.length);
      next += own.length;
      yield rankedQuery(query, own, { variant, references, interpolate, onMissing, calibration });
    }
    done += items.length;
  }
}

function checkedOptions(options: RankOptions) {
  expectKnownOptions(options, optionsSchema.shape, 'Ranking');
  const checked = parse(optionsSchema, options, 'INPUT_INVALID', 'Ranking');
  const { objective, prior, interpolate, calibration } = checked;
  if (prior && objective !== undefined && objective !== 'query-likelihood') {
    throw new DkvError(
      'INPUT_INVALID',
      `A prior is the likelihood of queries: it cannot be taken off ${objective === 'relevance' ? 'relevance' : 'the likelihood of answers'}. Leave one of the two out.`,
    );
  }
  if (calibration && interpolate !== undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      "A calibration is for the model's own score: leave out either it or interpolation with the first stage.",
    );
  }
  return checked;
}

function expectQuery(
  { id, text, answer, candidates }: QueryToRank,
  objective: Objective,
  interpolate: number | undefined,
): void {
  const refuse = (message: string) => new DkvError('INPUT_INVALID', `Query ${JSON.stringify(id)} ${message}`);
  if (text.trim() === '') throw refuse('is empty.');
  if (objective === 'answer-likelihood' && !answer?.trim()) {
    throw refuse(
      'has no answer, and the objective answer-likelihood scores answers. Give one, or rank by query-likelihood.',
    );
  }
  const ids = new Set(candidates.map(({ id }) => id));
  if (ids.size < candidates.length) {
    const twice = candidates.find(({ id }) => !ids.delete(id))!;
    throw refuse(`has the candidate ${JSON.stringify(twice.id)} twice.`);
  }
  const unscored = interpolate !== undefined && candidates.find(({ firstStage }) => !Number.isFinite(firstStage));
  if (unscored) {
    throw refuse(
      `has no first-stage score for ${JSON.stringify(unscored.id)}, and interpolation needs one for every candidate. Give a TREC run, or bm25.`,
    );
  }
}

function uncalibrated(store: Store, variant: string, objective: Objective, prior: boolean): DkvError {
  return new DkvError(
    'INPUT_INVALID',
    `${store.location} has no calibration of the variant ${JSON.stringify(variant)} for ${objective}${prior ? ' with priors' : ''}. Make one with dkv evaluate --calibrate.`,
  );
}

/** @throws any error but DEADLINE_PASSED */
function expectLate(error: unknown): DkvError {
  if (error instanceof DkvError && error.code === 'DEADLINE_PASSED') return error;
  throw error;
}

/** The items that the store lacks, each once. */
function missingAmong(items: readonly { readonly id: string }[], scores: readonly object[]): readonly string[] {
  const isMissing = (own: object | undefined) => own instanceof DkvError && own.code === 'DOCUMENT_MISSING';
  return [...new Set(items.filter((_, at) => isMissing(scores[at])).map(({ id }) => id))];
}
