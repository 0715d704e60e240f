/** `dkv store verify`: reads a store, or a catalogue of generations, whole and names what is damaged. */

import { DkvError } from '../base/errors.js';
import { shellWord } from '../base/shell-word.js';
import { type PackedAddress, parseAddress } from '../store/backends/address.js';
import type { Catalogue } from '../store/generations/catalogue-store.js';
import type { CatalogueVerification, DamagedFile } from '../store/generations/verify.js';
import { catalogueVerificationSchema } from '../wire/generations.js';
import { documentInputSchema } from '../wire/inputs.js';
import { storeVerificationSchema } from '../wire/primed.js';
import { jsonLine, printJson } from './json.js';
import { withCatalogue, withStore } from './open-stores.js';
import { withOutput } from './output.js';
import { manyOf, shownBytes, shownCount } from './quantities.js';
import { interruptSignal, Progress } from './terminal.js';

interface VerifyOptions {
  readonly json: boolean;
  readonly remove: boolean;
  readonly repairFrom?: string;
  readonly documents?: string;
}

export async function verifyStore(location: string, options: VerifyOptions): Promise<void> {
  const address = parseAddress(location);
  if (address.kind === 'packed') return verifyPacked(address, options);
  for (const [name, value] of [
    ['--repair-from', options.repairFrom],
    ['--documents', options.documents],
  ] as const) {
    if (value === undefined) continue;
    throw new DkvError(
      'INPUT_INVALID',
      `${name} is for catalogues of generations, and ${location} is a store: take out what is damaged with --remove, and prime it again.`,
    );
  }
  await withStore(location, { mustExist: true }, async (store) => {
    const { remove, json } = options;
    const { damaged, ...read } = await store.verify({ remove });
    if (damaged.length > 0 && !remove) process.exitCode = 1;
    if (json) {
      const removed = remove ? damaged.length : 0;
      return printJson(storeVerificationSchema, { store: store.location, ...read, damaged, removed });
    }
    for (const { reason } of damaged) process.stdout.write(`${reason}\n`);
    const { records, documents, notes } = read;
    const counts = `${manyOf(records, 'record')}, ${manyOf(documents, 'document')}, ${manyOf(notes, 'note')} read`;
    const taken = remove && damaged.length > 0 ? ': taken out. Prime the same documents again' : '';
    process.stdout.write(`${counts}, ${shownCount(damaged.length)} damaged${taken}.\n`);
  });
}

interface Lost {
  readonly withText: number;
  readonly withoutText: number;
  readonly unknown: number;
}

async function verifyPacked({ place, alias, generation }: PackedAddress, options: VerifyOptions): Promise<void> {
  const where = place.kind === 'folder' ? place.path : place.shown;
  if (options.remove) {
    throw new DkvError(
      'INPUT_INVALID',
      `Nothing is taken out of a generation: leave out --remove, and repair the catalogue from another copy with --repair-from, or roll back (dkv store rollback ${shellWord(where)}).`,
    );
  }
  const which = generation ?? alias;
  await withCatalogue(where, async (catalogue) => {
    const found = await readAll(catalogue, which);
    const repaired: string[] = [];
    const { damaged, ...read } = await repairedWith(catalogue, found, which, options, repaired);
    if (damaged.length > 0) process.exitCode = 1;
    const lost = options.documents === undefined ? null : await writeLost(catalogue, damaged, which, options.documents);
    const stream = options.documents === '-' ? process.stderr : process.stdout;
    if (options.json) {
      const whole = { catalogue: catalogue.location, ...read, damaged, repaired, lost };
      return printJson(catalogueVerificationSchema, whole, stream);
    }
    for (const { reason } of damaged) stream.write(`${reason}\n`);
    stream.write(`${countsOf(read)} read, ${shownCount(damaged.length)} damaged${advice(damaged, options)}.\n`);
    if (lost) stream.write(lostText(lost));
  });
}

