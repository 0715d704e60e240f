/**
 * Run folders for any program: `directed-kvcache/runs`. What a run's files hold, parsed and checked, without Node, so that a browser reads them too. Part of the
 * public API, no logic.
 *
 * Names are those of the files, snake_case: `parseRunFiles` gives `summary.configuration.max_tokens` as summary.json has it.
 *
 * @module
 */

export { DkvError, ERROR_CODES, type ErrorCode } from '../../base/errors.js';
export type { Configuration, LeftOut } from './configuration.js';
export type { Entry, ProbeTrial, Rejection, Trial } from './entry.js';
export type { Experiment, ExperimentDeclaration } from './experiment.js';
export type { KeptText } from './kept-text.js';
export type { Deviation, LockedPlan, PlannedRun, PlanOutcome } from './locked-plan.js';
export { unpackLines } from './packed.js';
export { PROBE_MEASURES, type ProbeMeasure, type ProbeSummary } from './probe.js';
export type { RankingSummary } from './ranking.js';
export { parseRecord, type RunRecord } from './record.js';
export { type FinishedRun, parseRunFiles, type RunFiles } from './run.js';
export { parseSamples, type SampleRecord } from './sample.js';
export type { FileContent } from './sealed.js';
export {
  type ComparisonSummary,
  type ConditionSummary,
  type ContrastGroupSummary,
  type ContrastSummary,
  type GradientSummary,
  type IdentitySummary,
  type OrderSummary,
  type PassCounts,
  parseSummary,
  type SelectionSummary,
  type Summary,
} from './summary.js';
export { parseTrials } from './trials.js';
export { parseWritten, type Written } from './written.js';
