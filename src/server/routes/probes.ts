/** What the server says of itself: whether it lives, whether it answers, what it serves, and the description of its interface. */
import { readProvenance } from '../../serving/provenance.js';
import { healthSchema, infoSchema, readySchema } from '../../wire/http/probes.js';
import type { Parts } from '../parts.js';
import { type Route, route } from '../route.js';

export function probeRoutes(parts: Parts): readonly Route[] {
  const { shelf, settings, version, startedAt } = parts;
  return [
    route({
      method: 'GET',
      url: '/health',
      scope: 'open',
      tag: 'server',
      summary: 'Whether the process answers.',
      answer: healthSchema,
      handle: async () => ({ status: 'ok' }),
    }),
    route({
      method: 'GET',
      url: '/ready',
      scope: 'open',
      tag: 'server',
      summary: 'Whether requests are answered: 200, or 503 before and after.',
      answer: readySchema,
      handle: async ({ reply }) => {
        if (parts.standing !== 'ready') reply.status(503);
        return { status: parts.standing };
      },
    }),
    route({
      method: 'GET',
      url: '/info',
      scope: 'read',
      tag: 'server',
      summary: 'What is served: model, store, limits.',
      answer: infoSchema,
      handle: ({ exchange }) =>
        shelf.use(undefined, async (edition) => {
          const { model, generation } = edition;
          const store = await edition.storeOf(exchange.caller.tenantSalt);
          const { name, fingerprint, builtIn, engine } = model;
          const { family, computedAs, device } = engine.info;
          const { bodyBytes, documents, requests } = settings.limits;
          return {
            name: 'directed-kvcache',
            version,
            model: { name, family, fingerprint, precision: computedAs, device, builtIn },
            store: {
              location: store.location,
              generation: generation?.id ?? null,
              primed: (await readProvenance(store)) ?? null,
            },
            limits: { bodyBytes, documents, requests },
            uptimeSeconds: (performance.now() - startedAt) / 1000,
          };
        }),
    }),
  ];
}
