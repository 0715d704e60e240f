/** A run's configuration, and whether a folder holds a run with the same. */
import { DkvError } from '../../base/errors.js';
import { differences, readRecord } from '../../runs/record.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import { asksLanguageModel, type Experiment } from '../../runs/schema/experiment.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import { driftRecord } from '../../scoring/drift.js';
import type { Model } from '../../scoring/load-model.js';

export function configurationOf(
  experiment: Experiment,
  data: Dataset | PoolSet,
  model: Model,
  { maxTokens, writer }: { readonly maxTokens: number; readonly writer?: string },
): Configuration {
  const { precision, drift, device, batchTokens, shape } = model.engine.info;
  const { name, revision, licence, selection, digest } = data;
  return {
    experiment,
    samples: 'samples' in data ? data.samples.length : data.pools.length,
    seed: experiment.seed,
    dataset: { name, revision, licence, selection, digest },
    model: {
      name: model.name,
      built_in: model.builtIn,
      fingerprint: model.fingerprint,
      precision,
      ...(drift && { drift: driftRecord(drift) }),
      window: shape.narrowestWindow,
    },
    device,
    control_tokens: model.tokenizer.controlTokens,
    max_tokens: maxTokens,
    batch_tokens: batchTokens,
    writer: (asksLanguageModel(experiment) && writer) || null,
  };
}

/**
 * The configuration of the run that the folder holds, if one may go on there.
 * @param hasLiterals does a text of the run hold control tokens as they are written?
 * @throws DkvError when the folder holds another run, or one that nobody asked to go on with
 */
export async function startedConfiguration(
  directory: string,
  asked: Configuration,
  resume: boolean,
  hasLiterals: () => boolean,
): Promise<Configuration | undefined> {
  const record = await readRecord(directory);
  if (!record) return undefined;
  const { configuration } = record;
  const { control_tokens = hasLiterals() ? 'keep' : asked.control_tokens } = configuration;
  const changed = differences({ ...configuration, control_tokens }, asked);
  if (changed.length > 0) {
    throw new DkvError(
      'RUN_MISMATCH',
      `${directory} holds a run with another configuration or model:\n${changed.map((line) => `  ${line}`).join('\n')}\nChoose another folder with --out, or repeat the options of that run.`,
    );
  }
  if (!resume) {
    throw new DkvError(
      'RUN_EXISTS',
      `${directory} already holds this run. Continue it with --resume, or choose another folder with --out.`,
    );
  }
  return configuration;
}
