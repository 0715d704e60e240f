/**
 * Drawing samples and pools from rows in a dataset's order, by the research's rule: collect three times as many candidates as are wanted,
 * shuffle them with numpy's legacy generator, take the first. Bounding the size of pools is this project's own and draws from `Random`.
 */
import { DkvError } from '../base/errors.js';
import { NumpyRandomState } from '../base/numpy-random.js';
import type { Random } from '../base/random.js';
import { wordCount } from '../base/words.js';
import type { SampleRequest } from '../samples/dataset.js';
import type { Candidate, Pool, Sample } from '../samples/sample.js';

/** The number of candidates that are collected for each sample wanted. */
const OVERSAMPLING = 3;
/** The factoid rule filters while it scans, has no use for the multiple, and stops here. */
const FACTOID_CANDIDATES = 20_000;
export const FACTOID_WORDS = 5;
/** The largest number of candidates in a pool, that of ESCI's largest pools, so that the cost of a query stays bounded. */
const POOL_CANDIDATES = 40;

export function candidateLimit({ count, rule }: Pick<SampleRequest, 'count' | 'rule'>): number {
  return rule === 'factoid' ? FACTOID_CANDIDATES : OVERSAMPLING * count;
}

export function isFactoid(answer: string): boolean {
  return wordCount(answer) <= FACTOID_WORDS;
}

/** What a row gives: samples it can be used for, and texts to make documents longer with. */
export interface Offer {
  readonly samples: readonly Sample[];
  readonly padding: readonly string[];
}

/**
 * Reads rows until there are enough candidates and enough padding, and no further. The candidates that a last row has too many are left
 * out, its padding is kept. Samples are shuffled first, the padding after them from the same stream.
 */
export async function drawSamples<Row>(
  rows: AsyncIterable<Row>,
  { count, seed, rule = 'standard', padding: wanted = 0 }: SampleRequest,
  offer: (row: Row) => Offer,
): Promise<{ samples: Sample[]; padding: string[] }> {
  const limit = candidateLimit({ count, rule });
  const candidates: Sample[] = [];
  const padding: string[] = [];
  for await (const row of rows) {
    const offered = offer(row);
    const usable = rule === 'factoid' ? offered.samples.filter(({ answer }) => isFactoid(answer)) : offered.samples;
    candidates.push(...usable.slice(0, limit - candidates.length));
    if (wanted > 0) padding.push(...offered.padding);
    if (candidates.length >= limit && padding.length >= wanted) break;
  }
  expectDistinct(candidates.map(({ id }) => id));
  const random = new NumpyRandomState(seed);
  return { samples: random.shuffle(candidates).slice(0, count), padding: random.shuffle(padding) };
}

/** Draws samples that are a row each. The documents of rows after the last candidate are the padding. */
export function drawRows(rows: AsyncIterable<Sample>, request: SampleRequest): ReturnType<typeof drawSamples> {
  const limit = candidateLimit(request);
  let taken = 0;
  return drawSamples(rows, request, (sample) => {
    const fits = taken < limit && (request.rule !== 'factoid' || isFactoid(sample.answer));
    if (fits) taken++;
    return fits ? { samples: [sample], padding: [] } : { samples: [], padding: [sample.document] };
  });
}

/**
 * Takes no more candidates than an experiment can afford: one of each grade, where there is one, then others at random. They keep the pool's order.
 */
export function limitCandidates<T extends Pick<Candidate, 'grade'>>(
  candidates: readonly T[],
  random: Random,
  limit = POOL_CANDIDATES,
): T[] {
  if (candidates.length <= limit) return [...candidates];
  const order = random.shuffle([...candidates.keys()]);
  const first = [3, 2, 1, 0].flatMap((grade) => order.find((i) => candidates[i]!.grade === grade) ?? []);
  const chosen = new Set([...new Set([...first, ...order])].slice(0, limit));
  return candidates.filter((_, i) => chosen.has(i));
}

/** Tells whether a measure can say anything about a pool: it needs a relevant candidate and one that is not. */
export function isJudgeable({
  candidates,
  relevant = 1,
}: Pick<Pool, 'relevant'> & { readonly candidates: readonly Pick<Candidate, 'grade'>[] }): boolean {
  return candidates.some(({ grade }) => grade >= relevant) && candidates.some(({ grade }) => grade < relevant);
}

function expectDistinct(ids: readonly string[]): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id))
      throw new DkvError('INPUT_INVALID', `Two rows have the id "${id}"; ids must differ within a dataset.`);
    seen.add(id);
  }
}
