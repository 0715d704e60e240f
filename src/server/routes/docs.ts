/** The description of the interface: as OpenAPI, and as one page that needs no script, no other file and no network. */
import { z } from 'zod';
import { docsPage, type OpenApi } from '../docs-page.js';
import { type Route, route } from '../route.js';

/** @param document gives the OpenAPI document, which is whole once the server is */
export function docsRoutes(document: () => unknown): readonly Route[] {
  const common = { method: 'GET', scope: 'open', tag: 'server' } as const;
  return [
    route({
      ...common,
      url: '/openapi.json',
      summary: 'This interface as OpenAPI 3.1.',
      answer: z.record(z.string(), z.unknown()),
      handle: async () => document(),
    }),
    route({
      ...common,
      url: '/docs',
      summary: 'This interface as a page for people.',
      produces: 'text/html; charset=utf-8',
      handle: async ({ reply }) => {
        reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
        return docsPage(document() as OpenApi);
      },
    }),
  ];
}
