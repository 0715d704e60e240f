/** From anything that was thrown to what a client is told: a status, and `{error: {code, message}}` of the one table. What is unforeseen is told without its words. */
import type { FastifyError } from 'fastify';
import { DkvError, type ErrorCode } from '../base/errors.js';

/** Seconds after which a request that was refused for the moment may come again, where nothing better is known. */
const RETRY_SECONDS = 1;

export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What Fastify refuses by itself, by its code. */
const FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_UNSUPPORTED',
  FST_ERR_NOT_FOUND: 'NOT_FOUND',
};

export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof DkvError) return refused(thrown.code, thrown.message, thrown);
  const { code = '', statusCode = 500, message } = thrown as Partial<FastifyError>;
  const known = FASTIFY[code];
  if (known === 'MEDIA_UNSUPPORTED') {
    return refused(
      known,
      'The body has a content type that this address does not take. Send "content-type: application/json".',
    );
  }
  if (known) return refused(known, message ?? known);
  // Bodies that are no JSON, addresses that are none, lengths that are not those of the body.
  if (statusCode < 500) return refused('INPUT_INVALID', `The request cannot be read: ${message ?? 'bad request'}.`);
  return refused('INTERNAL', 'The server has a defect; its log says more.');
}

function refused(code: ErrorCode, message: string, error = new DkvError(code, message)): Refusal {
  const { status } = error;
  const seconds = error.retryAfterSeconds ?? RETRY_SECONDS;
  const later = status === 429 || status === 503;
  return { status, code, message: error.message, headers: later ? { 'retry-after': String(Math.ceil(seconds)) } : {} };
}

/** The body of a refusal. */
export function bodyOf({ code, message }: Pick<Refusal, 'code' | 'message'>): string {
  return JSON.stringify({ error: { code, message } });
}
