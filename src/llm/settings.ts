/** Which language model writes surrogates, where, and at what price: from the environment. */
import { z } from 'zod';
import { readVariables } from '../environment.js';
import { DkvError } from '../errors.js';
import { Secret } from '../hub/settings.js';

export interface LlmSettings {
  /** Without a slash at the end; requests go to `/chat/completions` below it. */
  readonly baseUrl: string;
  readonly model: string;
  /** Local endpoints want none. */
  readonly apiKey: Secret | undefined;
  /** In the currency of whoever set them; without both, no cost is computed. */
  readonly pricePerMillionTokens: { readonly input: number; readonly output: number } | undefined;
}

const price = z.coerce.number().nonnegative().optional();

const variablesSchema = z.object({
  DKV_LLM_BASE_URL: z.url({ protocol: /^https?$/, error: 'expected an http or https address' }).refine(
    (text) => {
      if (!URL.canParse(text)) return true;
      const { username, password, search, hash } = new URL(text);
      return !(username || password || search || hash);
    },
    // Whatever stands in the address is printed and stored.
    { error: 'expected an address without user, password or query; a key goes into DKV_LLM_API_KEY' },
  ),
  DKV_LLM_MODEL: z.string({ error: 'expected the name of a model that the endpoint has' }),
  DKV_LLM_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/, { error: 'expected letters, digits and signs without white space' })
    .optional(),
  DKV_LLM_PRICE_INPUT: price,
  DKV_LLM_PRICE_OUTPUT: price,
});

/**
 * Reads DKV_LLM_BASE_URL, DKV_LLM_MODEL, DKV_LLM_API_KEY, DKV_LLM_PRICE_INPUT and DKV_LLM_PRICE_OUTPUT (per million tokens) from the
 * environment and, where it does not set them, from `.env` in the working folder.
 * @returns undefined when no endpoint is named
 * @throws DkvError INPUT_INVALID naming the variable and what is expected of it, never a value
 */
export function llmSettings(
  environment: NodeJS.ProcessEnv = process.env,
  workingDirectory: string = process.cwd(),
): LlmSettings | undefined {
  const all = readVariables(environment, workingDirectory);
  const given = Object.keys(variablesSchema.shape).flatMap((name) => {
    const value = all[name]?.trim();
    return value ? [[name, value]] : [];
  });
  const variables = Object.fromEntries(given) as Record<string, string>;
  if (variables.DKV_LLM_BASE_URL === undefined) return undefined;
  const parsed = variablesSchema.safeParse(variables);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path: [name], message }) => `${String(name)}: ${message}`);
    throw new DkvError('INPUT_INVALID', `${problems.join('; ')}.`);
  }
  const { DKV_LLM_API_KEY: key, DKV_LLM_PRICE_INPUT: input, DKV_LLM_PRICE_OUTPUT: output } = parsed.data;
  return {
    baseUrl: parsed.data.DKV_LLM_BASE_URL.replace(/\/+$/, ''),
    model: parsed.data.DKV_LLM_MODEL,
    apiKey: key === undefined ? undefined : new Secret(key),
    pricePerMillionTokens: input !== undefined && output !== undefined ? { input, output } : undefined,
  };
}
