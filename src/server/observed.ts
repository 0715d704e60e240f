/** What is kept of each request: a line of the log, and metrics. No text, no query, no key and no address with ids in it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../base/errors.js';
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

/** How many requests are being answered now. */
export interface InFlight {
  count: number;
}

/** Has every request of a server observed, from its arrival on. Its hook is to be the first. */
export function observe(app: FastifyInstance, { metrics }: Pick<Parts, 'metrics'>): InFlight {
  const inFlight = { count: 0 };
  app.decorateRequest('arrivedAt', 0);
  app.decorateRequest('trace', null as unknown as Trace);
  app.decorateRequest('exchange', null);
  app.decorateRequest('failure', null);
  app.addHook('onRequest', async (request, reply) => {
    request.arrivedAt = performance.now();
    request.trace = recordedTrace(request) ?? traceOf(request.headers.traceparent);
    reply.header('traceparent', traceparentOf(request.trace));
    inFlight.count++;
    // Also of a client that hangs up, for which Fastify has no hook.
    reply.raw.once('close', () => {
      inFlight.count--;
      tell(request, reply, metrics);
    });
  });
  metrics.onRead(async () => {
    metrics.set('inFlight', inFlight.count);
    const connections = await new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count)));
    metrics.set('connections', connections);
  });
  return inFlight;
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
  const route = request.routeOptions.url ?? 'none';
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
