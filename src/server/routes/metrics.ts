/** `GET /metrics`. It counts what all tenants do, so that a key of one of them does not read it unless it may do everything. */
import type { Parts } from '../parts.js';
import { type Route, route } from '../route.js';

export function metricsRoute({ metrics, settings }: Parts): Route {
  return route({
    method: 'GET',
    url: '/metrics',
    scope: settings.listen.openMetrics ? 'open' : 'admin',
    tag: 'server',
    summary: 'Metrics for Prometheus.',
    produces: metrics.contentType,
    handle: () => metrics.text(),
  });
}
