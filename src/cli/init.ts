/** `dkv init`: a folder to begin with, a study or serving from a store, from four answers: by options, and on a terminal by questions. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command, Option } from 'commander';
import type { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { makeFolder, publish } from '../base/files.js';
import { printable } from '../base/printable.js';
import { type Columns, ROLES, type Role } from '../datasets/options.js';
import type { Table } from '../datasets/table.js';
import { initSchema } from '../wire/init.js';
import type { InitialFolder, KnownQuery } from './init-folder.js';
import { printJson } from './json.js';
import { addTableOptions, type TableOptions, textForm } from './table-options.js';
import { paint, sayNotice } from './terminal.js';

type Made = z.output<typeof initSchema>;

const PURPOSES = ['study', 'serving'] as const;
type Purpose = (typeof PURPOSES)[number];

interface InitOptions extends TableOptions {
  readonly for?: Purpose;
  readonly data?: string;
  readonly columns: readonly string[];
  readonly model?: string;
  readonly compare?: string;
  readonly store?: string;
  readonly json?: boolean;
}

/** Puts a question with a suggestion; the answer is never empty unless the suggestion is. */
type Ask = (question: string, suggestion: string) => Promise<string>;

export function initCommand(): Command {
  const command = new Command('init')
    .description('Begin with your own data: writes a study, or a folder to serve from.')
    .argument('[folder]', 'a new folder (default: study, or serving)')
    .addOption(
      new Option('--for <what>', 'study: which surrogates help; serving: prime, rank, evaluate').choices(PURPOSES),
    )
    .option('--data <file>', 'a .csv, .tsv, .jsonl or .parquet file')
    .option(
      '--columns <role=column...>',
      'its columns by role, such as id=sku document=body query=question answer=reply',
      [],
    )
    .option('--model <name>', 'checkpoint folder, organisation/name[@revision] on the hub, or tiny (the default)')
    .option('--compare <list>', 'for a study: surrogates to compare with each document alone, such as doc_kw,template')
    .option('--store <location>', 'for serving: where the primed documents go (default: the new folder)')
    .option('--json', 'for machines; nothing is asked', false);
  return addTableOptions(command)
    .addHelpText(
      'after',
      `
On a terminal it asks for what is not given, elsewhere it says what is missing. It writes into a new folder alone.

Examples:
  dkv init
  dkv init faq --for study --data faq.csv --columns document=text query=question answer=reply --compare doc_kw,template
  dkv init shop --for serving --data products.csv --columns id=sku document=body title=name`,
    )
    .action(async (folder: string | undefined, options: InitOptions) => {
      const asking = process.stdin.isTTY && !options.json ? questions(process.stdin) : undefined;
      try {
        const made = await initFolder(folder, options, asking?.ask);
        if (options.json) printJson(initSchema, made);
        else process.stdout.write(described(made));
      } finally {
        asking?.close();
      }
    });
}

/** Questions on standard error. Lines are read as they come, so that answers that were typed ahead are not lost. */
export function questions(input: NodeJS.ReadableStream): { readonly ask: Ask; close(): void } {
  const lines = createInterface({ input, terminal: false });
  const answers = lines[Symbol.asyncIterator]();
  const ask: Ask = async (question, suggestion) => {
    process.stderr.write(`${paint('bold', question, process.stderr)} [${suggestion}]\n> `);
    const { done, value } = await answers.next();
    if (done) throw new DkvError('CANCELLED', 'The questions were not answered; nothing was written.');
    return value.trim() || suggestion;
  };
  return { ask, close: () => lines.close() };
}

/**
 * Completes the answers and writes the folder.
 * @param ask undefined where nobody can be asked
 * @returns the files that were written and the commands to go on with
 * @throws DkvError INPUT_INVALID for what is missing or wrong, FILES_UNUSABLE; nothing was written then
 */
