/** Who writes surrogates: the endpoint that the environment names, and the model at hand. What they wrote is kept beside the compiled models. */
import path from 'node:path';
import { defaultCacheDirectory } from '../model/compiled.js';
import type { TextSources } from '../priming/prepare.js';
import { tokensRead } from '../scoring/inputs.js';
import type { Model } from '../scoring/load-model.js';
import { EndpointWriter } from './endpoint-writer.js';
import { SELF_WRITER, selfWriter } from './self-writer.js';
import { llmSettings } from './settings.js';

/**
 * Makes the writer of the endpoint that the environment names; undefined where it names none.
 * @throws DkvError INPUT_INVALID
 */
export function endpointWriter(): EndpointWriter | undefined {
  const settings = llmSettings();
  return settings && new EndpointWriter(settings, { cacheDirectory: textFolder() });
}

/**
 * Puts together the writers that a run or a priming may ask for texts.
 * @param maxTokens the largest number of tokens that the encoder reads of a document
 * @param writing the writer of texts: a language model at an endpoint, or the model that is being measured, which takes no prompt
 */
export function textSources(
  model: Model,
  maxTokens: number,
  writing: EndpointWriter | typeof SELF_WRITER | undefined,
): TextSources {
  const self = selfWriter(model, { cacheDirectory: textFolder(), maxTokens: tokensRead(model, maxTokens) });
  return { self, ...(writing && { llm: writing === SELF_WRITER ? () => self : writing.asked }) };
}

/** Says in words how much was requested and what it cost. */
export function describeWriting({ summary, identity }: EndpointWriter): string {
  const { requests, fromCache, failures, shortened, promptTokens, completionTokens, cost } = summary;
  const price = cost === null ? '' : `, cost ${cost.toFixed(4)}`;
  const short = shortened === 0 ? '' : `, ${shortened} cut off by the limit of tokens (their last word is left out)`;
  return `Surrogates by ${identity}: ${requests} requests, ${fromCache} from the cache, ${failures} failed${short}; ${promptTokens} + ${completionTokens} tokens${price}.`;
}

function textFolder(): string {
  return path.join(defaultCacheDirectory(), 'texts');
}
