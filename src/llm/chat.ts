/**
 * One chat completion from an OpenAI-compatible endpoint: one attempt, and what its failure means. Knows neither cache nor retries.
 *
 * The key goes to the endpoint only: redirects are not followed, and no message repeats it.
 */
import http from 'node:http';
import https from 'node:https';
import { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { type LlmSettings, TOKEN_LIMITS, type TokenLimit } from './settings.js';

export interface Sampling {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
}

export interface ChatAnswer {
  /** The answer's text; empty where the endpoint gives none. */
  readonly text: string;
  /** True where the limit of tokens was reached. */
  readonly cutOff: boolean;
  /** True where reasoning came beside the text. */
  readonly thought: boolean;
  /** The tokens of the prompt; 0 where the endpoint does not say. */
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** A failure that may pass: try again, after what the endpoint asks for if it asks. */
export class PassingFailure extends Error {
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The endpoint refuses the name under which the limit of tokens was sent, and gives the other one. */
export class WantsTokenLimit extends Error {
  readonly tokenLimit: TokenLimit;
  readonly refusal: Error;

  constructor(tokenLimit: TokenLimit, refusal: Error) {
    super(refusal.message);
    this.tokenLimit = tokenLimit;
    this.refusal = refusal;
  }
}

const MAX_ANSWER_BYTES = 1_000_000;

/** The schema of an answer. Only its text is required: endpoints leave out, add and rename the rest. */
const answerSchema = z.object({
  choices: z.tuple(
    [z.object({ message: z.record(z.string(), z.unknown()), finish_reason: z.unknown().optional() })],
    z.unknown(),
  ),
  usage: z.record(z.string(), z.unknown()).optional().catch(undefined),
});

const partSchema = z.object({ type: z.enum(['text', 'output_text']).default('text'), text: z.string() });

/** Puts a text together from its parts. Parts of other types are reasoning, pictures and calls. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (typeof part === 'string' ? part : (partSchema.safeParse(part).data?.text ?? '')))
    .join('');
}

function countOf(count: unknown): number {
  return typeof count === 'number' && count >= 0 ? count : 0;
}

/** The words by which endpoints say that the limit of tokens was reached. */
const CUT_OFF = new Set(['length', 'max_tokens', 'model_length']);

/**
 * @param tokenLimit under which name the limit of tokens is sent
 * @param signal ends the request
 * @throws WantsTokenLimit when the endpoint refuses this name and gives the other; PassingFailure for 408, 409, 429, 5xx, broken connections and answers that are not the endpoint's;
 *   DkvError LLM_DENIED when every request would end so, LLM_REJECTED when this one does
 */
export async function completeChat(
  settings: LlmSettings,
  question: string,
  { maxTokens, temperature, topP }: Sampling,
  tokenLimit: TokenLimit,
  signal: AbortSignal,
): Promise<ChatAnswer> {
  const { baseUrl, model, apiKey } = settings;
  const body = JSON.stringify({
    model,
    messages: [{ role: 'user', content: question }],
    [tokenLimit]: maxTokens,
    temperature,
    top_p: topP,
  });
  const response = await post(
    new URL(`${baseUrl}/chat/completions`),
    body,
    { ...(apiKey && { authorization: `Bearer ${apiKey.reveal()}` }) },
    signal,
  ).catch((error: unknown) => {
    throw new PassingFailure(`${baseUrl}: ${messageOf(error)}`);
  });
  if (response.status === 400) {
    const wanted = TOKEN_LIMITS.find((name) => name !== tokenLimit)!;
    if (new RegExp(`\\b${wanted}\\b`).test(response.text)) {
      throw new WantsTokenLimit(wanted, refusal(response, settings));
    }
  }
  if (response.status !== 200) throw refusal(response, settings);
  const parsed = answerSchema.safeParse(parseJson(response.text));
  if (!parsed.success) {
    throw new PassingFailure(
      `${baseUrl} answers 200, but not with a chat completion: ${excerpt(response.text, settings)}`,
    );
  }
  const {
    choices: [{ message, finish_reason }],
    usage,
  } = parsed.data;
  return {
    text: textOf(message.content) || textOf(message.refusal),
    cutOff: CUT_OFF.has(String(finish_reason).toLowerCase()),
    thought: Boolean(message.reasoning_content ?? message.reasoning),
    promptTokens: countOf(usage?.prompt_tokens),
    completionTokens: countOf(usage?.completion_tokens),
  };
}

interface Response {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** Node's plain client, not `fetch`, for the reason given in the hub's client. */
function post(url: URL, body: string, headers: http.OutgoingHttpHeaders, signal: AbortSignal): Promise<Response> {
  const client = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const request = client.request(
      url,
      {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'directed-kvcache',
        },
        signal,
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) request.destroy(new Error(`an answer of over ${MAX_ANSWER_BYTES} bytes`));
        });
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Requests that a proxy, a limit or a load may have turned away. */
const PASSING = new Set([408, 409, 425, 429]);
/** The statuses of refusals that do not depend on the document. */
const FOR_ALL = new Set([401, 402, 403, 404, 405]);

function refusal(response: Response, settings: LlmSettings): Error {
  const { status, headers, text } = response;
  const { baseUrl, model, apiKey } = settings;
  const said = `${baseUrl} answers ${status}: ${excerpt(text, settings)}`;
  if (status >= 500 || PASSING.has(status)) return new PassingFailure(said, retryAfterMs(headers));
  if (status < 400 || FOR_ALL.has(status)) {
    const sent = apiKey ? 'the key from DKV_LLM_API_KEY was sent' : 'no key was sent';
    return new DkvError(
      'LLM_DENIED',
      `${said} (model ${model}; ${sent}). Check DKV_LLM_BASE_URL, DKV_LLM_MODEL and DKV_LLM_API_KEY.`,
    );
  }
  return new DkvError('LLM_REJECTED', said);
}

/** Reads the time to wait, which is given in seconds or as a date. */
function retryAfterMs(headers: http.IncomingHttpHeaders): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  const milliseconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

/** The beginning of what an endpoint says, on one line; an endpoint may repeat the key. */
export function excerpt(text: string, { apiKey }: LlmSettings): string {
  const hidden = apiKey ? text.replaceAll(apiKey.reveal(), String(apiKey)) : text;
  const line = hidden.replace(/\s+/gu, ' ').trim();
  return printable(JSON.stringify(line.length > 200 ? `${line.slice(0, 200)}…` : line));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
