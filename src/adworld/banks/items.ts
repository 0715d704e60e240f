/** What is offered, by category (data/adworld/items): nouns with what the facts of each can be. */
import { z } from 'zod';
import { type BankPlace, readBank } from './bank.js';

/** A range such as "10 to 20". */
const range = z
  .string()
  .regex(/^\d+ to \d+$/, { error: 'expected a range such as 10 to 20' })
  .transform((text) => text.split(' to ').map(Number) as [number, number]);
const list = z.string().transform((text) => text.split(', '));

const fieldsSchema = z.strictObject({
  price: range,
  /** Nouns of things bought or done together with this one. */
  complements: list.optional(),
  grams: range.optional(),
  /** Ranges of width, depth and height, with an x between them. */
  centimeters: z
    .string()
    .transform((text) => text.split(' x '))
    .pipe(z.array(range))
    .optional(),
  materials: list.optional(),
  /** What may be included, each with its article. */
  parts: list.optional(),
  /** The people it may be meant for. */
  users: list.optional(),
  /** Specialties, features, dishes, depending on the category. */
  offers: list.optional(),
  /** The amount that it holds or carries, in `unit`. */
  amount: range.optional(),
  unit: z.string().optional(),
  watts: range.optional(),
});

/** One thing of a category; what the fields mean to the facts is the category's business. */
export type Item = Readonly<z.infer<typeof fieldsSchema>> & { readonly noun: string };

/** Entries such as `price: 29 to 240`. */
const namedSchema = z.array(z.string()).transform((entries, context) => {
  const fields = new Map<string, string>();
  for (const [at, entry] of entries.entries()) {
    const [, name = '', value = ''] = /^(\w+): (.+)$/.exec(entry) ?? [];
    const wrong = (message: string) => context.addIssue({ code: 'custom', path: [at], message });
    if (name === '') wrong('expected a field and its value, such as price: 10 to 20');
    else if (fields.has(name)) wrong(`the field ${name} stands there twice`);
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
});

/** The section whose fields hold for all items of the category that have no such field of their own. */
const EVERY = 'every item';

/** A heading may name several items that have the same fields: `comedy night, puppet show`. */
const categorySchema = z
  .record(z.string(), namedSchema)
  .transform(({ [EVERY]: shared, ...items }) => {
    const whole = Object.entries(items).map(([heading, own]) => [heading, { ...shared, ...own }]);
    return Object.fromEntries(whole) as Record<string, z.input<typeof fieldsSchema>>;
  })
  .pipe(z.record(z.string(), fieldsSchema))
  .transform((items) =>
    Object.entries(items).flatMap(([heading, fields]) =>
      heading.split(', ').map((noun): Item => ({ noun, ...fields })),
    ),
  );

/** @throws DkvError as `readBank`, also when the file's categories are not those that are named */
export function readItems(
  file: string,
  categories: readonly string[],
  place?: BankPlace,
): Readonly<Record<string, readonly Item[]>> {
  return readBank(`items/${file}`, z.record(z.enum(categories), categorySchema), place);
}
