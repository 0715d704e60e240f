/** What is kept of each request: a line of the log, and metrics. No text, no query, no key and no address with ids in it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DkvError, ErrorCode } from '../base/errors.js';
import type { Exchange } from './exchange.js';
import type { Parts } from './parts.js';
import { type Trace, traceOf, traceparentOf } from './trace.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** When the request arrived, by `performance.now()`. */
    arrivedAt: number;
    trace: Trace;
    exchange: Exchange | null;
    /** The code of the error that it is answered with. */
    failure: ErrorCode | null;
  }
}

/** Nginx's status for a client that hung up before it was answered. */
const HUNG_UP = 499;
/** The route of what has none, and the method of what could not be read. */
const UNKNOWN = 'none';

/** What is known of requests while they are answered, and where others are told of. */
export interface Observed {
  /** How many requests are being answered now. */
  readonly inFlight: number;
  /** Observes a request that no hook sees. */
  watch(request: FastifyRequest, reply: FastifyReply): void;
  /** Tells of what was refused before it was a request. */
  tellRefused(refusal: DkvError): void;
}

/** Has every request of a server observed, from its arrival on. Its hook is to be the first. */
export function observe(app: FastifyInstance, { metrics }: Pick<Parts, 'metrics'>): Observed {
  let inFlight = 0;
  app.decorateRequest('arrivedAt', 0);
  app.decorateRequest('trace', null as unknown as Trace);
  app.decorateRequest('exchange', null);
  app.decorateRequest('failure', null);
  const watch = (request: FastifyRequest, reply: FastifyReply) => {
    request.arrivedAt = performance.now();
    request.trace = recordedTrace(request) ?? traceOf(request.headers.traceparent);
    reply.header('traceparent', traceparentOf(request.trace));
    inFlight++;
    // Also of a client that hangs up, for which Fastify has no hook.
    reply.raw.once('close', () => {
      inFlight--;
      tell(request, reply, metrics);
    });
  };
  app.addHook('onRequest', async (request, reply) => watch(request, reply));
  metrics.onRead(async () => {
    metrics.set('inFlight', inFlight);
    const connections = await new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count)));
    metrics.set('connections', connections);
  });
  return {
    get inFlight() {
      return inFlight;
    },
    watch,
    tellRefused: ({ code, status }) => {
      metrics.count('requests', { method: UNKNOWN, route: UNKNOWN, status: String(status) });
      metrics.count('failures', { code });
      app.log.info({ method: UNKNOWN, route: UNKNOWN, status, code }, 'answered');
    },
  };
}

/** The span that OpenTelemetry records, where it does. */
function recordedTrace(request: FastifyRequest): Trace | undefined {
  const { opentelemetry } = request as { opentelemetry?(): { span?: Recorded | null } };
  const found = opentelemetry?.call(request).span?.spanContext();
  return found && { ...found, flags: (found.traceFlags & 0xff).toString(16).padStart(2, '0') };
}

interface Recorded {
  spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
}

function tell(request: FastifyRequest, reply: FastifyReply, metrics: Parts['metrics']): void {
  const ms = performance.now() - request.arrivedAt;
  const route = request.routeOptions.url ?? UNKNOWN;
  const isWhole = reply.raw.writableEnded;
  const status = isWhole ? reply.statusCode : HUNG_UP;
  const code = isWhole ? request.failure : 'CANCELLED';
  const { method, caller, exchange, trace } = request;
  metrics.count('requests', { method, route, status: String(status) });
  if (code !== null) metrics.count('failures', { code });
  metrics.observe('requestSeconds', ms / 1000, { route });
  if (exchange && exchange.inferenceMs > 0) {
    metrics.observe('queueSeconds', exchange.queueMs / 1000, { route });
    metrics.observe('inferenceSeconds', exchange.inferenceMs / 1000, { route });
  }
  if (exchange) {
    if (exchange.cache.hits > 0) metrics.count('cacheHits', {}, exchange.cache.hits);
    if (exchange.cache.misses > 0) metrics.count('cacheMisses', {}, exchange.cache.misses);
  }
  const line = {
    trace_id: trace.traceId,
    method,
    route,
    status,
    ms: Math.round(ms * 10) / 10,
    ...(caller?.keyId && { key: caller.keyId }),
    ...(code !== null && { code }),
  };
  request.log[status >= 500 ? 'error' : 'info'](line, 'answered');
}
