/**
 * From a score to the probability that the document is relevant: isotonic regression on judged queries, kept in the store's note.
 *
 * A calibration belongs to what its scores were made with. That is its key, so another model's, variant's, precision's or objective's
 * is never found. It also belongs to candidates like those that it was made with: among others, relevant ones are more or less frequent.
 */

import { z } from 'zod';
import { parse } from '../base/parse.js';
import type { Random } from '../base/random.js';
import { mean } from '../stats/describe.js';
import { fitIsotonic, isotonicAt } from '../stats/isotonic.js';
import { unlessDamaged } from '../store/records/damage.js';
import type { Metadata, Store } from '../store/store.js';
import { objectiveSchema } from '../wire/ranking.js';
import type { Provenance } from './provenance.js';
import type { RelevanceTokens } from './relevance.js';

/**
 * What a ranking scores: the query's text given the document; the query's answer given the document and the query; or whether the first word after
 * both is the one that means relevant.
 */
export const OBJECTIVES: readonly Objective[] = objectiveSchema.options;
export type Objective = 'query-likelihood' | 'answer-likelihood' | 'relevance';

/** How a score was made, besides what the whole store was primed with. */
export interface Scoring {
  readonly variant: string;
  readonly objective: Objective;
  /** The digest of the reference queries whose mean NLL is the document's prior; null where scores have no prior. */
  readonly references: string | null;
  /** The tokens that decide scores of one-token relevance. */
  readonly relevance?: RelevanceTokens | undefined;
}

const calibrationSchema = z.strictObject({
  x: z
    .array(z.number())
    .min(1)
    .describe('Thresholds: the probability is linear between them and constant beyond. Scores ascend.'),
  y: z.array(z.number().min(0).max(1)).min(1).describe('Probability of relevance at each.'),
  queries: z.int().positive().describe('Judged queries that it was made with.'),
  documents: z.int().positive().describe('Candidates that it was made with.'),
});

export type Calibration = z.infer<typeof calibrationSchema>;

export const calibrationsSchema = z.record(z.string(), calibrationSchema);

/** Everything that decides a score, as a JSON array in this order. A later fact is put at its end, where it is not what it always was. */
function keyOf(provenance: Provenance, { variant, objective, references, relevance }: Scoring): string {
  const { fingerprint, modelPrecision, statesPrecision, visibility, maxTokens } = provenance;
  return JSON.stringify([
    fingerprint,
    modelPrecision,
    statesPrecision,
    visibility,
    maxTokens,
    variant,
    objective,
    references,
    ...(relevance ? [[...relevance.tokens, relevance.said.prompt]] : []),
  ]);
}

/** @returns undefined where none was made for exactly this @throws DkvError STORE_DAMAGED */
export async function readCalibration(
  store: Store,
  provenance: Provenance,
  scoring: Scoring,
): Promise<Calibration | undefined> {
  const note = (await readCalibrations(store)) ?? {};
  const key = keyOf(provenance, scoring);
  return Object.hasOwn(note, key) ? note[key] : undefined;
}

/** Writes a calibration beside those for other scorings. One for the same scoring is replaced, and so is one that cannot be read. */
export async function writeCalibration(
  store: Store,
  provenance: Provenance,
  scoring: Scoring,
  calibration: Calibration,
): Promise<void> {
  const others = await unlessDamaged(readCalibrations(store));
  const note: Metadata = { ...others, [keyOf(provenance, scoring)]: calibration };
  await store.putNote('calibration', note);
}

/** The probability of relevance, in [0, 1]. */
export function relevanceOf(calibration: Calibration, score: number): number {
  return isotonicAt(calibration, score);
}

/** A candidate of a judged query. */
export interface Judged {
  readonly score: number;
  readonly relevant: boolean;
}

/** @param queries per query its candidates, at least one in all */
export function calibrate(queries: readonly (readonly Judged[])[]): Calibration {
  const all = queries.flat();
  const { x, y } = fitIsotonic(
    all.map(({ score }) => score),
    all.map(({ relevant }) => Number(relevant)),
  );
  return calibrationSchema.parse({ x, y, queries: queries.length, documents: all.length });
}

export interface Reliability {
  /** The share of the candidates that are relevant. */
  readonly relevant: number;
  /**
   * The mean squared error of three probabilities of relevance (Brier 1950; lower is better), over candidates of queries that they were not fitted
   * on. `constant` gives every candidate the share of relevant candidates, `raw` takes the probability that the score itself states (exp(score), or
   * for odds the share that they stand for), and `calibrated` takes the calibrated one. Null with fewer than two queries.
   */
  readonly brier: { readonly constant: number; readonly raw: number; readonly calibrated: number } | null;
}

const FOLDS = 5;

/**
 * How far calibrated scores can be trusted, by fitting on four fifths of the queries and looking at the rest, five times.
 * @param raw the probability that a score says itself; exp(score) when left out
 */
export function reliabilityOf(
  queries: readonly (readonly Judged[])[],
  random: Random,
  raw: (score: number) => number = (score) => Math.min(1, Math.exp(score)),
): Reliability {
  const relevant = mean(queries.flat().map((judged) => Number(judged.relevant)));
  if (queries.length < 2) return { relevant, brier: null };
  const shuffled = random.shuffle(queries);
  const folds = Math.min(FOLDS, shuffled.length);
  const errors: { constant: number; raw: number; calibrated: number }[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const others = shuffled.filter((_, at) => at % folds !== fold);
    const calibration = calibrate(others);
    const share = mean(others.flat().map((judged) => Number(judged.relevant)));
    for (const { score, relevant } of shuffled.filter((_, at) => at % folds === fold).flat()) {
      const error = (probability: number) => (probability - Number(relevant)) ** 2;
      errors.push({
        constant: error(share),
        raw: error(raw(score)),
        calibrated: error(relevanceOf(calibration, score)),
      });
    }
  }
  const meanOf = (kind: 'constant' | 'raw' | 'calibrated') => mean(errors.map((error) => error[kind]));
  return { relevant, brier: { constant: meanOf('constant'), raw: meanOf('raw'), calibrated: meanOf('calibrated') } };
}

/** @returns by what scores were made with; undefined where none was made @throws DkvError STORE_DAMAGED */
export async function readCalibrations(store: Store): Promise<Record<string, Calibration> | undefined> {
  const note = await store.note('calibration');
  if (!note) return undefined;
  return parse(
    calibrationsSchema,
    note,
    'STORE_DAMAGED',
    `${store.location}: its calibrations cannot be read`,
    'Calibrate again.',
  );
}
