import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { formatsMarkdown } from '../../tools/formats/document.js';
import { CHAPTERS } from '../../tools/formats/formats.js';
import { settingsMarkdown } from '../../tools/formats/settings.js';
import { describeJson } from '../../tools/formats/table.js';

describe('docs/formats.md', () => {
  it('is what the schemas say (npm run formats)', () => {
    const file = path.resolve(import.meta.dirname, '../../docs/formats.md');
    expect(readFileSync(file, 'utf8')).toBe(formatsMarkdown());
  });

  it('has every schema of the wire that is an object of its own', async () => {
    const folder = path.resolve(import.meta.dirname, '../../src/wire');
    const documented = new Set<unknown>(CHAPTERS.flatMap(({ formats }) => formats.map(({ schema }) => schema)));
    const missing: string[] = [];
    // Bodies of requests and answers stand in the server's own description of itself.
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
      const exported: Record<string, unknown> = await import(path.join(folder, file));
      for (const [name, value] of Object.entries(exported)) {
        if (value instanceof z.ZodType && !documented.has(value)) missing.push(name);
      }
    }
    // Parts of others.
    expect(missing.sort()).toEqual([
      'countSchema',
      'estimateSchema',
      'float32Schema',
      'gainSchema',
      'keyIdSchema',
      'keyLimitsSchema',
      'keyScopeSchema',
      'keyTenantSchema',
      'measuredSchema',
      'objectiveSchema',
      'provenanceSchema',
      'ratioSchema',
      'scoredSchema',
    ]);
  });

  it('says of an object of several forms which fields stand instead of which', () => {
    const words = z.object({ kind: z.string().describe('What.'), words: z.number().describe('Words.') });
    const tokens = z.object({ kind: z.string().describe('What.'), tokens: z.number().describe('Tokens.') });
    const schema = z.object({ cut: z.union([words, tokens]).describe('Where.') });
    const [rows] = describeJson(z.toJSONSchema(schema) as never).tables;
    expect(rows!.map(({ field, meaning }) => [field, meaning])).toEqual([
      ['cut', 'Where.'],
      ['cut.kind', 'What.'],
      ['cut.words?', 'Words. Either this or `tokens`.'],
      ['cut.kind', 'What.'],
      ['cut.tokens?', 'Tokens. Either this or `words`.'],
    ]);
  });

  it('names fields by the way to them', () => {
    const inner = z.object({ value: z.number().nullable().describe('A number.') });
    const schema = z.object({
      list: z.array(inner).describe('Many.'),
      byName: z.record(z.string(), inner).optional().describe('Some.'),
    });
    expect(describeJson(z.toJSONSchema(schema) as never).tables).toEqual([
      [
        { field: 'list', type: 'list of objects', meaning: 'Many.' },
        { field: 'list[].value', type: 'number or null', meaning: 'A number.' },
        { field: 'byName?', type: 'object, by name: object', meaning: 'Some.' },
        { field: 'byName.*.value', type: 'number or null', meaning: 'A number.' },
      ],
    ]);
  });
});

describe('docs/serving.md', () => {
  const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/serving.md'), 'utf8');

  it('has the settings that the schema has, with their defaults (npm run formats)', () => {
    const table = settingsMarkdown();
    expect(page).toContain(`<!-- settings -->\n\n${table}\n\n<!-- end of settings -->`);
    expect(table).toContain('| `store` | text or list of texts | must be there |');
    expect(table).toContain('| `listen.port` | whole number | `8080` |');
    expect(table).not.toContain('| `listen` |');
  });
});
