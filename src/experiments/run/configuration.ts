/** A run's configuration: what its numbers depend on. */
import { SELF_WRITER } from '../../llm/self-writer.js';
import { SEGMENTS, segmentsOf } from '../../priming/input.js';
import { type Configuration, USUAL_SEGMENTS } from '../../runs/schema/configuration.js';
import { asksLanguageModel, type Experiment } from '../../runs/schema/experiment.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import { driftRecord } from '../../scoring/drift.js';
import type { Model } from '../../scoring/load-model.js';
import { type Computable, conditionsFor } from '../plan/conditions.js';
import { withoutPrompts } from '../plan/prompts.js';
import type { RunOptions } from './options.js';

/** What of an experiment a model can be asked; surrogates that the model at hand writes have no prompts. @throws DkvError INPUT_INVALID */
export function computableBy(
  experiment: Experiment,
  { tokenizer, engine }: Model,
  writer: string | undefined,
): Computable {
  const fitting = conditionsFor(experiment, segmentsOf(tokenizer), engine.info.shape);
  return writer === SELF_WRITER ? withoutPrompts(fitting) : fitting;
}

export function configurationOf(
  { experiment, leftOut }: Computable,
  data: Dataset | PoolSet,
  model: Model,
  { maxTokens, writer }: Pick<RunOptions, 'maxTokens' | 'writer'>,
  margins?: Configuration['margin_from'],
): Configuration {
  const { computedAs: precision, drift, device, batchTokens, shape } = model.engine.info;
  const ofModel = segmentsOf(model.tokenizer);
  const segments = SEGMENTS.filter((segment) => ofModel.has(segment));
  const { name, revision, licence, selection, digest, leftOut: rows } = data;
  return {
    experiment,
    ...(leftOut.length > 0 && { left_out: leftOut }),
    samples: 'samples' in data ? data.samples.length : data.pools.length,
    seed: experiment.seed,
    dataset: { name, revision, licence, selection, digest, ...(rows && { left_out: rows }) },
    model: {
      name: model.name,
      built_in: model.builtIn,
      fingerprint: model.fingerprint,
      ...(model.weights !== undefined && { weights: model.weights }),
      precision,
      ...(drift && { drift: driftRecord(drift) }),
      vocabulary: shape.vocabularySize,
      ...(shape.absolutePositions && { positions: 'learned' as const }),
      window: shape.narrowestWindow,
      ...(segments.join() !== USUAL_SEGMENTS.join() && { segments }),
    },
    device,
    control_tokens: model.tokenizer.controlTokens,
    max_tokens: maxTokens,
    batch_tokens: batchTokens,
    writer: (asksLanguageModel(experiment) && writer) || null,
    ...(margins && { margin_from: margins }),
  };
}
