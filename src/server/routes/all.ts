/** Every route of the server. */
import type { Parts } from '../parts.js';
import type { Route } from '../route.js';
import { adminRoutes } from './admin.js';
import { completionsRoute } from './completions.js';
import { documentRoutes } from './documents.js';
import { metricsRoute } from './metrics.js';
import { probeRoutes } from './probes.js';
import { rerankRoutes } from './rerank.js';
import { scoreRoute } from './score.js';

export function allRoutes(parts: Parts): readonly Route[] {
  return [
    ...probeRoutes(parts),
    metricsRoute(parts),
    scoreRoute(parts),
    completionsRoute(parts),
    ...rerankRoutes(parts),
    ...documentRoutes(parts),
    ...adminRoutes(parts),
  ];
}
