/** Which language model writes surrogates, where, and at what price: from the environment. */
import { z } from 'zod';
import { type DotEnvRules, readVariables } from '../base/environment.js';
import { DkvError } from '../base/errors.js';
import { tryParse } from '../base/parse.js';
import { Secret } from '../base/secret.js';

/** The two names of the token limit. Newer models of some makers take only the second one. */
export const TOKEN_LIMITS = ['max_tokens', 'max_completion_tokens'] as const;
export type TokenLimit = (typeof TOKEN_LIMITS)[number];

export interface LlmSettings {
  /** The endpoint's address, without a slash at its end. Requests go to `/chat/completions` below it. */
  readonly baseUrl: string;
  readonly model: string;
  /** The API key. Local endpoints need none. */
  readonly apiKey: Secret | undefined;
  /** The prices of a million tokens, in any currency. Without both of them no cost is computed. */
  readonly pricePerMillionTokens: { readonly input: number; readonly output: number } | undefined;
  /** The name under which the endpoint takes the token limit. By default `max_tokens`, and the other name once the endpoint asks for it. */
  readonly tokenLimit?: TokenLimit;
  /** The largest number of tokens in an answer, reasoning included; by default 30, as in the research. */
  readonly maxTokens?: number;
}

// In words of their own, all of them: a value that is not as expected may be a key, and is not repeated.
const isPrice = { error: 'expected a number, 0 or more' };
const price = z.coerce.number(isPrice).nonnegative(isPrice).optional();
const isTokens = { error: 'expected a number of tokens, 1 to 100000' };

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
  DKV_LLM_TOKEN_LIMIT: z.enum(TOKEN_LIMITS, { error: `expected ${TOKEN_LIMITS.join(' or ')}` }).optional(),
  DKV_LLM_MAX_TOKENS: z.coerce.number(isTokens).int(isTokens).min(1, isTokens).max(100_000, isTokens).optional(),
});

const RULES: DotEnvRules = {
  secrets: ['DKV_LLM_API_KEY'],
  refused: ['DKV_LLM_BASE_URL'],
  harmless: [
    'DKV_LLM_MODEL',
    'DKV_LLM_PRICE_INPUT',
    'DKV_LLM_PRICE_OUTPUT',
    'DKV_LLM_TOKEN_LIMIT',
    'DKV_LLM_MAX_TOKENS',
  ],
};

/**
 * Reads DKV_LLM_BASE_URL, DKV_LLM_MODEL, DKV_LLM_API_KEY, DKV_LLM_PRICE_INPUT and DKV_LLM_PRICE_OUTPUT (per million tokens), DKV_LLM_TOKEN_LIMIT
 * (`max_tokens` or `max_completion_tokens`) and DKV_LLM_MAX_TOKENS from the environment. All but the address may also stand in `.env` in the
 * working folder, where the environment does not set them.
 * @returns undefined when no endpoint is named
 * @throws DkvError INPUT_INVALID naming the variable and what is expected of it, never a value
 */
export function llmSettings(
  environment: NodeJS.ProcessEnv = process.env,
  workingDirectory: string = process.cwd(),
): LlmSettings | undefined {
  const all = readVariables(environment, workingDirectory, RULES);
  const given = Object.keys(variablesSchema.shape).flatMap((name) => {
    const value = all[name]?.trim();
    return value ? [[name, value]] : [];
  });
  const variables = Object.fromEntries(given) as Record<string, string>;
  if (variables.DKV_LLM_BASE_URL === undefined) return undefined;
  const parsed = tryParse(variablesSchema, variables);
  if (!parsed.success) throw new DkvError('INPUT_INVALID', `${parsed.problem}.`);
  const { DKV_LLM_API_KEY: key, DKV_LLM_PRICE_INPUT: input, DKV_LLM_PRICE_OUTPUT: output } = parsed.data;
  const { DKV_LLM_TOKEN_LIMIT: tokenLimit, DKV_LLM_MAX_TOKENS: maxTokens } = parsed.data;
  return {
    baseUrl: parsed.data.DKV_LLM_BASE_URL.replace(/\/+$/, ''),
    model: parsed.data.DKV_LLM_MODEL,
    apiKey: key === undefined ? undefined : new Secret(key),
    pricePerMillionTokens: input !== undefined && output !== undefined ? { input, output } : undefined,
    ...(tokenLimit && { tokenLimit }),
    ...(maxTokens && { maxTokens }),
  };
}
