/**
 * The server without its socket: routes, the way of a request through them, and what is told when something fails. Tests ask it by `inject`; serve.ts lets it
 * listen.
 */
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { parse } from '../base/parse.js';
import { answerBadRequest } from './bad-requests.js';
import { watchBodies } from './body-clock.js';
import { ANYBODY, type Caller, expectScope } from './caller.js';
import { Connections } from './connections.js';
import { bodyOf, type Refusal, refusalOf } from './errors.js';
import { Exchange } from './exchange.js';
import { watchExpectations } from './expectations.js';
import { LimitReached, Limits } from './limits.js';
import { metered } from './metered-model.js';
import { observe } from './observed.js';
import { openApiSchema } from './openapi.js';
import type { Parts } from './parts.js';
import type { Route } from './route.js';
import { allRoutes } from './routes/all.js';
import { docsRoutes } from './routes/docs.js';
import type { Telemetry } from './telemetry.js';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

export interface AppOptions {
  /** Where lines of the log go; none by default. */
  readonly log?: { write(line: string): void } | undefined;
  readonly https?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** Records a span of each request. */
  readonly telemetry?: Telemetry | undefined;
}

/** Builds the server. It listens to nothing yet. */
export async function buildApp(parts: Parts, { log, https, telemetry }: AppOptions = {}): Promise<FastifyInstance> {
  const { limits, drain } = parts.settings;
  const ofHttp = {
    headersTimeout: limits.headSeconds * 1000,
    maxHeaderSize: 16_384,
    // By default Node looks for late ones each half minute.
    connectionsCheckingInterval: Math.min(1000, limits.headSeconds * 500),
    // What Node refuses by itself has no words.
    requireHostHeader: false,
  };
  const app = fastify({
    bodyLimit: limits.bodyBytes,
    genReqId: () => randomUUID(),
    logger: log ? { level: 'info', stream: log } : false,
    // A line of our own says less: no address, no ids.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    // Bodies have a clock of ours.
    requestTimeout: 0,
    connectionTimeout: 0,
    keepAliveTimeout: 72_000,
    routerOptions: { maxParamLength: 16_384, caseSensitive: true },
    return503OnClosing: false,
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      observed.watch(request, reply);
      void refuse(reply, refusalOf(error));
    },
    ...(https && { https: { ...https, ...ofHttp } }),
    http: ofHttp,
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) =>
      answerBadRequest(error, socket, connections.on(socket), observed.tellRefused),
  } as Parameters<typeof fastify>[0]) as unknown as FastifyInstance;
  const connections = new Connections(app.server);
  app.addHook('preClose', async () => connections.close());
  app.server.maxConnections = limits.connections;
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    // Bytes that are no UTF-8 would be replaced, and another text answered than was sent.
    if (isUtf8(bytes as Buffer)) void parseJson(request, bytes.toString(), done);
    else done(new DkvError('INPUT_INVALID', 'The body is not UTF-8. Send JSON as UTF-8.'));
  });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (text) => text as string);
  app.decorateRequest('caller', null as unknown as Caller);
  if (telemetry) await app.register(telemetry.plugin);
  await app.register(swagger, openApiSchema(parts));

  const observed = observe(app, parts);
  watchBodies(app, connections.closing, drain.seconds);
  watchExpectations(app);
  app.addHook('onRequest', async (request) => {
    expectPlain(request);
    const scope = request.routeOptions.config.scope ?? 'read';
    if (scope === 'open') {
      request.caller = { ...ANYBODY, scope: 'read' };
      return;
    }
    if (parts.standing === 'closing') {
      throw new DkvError('SERVER_CLOSING', 'The server is ending and takes no new requests. Ask another one.');
    }
    request.caller = await parts.callers(request.headers.authorization);
    expectScope(request.caller, scope);
    if (observed.inFlight > limits.requests) {
      throw new DkvError(
        'SERVER_BUSY',
        `${observed.inFlight - 1} requests are in flight, and ${limits.requests} may be. Come again later.`,
      );
    }
  });
  app.addHook('onSend', async (_, reply) => {
    // Whoever keeps a connection is to open another one elsewhere.
    if (parts.standing === 'draining' || parts.standing === 'closing') reply.header('connection', 'close');
  });
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error);
    if (refusal.code === 'INTERNAL') request.log.error({ err: error }, 'a defect');
    return refuse(reply, refusal);
  });
  app.setNotFoundHandler((request, reply) =>
    refuse(
      reply,
      refusalOf(
        new DkvError(
          'NOT_FOUND',
          `There is nothing at ${request.method} ${pathOf(request)}; /docs lists what there is.`,
        ),
      ),
    ),
  );
  const buckets = new Limits(limits);
  const routes = [...allRoutes(parts), ...docsRoutes(() => app.swagger())];
  for (const own of routes) addRoute(app, own, { buckets, metrics: parts.metrics, closing: connections.closing });
  return app;
}

/** @throws DkvError MEDIA_UNSUPPORTED for a body that would be read as something else than it is */
function expectPlain({ headers }: FastifyRequest): void {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = headers;
  const [, charset = 'utf-8'] = /;\s*charset="?([^";\s]+)/i.exec(type) ?? [];
  if (encoding === 'identity' && /^utf-?8$/i.test(charset)) return;
  throw new DkvError(
    'MEDIA_UNSUPPORTED',
    `The body is sent as ${encoding === 'identity' ? charset : encoding}; expected UTF-8 as it is, without a content encoding.`,
  );
}

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: Route['scope'];
  }
}

