/** `dkv store pack`: from a store to a generation. */
import { DkvError } from '../base/errors.js';
import { shellWord } from '../base/shell-word.js';
import { textLines } from '../base/text-input.js';
import type { PackedInto } from '../store/generations/catalogue-options.js';
import type { Catalogue } from '../store/generations/catalogue-store.js';
import { storePackSchema } from '../wire/generations.js';
import { openInput } from './input.js';
import { printJson } from './json.js';
import { withCatalogue, withStore } from './open-stores.js';
import { manyOf, shownBytes, shownCount } from './quantities.js';
import { aliasOf, sayAlias } from './store-alias.js';
import { interruptSignal, Progress, sayNotice } from './terminal.js';

interface PackCommandOptions {
  readonly json: boolean;
  readonly delta?: true | string;
  readonly base: boolean;
  readonly publish: boolean;
  readonly activate?: true | string;
  readonly shardSize?: number;
  readonly again?: string;
}

export async function pack(location: string, place: string, options: PackCommandOptions): Promise<void> {
  const signal = interruptSignal();
  const again = options.again === undefined ? undefined : await idsIn(options.again);
  await withStore(location, { mustExist: true }, (store) =>
    withCatalogue(
      place,
      async (catalogue) => {
        const alias = await aliasOf(catalogue, options.activate);
        const parent = await parentOf(catalogue, options);
        const progress = new Progress('packing', 'documents');
        let packed: PackedInto;
        try {
          packed = await catalogue.pack(store, {
            parent,
            shardBytes: options.shardSize,
            again,
            signal,
            onProgress: ({ done, of }) => progress.update(done, of),
          });
        } finally {
          progress.end();
        }
        const { generation, isUnchanged, ...counts } = packed;
        const { id, manifest } = generation;
        const isPublished = isUnchanged || options.publish || alias !== undefined;
        if (isPublished && !isUnchanged) await catalogue.publish(id, { signal });
        const activated = alias === undefined ? undefined : await catalogue.activate(id, { alias });
        if (options.json) {
          return printJson(storePackSchema, {
            catalogue: catalogue.location,
            generation: id,
            parent: isUnchanged ? id : manifest.parent,
            changed: !isUnchanged,
            documents: manifest.documents,
            ...counts,
            layers: manifest.layers.length,
            published: isPublished,
            alias: activated?.alias ?? null,
          });
        }
        const { takenDown, incomplete, unchanged, removed, writtenBytes } = counts;
        if (isUnchanged) process.stdout.write(`Nothing differs from ${id}: no generation is made.\n`);
        else {
          const state = isPublished ? 'published' : 'a draft';
          process.stdout.write(
            `${id}, ${state}: ${manyOf(counts.packed, 'document')} packed, ${shownCount(removed)} taken out, ${shownCount(unchanged)} as before; ${shownCount(manifest.documents)} in ${manyOf(manifest.layers.length, 'layer')}, ${shownBytes(writtenBytes)} written.\n`,
          );
        }
        if (takenDown > 0) process.stdout.write(`${manyOf(takenDown, 'document')} not packed: taken down.\n`);
        if (incomplete > 0) {
          process.stdout.write(
            `${manyOf(incomplete, 'document')} left out, their records are gone: prime them again.\n`,
          );
        }
        if (activated) sayAlias(activated);
        else if (!isPublished)
          process.stdout.write(
            `Go on with: dkv store publish ${shellWord(place)}, then dkv store activate ${shellWord(place)}\n`,
          );
      },
      { create: true },
    ),
  );
}

/** What a delta is made to, said to the user; null for a base. */
async function parentOf(catalogue: Catalogue, { delta, base }: PackCommandOptions): Promise<string | null> {
  if (base) {
    sayNotice('A base of all documents, as --base asks.');
    return null;
  }
  if (delta !== undefined) {
    const { id } = await catalogue.find(delta === true ? 'live' : delta);
    sayNotice(`A delta to ${id}, as --delta asks.`);
    return id;
  }
  const live = await catalogue.named();
  sayNotice(
    live
      ? `A delta to ${live.id}, which the alias live names; --base packs all documents.`
      : 'A base of all documents: no alias live names a generation yet.',
  );
  return live?.id ?? null;
}

/** The ids of JSON lines. @throws DkvError INPUT_INVALID */
async function idsIn(file: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { number, content } of textLines(await openInput(file, file), file)) {
    if (content instanceof DkvError) throw content;
    if (content.trim() === '') continue;
    ids.add(idOf(content, `${file}, line ${number}`));
  }
  return ids;
}

function idOf(line: string, where: string): string {
  try {
    const { id, _id = id } = JSON.parse(line) as { readonly id?: unknown; readonly _id?: unknown };
    if (typeof _id === 'string') return _id;
  } catch {
    // Said below.
  }
  throw new DkvError(
    'INPUT_INVALID',
    `${where}: expected a JSON object with an "id", as dkv store verify --documents writes.`,
  );
}
