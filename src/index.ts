/**
 * Public API: everything that may be imported from `directed-kvcache`. No logic.
 *
 * @module
 */

export { Secret } from './base/secret.js';
export { openDataset, openPools } from './datasets/open.js';
export type { Columns, OpenOptions, Role, TextForm } from './datasets/options.js';
export { formatRun, parseQrels, parseRun, type Qrels, type Run } from './datasets/trec.js';
export * from './engine/engine.js';
export { EXPERIMENTS } from './experiments/catalogue/registry.js';
export type {
  ConditionDeclaration,
  DataChoice,
  DeclaredExperiment,
  DeclaredSurrogate,
  EncodingDeclaration,
  StudyDeclaration,
  StudySetting,
} from './experiments/declaration/declared.js';
export { defineExperiment } from './experiments/declaration/define.js';
export { readExperiment } from './experiments/declaration/file.js';
export type { RunOptions, RunProgress } from './experiments/run/options.js';
export { type PlanOptions, planRun } from './experiments/run/plan-run.js';
export { runExperiment } from './experiments/run/run.js';
export { type HubSettings, hubSettings } from './hub/settings.js';
export { type EndpointOptions, EndpointWriter, type WritingSummary } from './llm/endpoint-writer.js';
export { type SelfWriterOptions, selfWriter, type WritingModel } from './llm/self-writer.js';
export { type LlmSettings, llmSettings } from './llm/settings.js';
export type { EmbeddingScale, ModelShape, SideShape } from './model/families/family.js';
export type { FormerIdentity } from './model/identity.js';
export type { Drift } from './model/manifest.js';
export type { Frame } from './model/tokenizer/pipeline.js';
export type { ControlTokens, Tokenizer } from './model/tokenizer/tokenizer.js';
export { type Condition, type Encoding, type Presented, present } from './priming/condition.js';
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
export {
  type Authorship,
  prepareSurrogates,
  type TextSources,
  type TextWriter,
  type WriteOptions,
} from './priming/prepare.js';
export { type Surrogate, type SurrogateContext, type SurrogateSource, surrogate } from './priming/surrogate.js';
export type {
  DeclaredFunction,
  DocumentFunction,
  DocumentOfSample,
  SurrogateFunction,
  SurrogateFunctions,
} from './priming/surrogate-function.js';
export type { FunctionTexts, Preparation, Prepared } from './priming/surrogate-kinds.js';
export type { ReportLink, ReportLinks } from './report/formats/links.js';
export { type ReportFormat, type ReportOptions, writeReports } from './report/report.js';
export { readLockedPlan } from './runs/locked-plan.js';
export { readRun } from './runs/run-folder.js';
export * from './runs/schema/index.js';
export type {
  Dataset,
  Origin,
  PoolRequest,
  PoolSet,
  RowsLeftOut,
  SampleRequest,
  SampleRule,
} from './samples/dataset.js';
export { datasetOf, poolSetOf } from './samples/dataset.js';
export type { Candidate, Grade, Pool, Sample } from './samples/sample.js';
export {
  type InputToScore,
  type ScoreTextsOptions,
  scoreInputs,
  scoreTexts,
  type TargetScore,
  type TextScore,
  type TextToScore,
} from './scoring/inputs.js';
export { BUILT_IN_MODEL, HOSTS, type Host, type LoadOptions, loadModel, type Model } from './scoring/load-model.js';
export { type Bm25, bm25Of } from './serving/bm25.js';
export { OBJECTIVES, type Objective, type Reliability } from './serving/calibration.js';
export { type CandidateOptions, type Candidates, candidatesFrom } from './serving/candidates.js';
export { type EncoderPasses, type EvaluateOptions, type Evaluation, evaluate } from './serving/evaluate.js';
export {
  type GeneratedText,
  type GenerateStoredOptions,
  type GenerateTextsOptions,
  generate,
  generateTexts,
  type StoredGenerated,
  type StoredToGenerate,
  type TextToGenerate,
  type ToWrite,
  type WrittenPart,
} from './serving/generate.js';
export { prime } from './serving/prime.js';
export type {
  DocumentToPrime,
  PrimeOptions,
  PrimeProgress,
  PrimeSummary,
  RejectedDocument,
  SettledDocument,
  Shard,
} from './serving/prime-options.js';
export { type RankOptions, rank } from './serving/rank.js';
export {
  type CandidateToRank,
  ON_MISSING,
  type OnMissing,
  type QueryToRank,
  type RankedDocument,
  type RankedQuery,
  type RejectedCandidate,
} from './serving/ranked-query.js';
export type { Relevance, WholeRelevance } from './serving/relevance.js';
export {
  type Scorer,
  type ScoreStoredOptions,
  type StoredScore,
  type StoredToScore,
  score,
} from './serving/score.js';
export type { Unranked } from './serving/unranked.js';
export { BARE } from './serving/variants.js';
export type { Margin, Standing, Verdict } from './serving/verdict.js';
export type { TextPart } from './serving/written-text.js';
export type { Corrected, Estimate, GainSummary, Share } from './stats/gains.js';
export { INVERSE_TEMPERATURES } from './stats/inverse-temperatures.js';
export type { SimulatedPower } from './stats/power.js';
export type { Grades, Scores } from './stats/ranking.js';
export type { RatioShape } from './stats/ratio.js';
export type { SystemComparison, SystemDifference } from './stats/systems.js';
export { exportStore, importStore } from './store/archive.js';
export type { S3Options } from './store/backends/address.js';
export type { OnFailure } from './store/backends/tiered.js';
export type { AliasState } from './store/generations/aliases.js';
export type { AuditLine } from './store/generations/audit.js';
export type {
  Activated,
  ActivationOptions,
  CatalogueOptions,
  CollectGenerationsOptions,
  Lifted,
  PackedInto,
  PackIntoOptions,
  TakenDown,
} from './store/generations/catalogue-options.js';
export { type Catalogue, openCatalogue } from './store/generations/catalogue-store.js';
export type { CollectedGenerations } from './store/generations/collect.js';
export type { Compacted, CompactOptions } from './store/generations/compact.js';
export type { Difference } from './store/generations/diff.js';
export type { CatalogueListing, ListedManifest } from './store/generations/listing.js';
export type { Generation, Layer, Manifest, ShardFacts } from './store/generations/manifest.js';
export type { Packed, PackProgress } from './store/generations/pack.js';
export type { RepairedFile } from './store/generations/repair.js';
export type { LostDocument } from './store/generations/salvage.js';
export type { Takedown } from './store/generations/takedowns.js';
export type { CatalogueVerification, DamagedFile, VerifyCatalogueOptions } from './store/generations/verify.js';
export { openStore, type StoreOptions } from './store/open.js';
export { memoryOf } from './store/records/identity.js';
export * from './store/store.js';
export { copyStore, type TransferOptions, type Transferred } from './store/transfer.js';
