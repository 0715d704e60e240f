/** How long a request's body may take. Node's own limit is one for all requests, and streams of documents take as long as they are. */
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { DkvError } from '../base/errors.js';
import { BadRequest, expectReadable, failBody } from './bad-requests.js';

const BODY_MS = 30_000;
/** A stream on which nothing comes and goes for so long is over. */
const IDLE_MS = 300_000;
/** How long bodies may still come once the server takes nothing more. */
const CLOSING_MS = 3000;

/**
 * Has each body come in time.
 * @param closing aborted when the server takes nothing more; from then on bodies have a few seconds, and not more than half of what the work of the others has
 */
export function watchBodies(app: FastifyInstance, closing: AbortSignal, drainSeconds: number): void {
  const coming = new Set<ServerResponse>();
  const cut = () => {
    for (const response of coming) {
      // It is here, and read later or not at all.
      if (response.req.complete) continue;
      failBody(
        response,
        new DkvError(
          'SERVER_CLOSING',
          'The server is ending, and the body of the request had not come. Ask another one.',
        ),
      );
    }
  };
  closing.addEventListener('abort', () => {
    setTimeout(cut, Math.min(CLOSING_MS, drainSeconds * 500)).unref();
  });
  app.addHook('onRequest', async ({ raw, routeOptions }, reply) => {
    // Asked without a socket, as tests do, there is nothing to wait for.
    if (!(raw.socket instanceof Socket)) return;
    if (!routeOptions.schema?.consumes) expectSoon(reply.raw, coming);
    else raw.setTimeout(IDLE_MS, () => raw.destroy());
  });
  app.addHook('preParsing', async ({ raw }) => expectReadable(raw));
}

/** Ends a request that does not come to its end: who sends so slowly holds a connection for nothing. */
function expectSoon(response: ServerResponse, coming: Set<ServerResponse>): void {
  const { req } = response;
  if (req.complete) return;
  coming.add(response);
  const late = setTimeout(() => {
    if (!req.complete) failBody(response, new BadRequest('late'));
  }, BODY_MS).unref();
  const stop = () => {
    clearTimeout(late);
    coming.delete(response);
  };
  req.once('end', stop).once('close', stop);
}
