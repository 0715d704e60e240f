/**
 * Public API: everything that may be imported from `directed-kvcache`. No logic.
 *
 * @module
 */
export type { Dataset } from './datasets/dataset.js';
export { datasetOf } from './datasets/dataset.js';
export { openDataset } from './datasets/open.js';
export type { Grade, Pool, Sample } from './datasets/sample.js';
export * from './engine.js';
export { DkvError, ERROR_CODES, type ErrorCode } from './errors.js';
export type {
  ComparisonSummary,
  ConditionSummary,
  Estimate,
  GradientSummary,
  Summary,
} from './experiments/analysis.js';
export type { Comparison, Condition, Experiment } from './experiments/experiment.js';
export { EXPERIMENTS } from './experiments/registry.js';
export { type RunOptions, type RunProgress, runExperiment } from './experiments/run.js';
export { type HubSettings, hubSettings, Secret } from './hub/settings.js';
export { BUILT_IN_MODEL, type LoadOptions, loadModel, type Model } from './load-model.js';
export type { EmbeddingScale } from './model/compile.js';
export type { LayerType, ModelConfig, RopeConfig, StackConfig } from './model/config.js';
export type { Tokenizer } from './model/tokenizer.js';
export {
  buildInput,
  type EncoderInput,
  type InputLimits,
  type InputTexts,
  type Range,
  type Segment,
  type Tokenisation,
  tokenisationOf,
  type Visibility,
  visibleRanges,
} from './priming/input.js';
export { type Surrogate, type SurrogateContext, surrogate } from './priming/surrogate.js';
export { writeReports } from './report/report.js';
export { type InputToScore, scoreInputs, scoreTexts, type TextScore, type TextToScore } from './scoring.js';
