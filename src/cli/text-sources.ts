/** Who writes surrogates for the commands: the endpoint that the environment names, and the model at hand. */
import path from 'node:path';
import type { EndpointWriter } from '../llm/endpoint-writer.js';
import { defaultCacheDirectory } from '../model/compiled.js';
import type { TextSources } from '../priming/prepare.js';
import type { Model } from '../scoring/load-model.js';

/** Undefined when the environment names none. @throws DkvError INPUT_INVALID */
export async function endpointWriter(): Promise<EndpointWriter | undefined> {
  const { llmSettings } = await import('../llm/settings.js');
  const { EndpointWriter } = await import('../llm/endpoint-writer.js');
  const settings = llmSettings();
  return settings && new EndpointWriter(settings, { cacheDirectory: textFolder() });
}

export async function textSources(
  model: Model,
  maxTokens: number,
  writing: EndpointWriter | undefined,
): Promise<TextSources> {
  const { selfWriter } = await import('../llm/self-writer.js');
  return {
    self: selfWriter(model, { cacheDirectory: textFolder(), maxTokens }),
    ...(writing && { llm: writing.asked }),
  };
}

export function describeWriting({ summary, identity }: EndpointWriter): string {
  const { requests, fromCache, failures, shortened, promptTokens, completionTokens, cost } = summary;
  const price = cost === null ? '' : `, cost ${cost.toFixed(4)}`;
  const short = shortened === 0 ? '' : `, ${shortened} cut off by the limit of tokens (their last word is left out)`;
  return `Surrogates by ${identity}: ${requests} requests, ${fromCache} from the cache, ${failures} failed${short}; ${promptTokens} + ${completionTokens} tokens${price}.`;
}

function textFolder(): string {
  return path.join(defaultCacheDirectory(), 'texts');
}
