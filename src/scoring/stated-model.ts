/** A model as far as its config tells: what can be reckoned of one that is not loaded, or not even here. */
import { DkvError } from '../base/errors.js';
import { hubSettings } from '../hub/settings.js';
import { openCheckpoint } from '../model/checkpoint.js';
import { type ModelConfig, parseConfig } from '../model/families/families.js';
import type { ControlTokens, Tokenizer } from '../model/tokenizer/tokenizer.js';
import { BUILT_IN_MODEL, findModel, loadTokenizerOf } from './load-model.js';
import { publishedConfig } from './published-config.js';

export interface StatedModel {
  readonly config: ModelConfig;
  /** The model's own tokenizer where its files are here, else the built-in model's. */
  readonly tokenizer: Tokenizer;
  /** True where the tokenizer is the model's own. */
  readonly isHere: boolean;
}

/**
 * States a model and downloads nothing.
 * @param model a folder, or a repository on the hub that was downloaded or whose config is known
 * @throws DkvError HUB_OFFLINE where neither is so, and what opening a checkpoint throws
 */
export async function stateModel(model: string, controlTokens?: ControlTokens): Promise<StatedModel> {
  const known = publishedConfig(model);
  try {
    const { directory } = await findModel(model, { hub: { ...hubSettings(), offline: true } });
    const checkpoint = await openCheckpoint(directory);
    return { config: checkpoint.config, tokenizer: await loadTokenizerOf(checkpoint, controlTokens), isHere: true };
  } catch (error) {
    if (!known || !(error instanceof DkvError) || error.code !== 'HUB_OFFLINE') throw error;
  }
  const builtIn = await openCheckpoint(BUILT_IN_MODEL);
  const tokenizer = await loadTokenizerOf(builtIn, controlTokens);
  return { config: parseConfig(known, model), tokenizer, isHere: false };
}
