/** How long a request's body may take. Node's own limit is one for all requests, and streams of documents take as long as they are. */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { answerBadRequest } from './bad-requests.js';

const BODY_MS = 30_000;
/** A stream on which nothing comes and goes for so long is over. */
const IDLE_MS = 300_000;

export function watchBodies(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (!routeOptions.schema?.consumes) expectSoon(raw);
    // Asked without a socket, as tests do, there is nothing to wait for.
    else if (raw.socket instanceof Socket) raw.setTimeout(IDLE_MS, () => raw.destroy());
  });
}

/** Ends a connection whose request does not come to its end: who sends so slowly holds it for nothing. */
function expectSoon(raw: IncomingMessage): void {
  if (raw.complete) return;
  const late = setTimeout(() => {
    if (!raw.complete) answerBadRequest(Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), raw.socket);
  }, BODY_MS).unref();
  const stop = () => clearTimeout(late);
  raw.once('end', stop).once('close', stop);
}
