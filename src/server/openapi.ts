/** The OpenAPI document: made of the routes' own schemas by @fastify/swagger. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { z } from 'zod';
import type { Parts } from './parts.js';

export function openApiSchema({ version }: Pick<Parts, 'version'>): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'directed-kvcache',
        version,
        description:
          'Scores, ranks and generates from directed caches: the decoder reads what the encoder has made of documents beforehand.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'A key of `dkv keys create`.' } },
      },
      security: [{ key: [] }],
    },
    transform: ({ schema, url }) => ({ schema: jsonSchemas(schema as Record<string, unknown>), url }) as never,
  };
}

/** A route's schema with the JSON schema of each of zod's. */
function jsonSchemas(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema ?? {}).map(([name, value]) => {
      if (name === 'response') {
        const byStatus = Object.entries(value as Record<string, unknown>);
        return [name, Object.fromEntries(byStatus.map(([status, own]) => [status, jsonSchema(own)]))];
      }
      return [name, jsonSchema(value)];
    }),
  );
}

/** The JSON side of a schema, which of a codec is its input. */
function jsonSchema(value: unknown): unknown {
  if (!(value instanceof z.ZodType)) return value;
  const { $schema: _, ...schema } = z.toJSONSchema(value, {
    io: 'input',
    unrepresentable: 'any',
    target: 'draft-2020-12',
  });
  return schema;
}
