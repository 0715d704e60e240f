/** `/v1/documents`: what is put there, and what is told of it. */
import { z } from 'zod';
import { STATES_PRECISIONS } from '../../store/store.js';
import { wireObject } from '../case.js';
import { countSchema } from '../numbers.js';
import { provenanceSchema } from '../primed.js';
import { documentIdSchema, errorBodySchema, textSchema } from './common.js';

/** The levels of lists and objects that fields may have. */
const MOST_LEVELS = 32;

const fieldsSchema = z
  .custom<z.core.util.JSONType>((value) => isShallow(value), {
    error: `expected an object of at most ${MOST_LEVELS} levels without a member "__proto__"`,
  })
  .pipe(z.record(z.string(), z.json()))
  .describe('Anything that is kept with the document and comes back with it.');

const versionSchema = z.int().nonnegative().max(Number.MAX_SAFE_INTEGER);

const contentShape = {
  text: textSchema
    .refine((text) => text.trim() !== '', { error: 'expected text' })
    .describe('The document, as the encoder reads it.'),
  title: textSchema.optional().describe('Its title, which surrogates may use. It is kept among the fields.'),
  fields: fieldsSchema.optional(),
  sourceVersion: versionSchema
    .optional()
    .describe(
      'The document’s version where it comes from, a whole number. An older one, or other content under the same one, is 409.',
    ),
  validUntil: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Until when the document is served: a time of ISO 8601 with its zone.'),
};

export const documentParamsSchema = z.object({ id: documentIdSchema });

export const putDocumentSchema = wireObject(contentShape);
export type DocumentContent = z.output<typeof putDocumentSchema>;

/** One line of `POST /v1/documents`. */
export const documentLineSchema = wireObject({ id: documentIdSchema, ...contentShape });

const statusSchema = z
  .enum(['primed', 'unchanged'])
  .describe('`primed`: it is in the store now. `unchanged`: the store had it so already.');

export const documentPutSchema = wireObject({
  id: z.string().describe('The document’s id.'),
  status: statusSchema,
});

export const documentResultSchema = z.union([
  wireObject({
    line: z.int().positive().describe('The line, counted from 1; empty lines count and have no result.'),
    id: z.string().optional().describe('The document’s id, where the line has one.'),
    error: errorBodySchema.in.shape.error.describe('Why the line was not primed.'),
  }),
  wireObject({
    line: z.int().positive().describe('The line, counted from 1; empty lines count and have no result.'),
    id: z.string().describe('The document’s id.'),
    status: statusSchema,
  }),
]);

export const documentSchema = wireObject({
  id: z.string().describe('The document’s id.'),
  variants: z
    .record(
      z.string(),
      wireObject({
        key: z.string().describe('The key of the record that holds the states.'),
        rows: countSchema
          .nullable()
          .describe('Rows of states that the decoder reads; null where the record cannot be read.'),
        precision: z.enum(STATES_PRECISIONS).nullable().describe('Precision of the states.'),
        error: errorBodySchema.in.shape.error.optional().describe('Why the record cannot be read.'),
      }),
    )
    .describe('What the document is primed as, by name.'),
  fields: z.record(z.string(), z.json()).describe('What was kept with it, its title among them.'),
  sourceVersion: versionSchema.nullable().describe('Its version where it comes from; null without one.'),
  validUntil: z.string().nullable().describe('Until when it is served; null: for ever.'),
  text: z.string().nullable().describe('Its text; null where texts are not kept.'),
  primed: provenanceSchema.nullable().describe('What the documents of the store were primed with.'),
});

export const deleteQuerySchema = z.strictObject({
  source_version: z
    .string()
    .regex(/^\d{1,16}$/, { error: 'expected a whole number' })
    .transform(Number)
    .pipe(versionSchema)
    .optional()
    .describe(
      'The version that was deleted where the document comes from. A document that is there in a later one stays: 409.',
    ),
  reason: textSchema.max(1000).optional().describe('Why, for the record of a catalogue.'),
});

export const documentDeletedSchema = wireObject({
  id: z.string().describe('The document’s id.'),
  status: z
    .enum(['deleted', 'absent', 'taken_down'])
    .describe(
      '`deleted`: it is in no tier any more. `absent`: no tier had it. `taken_down`: no generation of the catalogue serves it any more.',
    ),
});

/** Tells whether a value has few levels. It walks without recursion, since the value may be anything. */
function isShallow(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) return false;
    const objects = level.filter((one): one is object => typeof one === 'object' && one !== null);
    if (objects.some((one) => Object.hasOwn(one, '__proto__'))) return false;
    level = objects.flatMap((one) => Object.values(one));
  }
  return true;
}
