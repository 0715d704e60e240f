/** `dkv store takedown | takedowns | audit`: documents that are not served any more, and what was done to a catalogue. */
import type { Command } from 'commander';
import { DkvError } from '../base/errors.js';
import { textLines } from '../base/text-input.js';
import type { Catalogue } from '../store/generations/catalogue-store.js';
import {
  storeAuditLineSchema,
  storeLiftSchema,
  storeTakedownSchema,
  storeTakedownsSchema,
} from '../wire/generations.js';
import { openInput } from './input.js';
import { printJson } from './json.js';
import { withCatalogue } from './open-stores.js';
import { manyOf, shownCount } from './quantities.js';
import { addCatalogueCommand } from './store-generations.js';

interface TakedownOptions {
  readonly reason?: string;
  readonly file?: string;
  readonly lift: boolean;
  readonly json: boolean;
}

export function addTakedownCommands(store: Command): void {
  addCatalogueCommand(
    store,
    'takedown <catalogue> [ids...]',
    'Take documents down: from now on no generation of the catalogue serves them, old, present or to come.',
    "  dkv store takedown ads-catalogue ad-17 --reason 'withdrawn by the advertiser'\n  dkv store takedown ads-catalogue --file withdrawn.txt\n  dkv store takedown ads-catalogue ad-17 --lift --reason 'a mistake'",
  )
    .option('--reason <text>', 'why, for the list and the audit')
    .option('--file <ids>', 'ids, one a line; - for standard input')
    .option('--lift', 'let documents be served again that were taken down', false)
    .action(takeDown);
  addCatalogueCommand(
    store,
    'takedowns <catalogue>',
    'List what is taken down: hidden, or erased once compact and collect have removed its bytes.',
    '  dkv store takedowns ads-catalogue',
  ).action(listTakedowns);
  addCatalogueCommand(
    store,
    'audit <catalogue>',
    'What was done to a catalogue, when, where and why, the earliest first.',
    '  dkv store audit ads-catalogue',
  ).action(audit);
}

async function takeDown(place: string, named: readonly string[], options: TakedownOptions): Promise<void> {
  const ids = options.file === undefined ? named : [...named, ...(await linesOf(options.file))];
  if (ids.length === 0)
    throw new DkvError('INPUT_INVALID', 'No document is named. Name ids, or a file of them with --file.');
  await withCatalogue(place, (catalogue) =>
    options.lift ? lift(catalogue, ids, options) : hide(catalogue, ids, options),
  );
}

async function hide(catalogue: Catalogue, ids: readonly string[], options: TakedownOptions): Promise<void> {
  const documents = await catalogue.takeDown(ids, options.reason);
  if (options.json) {
    return printJson(storeTakedownSchema, {
      catalogue: catalogue.location,
      documents: documents.map(({ id, status, at, isNew, generations = null }) => ({
        id,
        status,
        at: new Date(at).toISOString(),
        new: isNew,
        generations,
      })),
    });
  }
  for (const { id, status, at, isNew, generations } of documents) {
    const since = isNew ? 'taken down' : `was taken down before (${new Date(at).toISOString()}, ${status})`;
    process.stdout.write(`${id}: ${since}; ${held(generations)}.\n`);
  }
  const fresh = documents.filter(({ isNew }) => isNew).length;
  process.stdout.write(
    `${manyOf(fresh, 'document')} taken down. What generations have of them stays in shards until dkv store compact and dkv store collect.\n`,
  );
}

function held(generations: number | undefined): string {
  if (generations === undefined) return 'which generations have it cannot be told, since one of them cannot be read';
  if (generations === 0) return 'no generation has it, and none to come will serve it';
  return `hidden in ${manyOf(generations, 'generation')}`;
}

async function lift(catalogue: Catalogue, ids: readonly string[], options: TakedownOptions): Promise<void> {
  const documents = await catalogue.lift(ids, options.reason);
  if (options.json) {
    return printJson(storeLiftSchema, {
      catalogue: catalogue.location,
      documents: documents.map(({ id, before = null }) => ({ id, before })),
    });
  }
  const words = {
    hidden: 'is served again where a generation has it',
    erased: 'may be served again: pack it, since its bytes are gone',
    none: 'was not taken down',
  };
  for (const { id, before = 'none' } of documents) process.stdout.write(`${id}: ${words[before]}.\n`);
}

async function listTakedowns(place: string, { json }: { readonly json: boolean }): Promise<void> {
  await withCatalogue(place, async (catalogue) => {
    const found = await catalogue.takedowns();
    const documents = found.map(({ id, status, at, reason }) => ({
      id,
      status: status === 'erased' ? ('erased' as const) : ('hidden' as const),
      at: new Date(at).toISOString(),
      reason,
    }));
    if (json) return printJson(storeTakedownsSchema, { catalogue: catalogue.location, documents });
    for (const { id, status, at, reason } of documents) {
      process.stdout.write(`${at}  ${status}  ${id}${reason === null ? '' : `  ${reason}`}\n`);
    }
    const erased = documents.filter(({ status }) => status === 'erased').length;
    process.stdout.write(
      `${manyOf(documents.length, 'document')} taken down: ${shownCount(documents.length - erased)} hidden, ${shownCount(erased)} erased.\n`,
    );
  });
}

async function audit(place: string, { json }: { readonly json: boolean }): Promise<void> {
  await withCatalogue(place, async (catalogue) => {
    for await (const { at, host, action, subject, reason } of catalogue.audit()) {
      const time = new Date(at).toISOString();
      if (json) printJson(storeAuditLineSchema, { at: time, host, action, subject, reason });
      else {
        const why = reason === null ? '' : `  ${reason}`;
        process.stdout.write(`${time}  ${host}  ${action.padEnd(8)}  ${subject}${why}\n`);
      }
    }
  });
}

/** @throws DkvError INPUT_INVALID */
async function linesOf(file: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { content } of textLines(await openInput(file, file), file)) {
    if (content instanceof DkvError) throw content;
    const id = content.replace(/\r$/, '');
    if (id !== '') lines.push(id);
  }
  return lines;
}
