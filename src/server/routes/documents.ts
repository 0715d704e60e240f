/** `/v1/documents`: documents are primed, read and taken down. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { DkvError } from '../../base/errors.js';
import { parse } from '../../base/parse.js';
import type { DocumentToPrime } from '../../serving/prime-options.js';
import {
  type DocumentContent,
  deleteQuerySchema,
  documentDeletedSchema,
  documentLineSchema,
  documentParamsSchema,
  documentPutSchema,
  documentResultSchema,
  documentSchema,
  putDocumentSchema,
} from '../../wire/http/documents.js';
import { Documents, type Shelved } from '../documents.js';
import { refusalOf } from '../errors.js';
import { inOrder } from '../in-order.js';
import { type Line, linesOf, linesUntilClosing, untilClosing } from '../lines.js';
import type { Parts } from '../parts.js';
import { type Route, route } from '../route.js';

/** The number of lines of a stream that are taken and have no result yet: two windows of priming. */
const LINES_UNDER_WAY = 512;
/** The bytes of results that wait for a client to read them, before no more lines are taken. */
const RESULT_BYTES = 1 << 20;

const LINE_TYPES = ['application/x-ndjson', 'application/jsonl'] as const;

export function documentRoutes({ shelf, settings }: Parts): readonly Route[] {
  const documents = new Documents(settings);
  const common = { url: '/v1/documents/:id', tag: 'documents', params: documentParamsSchema } as const;
  return [
    route({
      ...common,
      method: 'PUT',
      scope: 'write',
      summary: 'Primes a document, in place of the one that has its id.',
      body: putDocumentSchema,
      answer: documentPutSchema,
      handle: ({ body, params: { id }, exchange }) =>
        shelf.use(undefined, async (edition) => {
          const where = { edition, tenantSalt: exchange.caller.tenantSalt };
          const document = documentOf(id, body, 'The body');
          await documents.expectPrimable(where);
          return { id, status: await documents.put(where, document, exchange.signal) };
        }),
    }),
    route({
      ...common,
      method: 'GET',
      scope: 'read',
      summary: 'What is known of a primed document.',
      answer: documentSchema,
      handle: ({ params: { id }, exchange }) =>
        shelf.use(undefined, (edition) => documents.get({ edition, tenantSalt: exchange.caller.tenantSalt }, id)),
    }),
    route({
      ...common,
      method: 'DELETE',
      scope: 'write',
      summary: 'Takes a document out of every tier, or out of every generation.',
      query: deleteQuerySchema,
      answer: documentDeletedSchema,
      handle: ({ params: { id }, query, exchange }) =>
        shelf.use(undefined, async (edition) => {
          const { source_version: sourceVersion, reason } = query as z.output<typeof deleteQuerySchema>;
          const where = { edition, tenantSalt: exchange.caller.tenantSalt };
          return { id, status: await documents.delete(where, id, { sourceVersion, reason }) };
        }),
    }),
    route({
      method: 'POST',
      url: '/v1/documents',
      scope: 'write',
      tag: 'documents',
      summary: 'Primes documents of JSON lines, and answers each with a line.',
      description:
        'Results come in the order of the lines, while later lines are still being sent. A line that cannot be primed has an error and stops no other. The limit of a body is each line’s; a stream may be as long as it likes.',
      consumes: LINE_TYPES,
      body: documentLineSchema,
      produces: 'application/x-ndjson',
      handle: ({ request, exchange, reply }) =>
        shelf.use(undefined, async (edition) => {
          const where = { edition, tenantSalt: exchange.caller.tenantSalt };
          await documents.expectPrimable(where);
          const hungUp = new AbortController();
          reply.raw.once('close', () => hungUp.abort());
          const chunks = untilClosing(request.body as Readable, exchange.closing);
          const lines = linesUntilClosing(linesOf(chunks, settings.limits.bodyBytes));
          const results = resultLines(lines, hungUp.signal, (line) => primeLine(documents, where, line, hungUp.signal));
          const answer = Readable.from(results, { objectMode: false, highWaterMark: RESULT_BYTES });
          const ended = new Promise<void>((resolve) => answer.once('close', resolve));
          reply.type('application/x-ndjson').send(answer);
          await ended;
        }),
    }),
  ];
}

async function* resultLines(
  lines: AsyncGenerator<Line>,
  signal: AbortSignal,
  primed: (line: Line) => Promise<string>,
): AsyncGenerator<string> {
  try {
    yield* inOrder(untilAborted(lines, signal), LINES_UNDER_WAY, primed);
  } catch (error) {
    // A client that went away in the middle of its request hears nothing.
    if (!signal.aborted) throw error;
  }
}

async function* untilAborted<T>(things: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const thing of things) {
    if (signal.aborted) return;
    yield thing;
  }
}

/** The result of a line, as a line. */
async function primeLine(
  documents: Documents,
  where: Shelved,
  { number: line, text }: Line,
  signal: AbortSignal,
): Promise<string> {
  let id: string | undefined;
  try {
    if (text instanceof DkvError) throw text;
    const value = jsonOf(text, line);
    if (typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string') id = value.id;
    const { id: own, ...content } = parse(documentLineSchema, value, 'INPUT_INVALID', `Line ${line}`);
    const status = await documents.put(where, documentOf(own, content, `Line ${line}`), signal);
    return resultLine({ line, id: own, status });
  } catch (error) {
    const { code, message } = refusalOf(error);
    return resultLine({ line, ...(id !== undefined && { id: id.slice(0, 1024) }), error: { code, message } });
  }
}

function resultLine(result: z.output<typeof documentResultSchema>): string {
  return `${JSON.stringify(z.encode(documentResultSchema, result))}\n`;
}

function jsonOf(text: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DkvError('INPUT_INVALID', `Line ${line} is no JSON.`);
  }
}

/** @throws DkvError INPUT_INVALID for a time that is over */
function documentOf(id: string, { validUntil, ...content }: DocumentContent, where: string): DocumentToPrime {
  if (content.title !== undefined && content.fields?.title !== undefined) {
    throw new DkvError('INPUT_INVALID', `${where}: title and fields.title are the same field. Give one of them.`);
  }
  if (validUntil === undefined) return { id, ...content };
  const expiresAt = Date.parse(validUntil);
  if (expiresAt > Date.now()) return { id, ...content, expiresAt };
  throw new DkvError('INPUT_INVALID', `${where}: valid_until: expected a time to come, found ${validUntil}.`);
}
