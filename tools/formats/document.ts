/** docs/formats.md, made of the schemas. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { tryParse } from '../../src/base/parse.js';
import { CHAPTERS, type Format } from './formats.js';
import { type Described, describeJson, describeSchema, markdownTable, type Row } from './table.js';

const EXAMPLES = path.join(import.meta.dirname, 'examples');

const HEAD = `# Formats

This page has every JSON that commands read and print, and that runs, stores and servers keep. It is made from the schemas in \`src/wire\`, \`src/runs/schema\`, \`src/store/records\`,
\`src/store/generations\`, \`src/serving\` and \`src/server\` by \`npm run formats\` and not written by hand. A \`?\` behind a field means that it may be left out; \`[]\` stands for each entry of a list, and \`*\` for each name.
Lists in examples are cut short.

A *fingerprint* is the SHA-256 of everything that decides a model's numbers (weights, tokenizer, precision, and how they are computed): equal fingerprints
mean equal numbers, and a store or a run is refused to a model with another fingerprint.`;

/** @throws Error for an example that is not of its format, and for a field that nobody explained */
export function formatsMarkdown(): string {
  const parts = new Map<string, string>();
  const chapters = CHAPTERS.map(({ title, text, formats }) => {
    const sections = formats.map((format) => section(format, parts));
    return [`## ${title}`, text, ...sections].join('\n\n');
  });
  const shared = [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, table]) => `### ${id}\n\n${table}`);
  return `${[HEAD, ...chapters, '## Parts of several formats', ...shared].join('\n\n')}\n`;
}

/** What every file of a run ends with; its reader takes it off before the schema is asked. */
const CHECKSUM: Row = {
  field: 'crc32?',
  type: 'text',
  meaning:
    'Last: CRC-32 of all bytes before the comma in front of it, in eight lower-case hexadecimal digits; absent in files of 0.1.0. See [architecture.md](architecture.md#formats).',
};

function section({ title, source, schema, example, isSealed }: Format, parts: Map<string, string>): string {
  const value: unknown = JSON.parse(readFileSync(path.join(EXAMPLES, `${example}.json`), 'utf8'));
  const parsed = tryParse(schema, value);
  if (!parsed.success) throw new Error(`The example of "${title}" is not of its format: ${parsed.problem}.`);
  const { part, parts: ownParts, tables } = describeSchema(schema);
  for (const [id, json] of ownParts) {
    // JSON of any kind has no table.
    if (id.startsWith('__')) continue;
    const table = tableOf(`part ${id}`, describeJson(json));
    if ((parts.get(id) ?? table) !== table) throw new Error(`Two parts are called "${id}".`);
    parts.set(id, table);
  }
  const sealed = isSealed ? tables.map((rows) => [...rows, CHECKSUM]) : tables;
  const table = part === undefined ? tableOf(title, { tables: sealed }) : `Its fields: [${part}](#${part}).`;
  return [`### ${title}`, source, `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``, table].join('\n\n');
}

function tableOf(title: string, { tables }: Pick<Described, 'tables'>): string {
  const unexplained = tables.flat().filter(({ meaning }) => meaning === '');
  if (unexplained.length > 0) {
    throw new Error(`${title}: nobody says what ${unexplained.map(({ field }) => field).join(', ')} means.`);
  }
  return tables.map(markdownTable).join('\n\nor\n\n');
}