export async function initFolder(named: string | undefined, options: InitOptions, ask?: Ask): Promise<Made> {
  if (named !== undefined) await expectNew(named);
  if (!ask) expectAnswers(options);
  const purpose = await answered(
    ask,
    'Study or serving?',
    options.for ?? 'study',
    async (text) => {
      const found = PURPOSES.find((each) => each === text);
      if (found) return found;
      throw new DkvError('INPUT_INVALID', `"${text}": study or serving was expected.`);
    },
    options.for !== undefined,
  );
  const folder = named ?? purpose;
  await expectNew(folder);
  const made = await (purpose === 'study' ? initStudy : initServing)(folder, options, ask);
  await makeFolder(folder);
  for (const [name, text] of Object.entries(made.files)) await publish(path.join(folder, name), text);
  const files = Object.keys(made.files).map((name) => path.join(folder, name));
  return { folder, files, commands: made.commands };
}

function described({ files, commands }: Made): string {
  return `Written: ${files.join(', ')}\nGo on with:\n${commands.map((command) => `  ${command}\n`).join('')}`;
}

/** @throws DkvError INPUT_INVALID naming all options that are missing where nobody can be asked */
function expectAnswers(options: InitOptions): void {
  const missing = [
    ...(options.for === undefined ? ['--for study|serving'] : []),
    ...(options.data === undefined ? ['--data FILE'] : []),
  ];
  if (missing.length === 0) return;
  throw new DkvError(
    'INPUT_INVALID',
    `Standard input is no terminal, so nobody can be asked. Missing: ${missing.join(', ')}.`,
  );
}

/** @throws DkvError INPUT_INVALID for a folder that holds something, or a file of that name */
async function expectNew(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const found = await readdir(folder).catch(() => undefined);
  if (found?.length === 0) return;
  const what = found === undefined ? 'is a file' : `is there already and holds ${found.length} files or folders`;
  throw new DkvError('INPUT_INVALID', `${folder} ${what}; nothing is written over. Name a new folder.`);
}

/**
 * An answer that can be used: the option's, or the first one on the terminal that is not refused.
 * @param isGiven the suggestion is the option's own answer, and no question is put
 * @throws what `read` throws where nobody can be asked
 */
async function answered<T>(
  ask: Ask | undefined,
  question: string,
  suggestion: string,
  read: (text: string) => Promise<T>,
  isGiven = false,
): Promise<T> {
  if (!ask || isGiven) return read(suggestion);
  for (;;) {
    try {
      return await read(await ask(question, suggestion));
    } catch (error) {
      if (!(error instanceof DkvError) || error.code !== 'INPUT_INVALID') throw error;
      sayNotice(error.message);
    }
  }
}

async function initStudy(folder: string, options: InitOptions, ask: Ask | undefined): Promise<InitialFolder> {
  const { studyFolder } = await import('./init-folder.js');
  const { specificationsIn } = await import('../serving/variants.js');
  const { surrogate } = await import('../priming/surrogate.js');
  const { columns, ...data } = await askedData(options, ask, ['document', 'query', 'answer']);
  const model = await askedModel(options, ask);
  const compare = await answered(
    ask,
    'Which surrogates are compared with each document alone?',
    options.compare ?? 'doc_kw,template',
    async (text) => {
      const found = specificationsIn([text]);
      found.forEach(surrogate);
      return found;
    },
    options.compare !== undefined,
  );
  return studyFolder({ folder, ...data, columns, model, compare });
}

async function initServing(folder: string, options: InitOptions, ask: Ask | undefined): Promise<InitialFolder> {
  const { servingFolder } = await import('./init-folder.js');
  const { table, ...data } = await askedData(options, ask, ['id', 'document']);
  const model = await askedModel(options, ask);
  const store = await answered(
    ask,
    'Where are the primed documents to be stored?',
    options.store ?? path.join(folder, 'store'),
    async (text) => text,
    options.store !== undefined,
  );
  const { query } = data.columns;
  const queries = await firstQueries(table, data.columns);
  return servingFolder({ folder, ...data, model, store, queries, hasQueries: query !== undefined });
}

/** Names that columns often have, beside the roles' own. */
const USUAL: Readonly<Partial<Record<Role, readonly string[]>>> = {
  id: ['_id', 'sku'],
  document: ['text', 'body', 'passage', 'context'],
  query: ['question', 'search'],
  answer: ['reply', 'response'],
  title: ['name'],
};

