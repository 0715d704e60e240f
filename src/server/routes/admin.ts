/** `GET /admin/aliases` and `POST /admin/aliases/{name}`: which generation is served, changed while it is. */
import { DkvError } from '../../base/errors.js';
import { activationRequestSchema, activationSchema, aliasesSchema, aliasParamsSchema } from '../../wire/http/admin.js';
import type { Parts } from '../parts.js';
import { type Route, route } from '../route.js';

export function adminRoutes({ activation, shelf }: Parts): readonly Route[] {
  const common = { scope: 'admin', tag: 'administration' } as const;
  return [
    route({
      ...common,
      method: 'GET',
      url: '/admin/aliases',
      summary: 'The generations of the catalogue, the aliases that name them, and what is served.',
      answer: aliasesSchema,
      handle: async () => {
        const { generations, aliases } = await activation.listing();
        return {
          servedAlias: activation.servedAlias ?? null,
          servedGeneration: shelf.current.generation?.id ?? null,
          problem: activation.problem ?? null,
          aliases: [...aliases].map(([name, { generation, since, earlier }]) => ({
            name,
            generation,
            since: new Date(since).toISOString(),
            earlier: earlier.map((own) => own.generation),
          })),
          generations: generations
            .filter(({ isDraft }) => !isDraft)
            .map(({ id, manifest }) => ({
              id,
              documents: manifest?.documents ?? null,
              model: manifest?.model.name ?? null,
              fingerprint: manifest?.model.fingerprint ?? null,
            })),
        };
      },
    }),
    route({
      ...common,
      method: 'POST',
      url: '/admin/aliases/:name',
      summary: 'Serve another generation, or the one before: requests that are under way end on theirs.',
      body: activationRequestSchema,
      params: aliasParamsSchema,
      answer: activationSchema,
      handle: async ({ body, params: { name: alias } }) => {
        const { generation, rollback, reason, model } = body;
        if ((generation === undefined) === (rollback === undefined)) {
          throw new DkvError('INPUT_INVALID', 'The body: expected exactly one of generation and rollback.');
        }
        const { before, since, ...changed } = await activation.activate({ alias, generation, reason, model });
        return {
          ...changed,
          before: before ?? null,
          since: new Date(since).toISOString(),
          served: alias === activation.servedAlias,
        };
      },
    }),
  ];
}