async function readAll(catalogue: Catalogue, generation: string | undefined): Promise<CatalogueVerification> {
  const progress = new Progress('reading', 'shards');
  const onProgress = ({ done, of }: { readonly done: number; readonly of: number }) => progress.update(done, of);
  return catalogue.verify({ generation, signal: interruptSignal(), onProgress }).finally(() => progress.end());
}

/** Repairs what can be, says so, and gives what stays. @param repaired takes the names of what was repaired */
async function repairedWith(
  catalogue: Catalogue,
  found: CatalogueVerification,
  which: string | undefined,
  { repairFrom, json }: VerifyOptions,
  repaired: string[],
): Promise<CatalogueVerification> {
  if (repairFrom === undefined || found.damaged.length === 0) return found;
  let left = found;
  await withCatalogue(repairFrom, async (other) => {
    for (;;) {
      const tried = await catalogue.repair(left.damaged, other);
      for (const { name, isRepaired, reason } of tried) {
        if (isRepaired) repaired.push(name);
        if (!json) process.stderr.write(`${isRepaired ? 'repaired' : 'not repaired'}: ${reason}.\n`);
      }
      const done = new Set(tried.filter(({ isRepaired }) => isRepaired).map(({ name }) => name));
      const isNews = left.damaged.some(
        ({ kind, name }) => done.has(name) && (kind === 'generation' || kind === 'draft'),
      );
      left = { ...left, damaged: left.damaged.filter(({ name }) => !done.has(name)) };
      // What a manifest names that has come back was not looked for before.
      if (!isNews) return;
      left = await readAll(catalogue, which);
    }
  });
  return left;
}

/** Writes what `dkv prime --input` reads. */
async function writeLost(
  catalogue: Catalogue,
  damaged: readonly DamagedFile[],
  which: string | undefined,
  file: string,
): Promise<Lost> {
  const counts = { withText: 0, withoutText: 0, unknown: 0 };
  await withOutput(file, '--documents', async (output) => {
    const lost = catalogue.lost(damaged, which, interruptSignal());
    for (;;) {
      const { done, value } = await lost.next();
      if (done) {
        counts.unknown = value;
        return;
      }
      const { id, text, metadata } = value;
      const { fields } = metadata;
      const own = typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? fields : {};
      // Fields of these names would be taken for the id and the text.
      if (text === undefined || ['id', 'text'].some((name) => Object.hasOwn(own, name))) counts.withoutText++;
      else {
        counts.withText++;
        await output.write(jsonLine(documentInputSchema, { id, text, ...own }));
      }
    }
  });
  return counts;
}

function countsOf(read: Omit<CatalogueVerification, 'damaged'>): string {
  const { shards, sizeBytes, generations, drafts, aliases, takedowns, audit } = read;
  return [
    `${manyOf(shards, 'shard')} (${shownBytes(sizeBytes)})`,
    manyOf(generations, 'generation'),
    manyOf(drafts, 'draft'),
    `${shownCount(aliases)} ${aliases === 1 ? 'alias' : 'aliases'}`,
    `${manyOf(takedowns, 'file')} of takedowns`,
    `${manyOf(audit, 'line')} of the audit`,
  ].join(', ');
}

function advice(damaged: readonly DamagedFile[], { repairFrom, documents }: VerifyOptions): string {
  if (damaged.length === 0) return '';
  if (repairFrom === undefined) return '. Repair it from another copy of the catalogue: --repair-from COPY';
  return documents === undefined && damaged.some(({ kind }) => kind === 'shard')
    ? '. Find the documents of damaged shards, to prime them again: --documents FILE'
    : '';
}

function lostText({ withText, withoutText, unknown }: Lost): string {
  if (withText + withoutText + unknown === 0) return 'No document of the generation is lost.\n';
  return `${manyOf(withText, 'document')} written whose records are damaged: prime them into the store that is packed, and pack it with --again FILE. Without a text that could be read: ${shownCount(withoutText)}; of which not even the id can be read: ${shownCount(unknown)} (dkv store pack --base packs all).\n`;
}
