/** The library's results are what is printed of them: a field that one of the two sides lacks does not compile. */
import { describe, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type { AdworldStatistics } from '../../src/adworld/statistics.js';
import type { RunComparison } from '../../src/report/compare.js';
import type { ResultsLog } from '../../src/report/log.js';
import type { PooledRuns } from '../../src/report/pool.js';
import type { Candidate, Pool } from '../../src/samples/sample.js';
import type { Evaluation } from '../../src/serving/evaluate.js';
import type { PrimeSummary, RejectedDocument } from '../../src/serving/prime-options.js';
import type { Provenance } from '../../src/serving/provenance.js';
import type { RankedDocument } from '../../src/serving/ranked-query.js';
import type { MeasuredRun, RankedRun } from '../../src/serving/ranked-run.js';
import type { GainSummary } from '../../src/stats/gains.js';
import type { Collected, StoreStats, Verification } from '../../src/store/store.js';
import type { Transferred } from '../../src/store/transfer.js';
import type { adworldStatisticsSchema, poolSchema } from '../../src/wire/adworld.js';
import type { gainSchema } from '../../src/wire/numbers.js';
import type {
  primeRejectSchema,
  primeSummarySchema,
  provenanceSchema,
  storeCollectionSchema,
  storeStatsSchema,
  storeTransferSchema,
  storeVerificationSchema,
} from '../../src/wire/primed.js';
import type { evaluationSchema, rankedLineSchema, rankedRunSchema } from '../../src/wire/ranking.js';
import type { pooledRunsSchema, runComparisonSchema, runLogSchema } from '../../src/wire/runs.js';

/** Names of all members, at every depth, by the way to them. */
type Names<T> = T extends readonly (infer Item)[]
  ? Names<Item>
  : T extends object
    ? {
        [Name in keyof T & string]-?:
          | Name
          | (string extends Name ? never : `${Name}.${Names<Exclude<T[Name], undefined | null>>}`);
      }[keyof T & string]
    : never;

type Wire<Schema extends z.ZodType> = Names<z.output<Schema>>;

describe('results of the library', () => {
  it('have the fields that are printed, and no others', () => {
    expectTypeOf<Names<Evaluation>>().toEqualTypeOf<Wire<typeof evaluationSchema>>();
    expectTypeOf<Names<GainSummary>>().toEqualTypeOf<Wire<typeof gainSchema>>();
    expectTypeOf<Names<Provenance>>().toEqualTypeOf<Wire<typeof provenanceSchema>>();
    expectTypeOf<Names<RejectedDocument>>().toEqualTypeOf<Wire<typeof primeRejectSchema>>();
    expectTypeOf<Names<Transferred>>().toEqualTypeOf<Wire<typeof storeTransferSchema>>();
    expectTypeOf<Names<RunComparison>>().toEqualTypeOf<Wire<typeof runComparisonSchema>>();
    expectTypeOf<Names<PooledRuns>>().toEqualTypeOf<Wire<typeof pooledRunsSchema>>();
    expectTypeOf<Names<ResultsLog>>().toEqualTypeOf<Wire<typeof runLogSchema>>();
    expectTypeOf<Names<AdworldStatistics>>().toEqualTypeOf<Wire<typeof adworldStatisticsSchema>>();
    // AdWorld is no table with columns of its own.
    type AdworldPool = Omit<Pool, 'candidates'> & { candidates: readonly Omit<Candidate, 'columns'>[] };
    expectTypeOf<Names<AdworldPool>>().toEqualTypeOf<Wire<typeof poolSchema>>();
  });

  it('have them beside what the command adds', () => {
    expectTypeOf<'store' | 'rejects' | Names<PrimeSummary>>().toEqualTypeOf<Wire<typeof primeSummarySchema>>();
    expectTypeOf<'query' | 'rank' | Names<RankedDocument>>().toEqualTypeOf<Wire<typeof rankedLineSchema>>();
    expectTypeOf<'store' | Names<Collected>>().toEqualTypeOf<Wire<typeof storeCollectionSchema>>();
    expectTypeOf<'store' | 'removed' | Names<Verification>>().toEqualTypeOf<Wire<typeof storeVerificationSchema>>();
    expectTypeOf<Names<Omit<RankedRun, 'scores'> & MeasuredRun>>().toExtend<Wire<typeof rankedRunSchema>>();
    // What a process has seen of its reads is nothing about the store.
    expectTypeOf<Names<Omit<StoreStats, 'hits' | 'misses' | 'fallbacks'>>>().toExtend<Wire<typeof storeStatsSchema>>();
  });
});
