/** The families of models that there are. A further one is a folder beside these and a line here. */
import path from 'node:path';
import { DkvError } from '../../base/errors.js';
import { readJson, readJsonIfPresent } from '../files/json-file.js';
import type { BartConfig } from './bart/config.js';
import { bart } from './bart/family.js';
import type { ModelFamily, ModelShape } from './family.js';
import type { T5Config } from './t5/config.js';
import { t5 } from './t5/family.js';
import type { T5Gemma2Config } from './t5gemma2/config.js';
import { t5gemma2 } from './t5gemma2/family.js';

/** The content of config.json of any family; `family` tells which. */
export type ModelConfig = T5Gemma2Config | T5Config | BartConfig;

const FAMILIES = { t5gemma2, t5, bart } satisfies {
  [Name in ModelConfig['family']]: ModelFamily<Extract<ModelConfig, { family: Name }>>;
};

/** The family of a config. What it is asked with is a config of its own. */
export function familyOf({ family }: ModelConfig): ModelFamily<ModelConfig> {
  return FAMILIES[family];
}

/** Tells whether a tensor may be one that is read, by its name alone, for a checkpoint whose family is not known yet. */
export function mayBeRead(storedName: string): boolean {
  return Object.values(FAMILIES).every((family) => family.isRead(storedName));
}

export function shapeOf(config: ModelConfig): ModelShape {
  return familyOf(config).shape(config);
}

/**
 * Validates the content of `config.json`.
 * @param file named in errors
 * @throws DkvError CHECKPOINT_INVALID; MODEL_UNSUPPORTED
 */
export function parseConfig(json: unknown, file: string): ModelConfig {
  const modelType = (json as { model_type?: unknown } | null)?.model_type;
  for (const family of Object.values(FAMILIES)) {
    if (family.modelTypes.some((type) => type === modelType)) return family.parse(json, file);
  }
  const known = Object.values(FAMILIES).flatMap(({ modelTypes, title }) =>
    modelTypes.map((type) => `"${type}" (${title})`),
  );
  throw new DkvError(
    'MODEL_UNSUPPORTED',
    `${file}: model_type is ${JSON.stringify(modelType)}; supported are ${known.join(', ')}.`,
  );
}

/**
 * Reads and validates `config.json` in a checkpoint folder, and what `generation_config.json` beside it says of start and end of a text.
 * @throws DkvError CHECKPOINT_INVALID (missing, not JSON, a field of the wrong kind, sizes that contradict each other) or
 *   MODEL_UNSUPPORTED (another architecture, or a variant of one that is not implemented)
 */
export async function readConfig(directory: string): Promise<ModelConfig> {
  const file = path.join(directory, 'config.json');
  const json = await readJson(file, 'Expected the config.json of a Hugging Face checkpoint folder.');
  const config = parseConfig(json, file);
  const generationFile = path.join(directory, 'generation_config.json');
  const generation = await readJsonIfPresent(generationFile);
  return generation === undefined ? config : familyOf(config).withGeneration(config, generation, generationFile);
}