async function askedData(options: InitOptions, ask: Ask | undefined, needed: readonly Role[]) {
  const { openTable } = await import('../datasets/table.js');
  const { parseColumns, resolveColumns } = await import('../datasets/mapped.js');
  const form = textForm(options);
  const { table, place } = await answered(
    ask,
    'Your data: a .csv, .tsv, .jsonl or .parquet file',
    options.data ?? '',
    async (place) => {
      if (place.trim() !== '') return { table: await openTable(place, form), place };
      throw new DkvError('INPUT_INVALID', 'No file was named. Expected a .csv, .tsv, .jsonl or .parquet file.');
    },
    options.data !== undefined,
  );
  if (ask) for (const line of await firstRow(table)) sayNotice(line);
  const guessed = ROLES.flatMap((role) => {
    const column = [role, ...(USUAL[role] ?? [])].find((name) => table.columns.includes(name));
    return column === undefined ? [] : [`${role}=${column}`];
  });
  const columns = await answered(
    ask,
    `Which column is what? Needed: ${needed.join(', ')}`,
    (options.columns.length > 0 ? options.columns : guessed).join(' '),
    async (text) => resolveColumns(table, parseColumns(words(text)), needed),
    options.columns.length > 0,
  );
  return { table, data: place, form, columns };
}

function words(text: string): string[] {
  return text.split(/\s+(?=[a-z]+=)/).filter((word) => word !== '');
}

/** The columns of a table with what its first row has in them, shortened. */
async function firstRow(table: Table): Promise<string[]> {
  for await (const [, row] of table.rows(table.columns)) {
    const width = Math.max(...table.columns.map((name) => name.length));
    return table.columns.map((name) => {
      const value = row[name];
      const text = printable((typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).replace(/\s+/g, ' '));
      return `  ${name.padEnd(width)}  ${text.length > 70 ? `${text.slice(0, 70)}...` : text}`;
    });
  }
  throw new DkvError('INPUT_INVALID', `${table.name}: there are no rows in it.`);
}

/** @returns an absolute path, a name on the hub, or undefined for the built-in model */
async function askedModel(options: InitOptions, ask: Ask | undefined): Promise<string | undefined> {
  const { BUILT_IN_MODEL, findModel, modelFrom } = await import('../scoring/load-model.js');
  const { parseModelReference } = await import('../scoring/pull-model.js');
  return answered(
    ask,
    'Model: a folder, a name on the hub, or tiny, the built-in one',
    options.model ?? 'tiny',
    async (text) => {
      const model = modelFrom(text, '.');
      if (parseModelReference(model) && !path.isAbsolute(model)) return model;
      if (path.isAbsolute(model) && !existsSync(model)) {
        throw new DkvError('INPUT_INVALID', `${text}: no such folder, and no name on the hub (organisation/name).`);
      }
      const { directory } = await findModel(model);
      return directory === BUILT_IN_MODEL ? undefined : directory;
    },
    options.model !== undefined,
  );
}

/** The rows that are looked through for queries, and the queries that are made of documents where there are none. */
const [QUERY_ROWS, MADE_QUERIES, MADE_WORDS] = [100, 5, 6];

async function firstQueries(table: Table, columns: Columns): Promise<KnownQuery[]> {
  const { idOf, textOf, topColumn, valueAt } = await import('../datasets/values.js');
  const names = Object.values(columns).flatMap((column) => topColumn(table.columns, column) ?? []);
  const queries = new Map<string, string[]>();
  const { id = 'id', document = 'document', query } = columns;
  let read = 0;
  for await (const [, row] of table.rows(names)) {
    if (read++ >= (query === undefined ? MADE_QUERIES : QUERY_ROWS)) break;
    const own = idOf(valueAt(row, id), id);
    const text = textOf(valueAt(row, document), document, 'document');
    const asked =
      query === undefined
        ? text.trim().split(/\s+/).slice(0, MADE_WORDS).join(' ')
        : textOf(valueAt(row, query), query, 'query').trim();
    if (asked === '' || own === '' || /\s/.test(own)) continue;
    queries.set(asked, [...new Set([...(queries.get(asked) ?? []), own])]);
  }
  return [...queries].map(([text, documents]) => ({ text, documents }));
}