/** What every request is counted by, and when no more of it is waited for. */
interface Counts extends Pick<Parts, 'metrics'> {
  readonly buckets: Limits;
  readonly closing: AbortSignal;
}

function addRoute(app: FastifyInstance, own: Route, counts: Counts): void {
  const { method, url, scope, summary, description, tag, body, params, query, answer, consumes, produces } = own;
  const declared = {
    method,
    url,
    config: { scope },
    schema: {
      summary,
      ...(description !== undefined && { description }),
      tags: [tag],
      ...(body && { body }),
      ...(params && { params }),
      ...(query && { querystring: query }),
      ...(consumes && { consumes: [...consumes] }),
      ...(produces !== undefined && { produces: [produces] }),
      response: { 200: answer ?? z.string() },
    },
    handler: (request: FastifyRequest, reply: FastifyReply) => answered(own, request, reply, counts),
  };
  if (!consumes) return void app.route(declared);
  // Its types of bodies are for this route alone.
  void app.register(async (scoped) => {
    scoped.removeAllContentTypeParsers();
    scoped.addContentTypeParser([...consumes], (_request, stream, done) => done(null, stream));
    scoped.route(declared);
  });
}

async function answered(own: Route, request: FastifyRequest, reply: FastifyReply, counts: Counts): Promise<unknown> {
  const hangUp = new AbortController();
  const close = () => {
    if (!reply.raw.writableEnded) hangUp.abort();
  };
  reply.raw.once('close', close);
  const { id, caller, arrivedAt } = request;
  const exchange = new Exchange({ id, caller, signal: hangUp.signal, closing: counts.closing, arrivedAt });
  request.exchange = exchange;
  try {
    const taken = <T extends z.ZodType>(schema: T | undefined, value: unknown, where: string) =>
      schema && parse(schema, value ?? {}, 'INPUT_INVALID', where);
    const asked = {
      body: !own.consumes ? taken(own.body, request.body, 'The body') : undefined,
      params: taken(own.params, request.params, 'The address'),
      query: taken(own.query, request.query, 'The query string'),
      exchange,
      request,
      reply,
    };
    const result = await within(counts, own.pairs?.(asked.body), exchange, () => own.handle(asked));
    countDegraded(result, counts.metrics);
    if (result === undefined) return reply;
    for (const [name, value] of exchange.headers) reply.header(name, value);
    return reply
      .type(own.produces ?? JSON_TYPE)
      .send(own.answer ? JSON.stringify(z.encode(own.answer, result)) : result);
  } catch (error) {
    for (const [name, value] of exchange.headers) reply.header(name, value);
    throw exchange.inOwnWords(error);
  } finally {
    reply.raw.off('close', close);
  }
}

/**
 * Does a request's work within the limits of its key, and says what is left of them.
 * @param pairs undefined for requests that ask the model for nothing
 * @throws DkvError LIMIT_REACHED, and what the work throws
 */
async function within<T>(
  { buckets, metrics }: Counts,
  pairs: number | undefined,
  { caller, header }: Exchange,
  work: () => Promise<T>,
): Promise<T> {
  try {
    if (pairs !== undefined) {
      buckets.take(caller, pairs);
      metrics.count('pairs', {}, pairs);
    }
    // What is primed costs tokens as well.
    const charge = (tokens: number) => {
      metrics.count('tokens', {}, tokens);
      buckets.chargeTokens(caller, tokens);
    };
    return await metered(charge, work);
  } catch (error) {
    if (error instanceof LimitReached) metrics.count('limited', { kind: error.kind });
    // What was refused, or could not be done, is not the caller's loss. What a caller has hung up on may be half done.
    const isUndone = error instanceof DkvError && !(error instanceof LimitReached) && error.code !== 'CANCELLED';
    if (pairs !== undefined && isUndone) buckets.giveBack(caller, pairs);
    throw error;
  } finally {
    for (const [kind, { perMinute, remaining, resetSeconds }] of Object.entries(buckets.state(caller))) {
      header(`x-ratelimit-limit-${kind}`, String(perMinute));
      header(`x-ratelimit-remaining-${kind}`, String(remaining));
      header(`x-ratelimit-reset-${kind}`, `${resetSeconds}s`);
    }
  }
}

function countDegraded(result: unknown, metrics: Parts['metrics']): void {
  const { degraded, reason } = (result ?? {}) as { readonly degraded?: unknown; readonly reason?: unknown };
  if (degraded === true) metrics.count('degraded', { reason: String(reason) });
}

function refuse(reply: FastifyReply, refusal: Refusal): FastifyReply {
  reply.request.failure = refusal.code;
  return reply.status(refusal.status).headers(refusal.headers).type(JSON_TYPE).send(bodyOf(refusal));
}

/** The path of a request, without what follows "?", which may hold anything. */
function pathOf(request: FastifyRequest): string {
  return request.url.replace(/\?.*$/s, '').slice(0, 200);
}
