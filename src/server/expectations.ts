/** What a request's head has to have, and what it may expect before its body is sent. Node would refuse both without words, and ask for bodies that are refused anyway. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { BadRequest } from './bad-requests.js';

/** Its hooks are to come before those that let a request in. */
export function watchExpectations(app: FastifyInstance): void {
  const { server } = app;
  const waiting = new WeakSet<ServerResponse>();
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(response);
    server.emit('request', request, response);
  });
  const unmet = new WeakSet<IncomingMessage>();
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    unmet.add(request);
    server.emit('request', request, response);
  });
  app.addHook('onRequest', async ({ raw }) => {
    if (raw.httpVersion === '1.1' && raw.headers.host === undefined) throw new BadRequest('hostless');
    if (unmet.has(raw)) throw new BadRequest('expectation');
  });
  // By now it is let in, so that its body is wanted.
  app.addHook('preParsing', async (_, { raw }) => {
    if (waiting.delete(raw)) raw.writeContinue();
  });
}
