/** Aliases: names of generations that are being served. A reader sees the old or the new generation, never a part. */
import { z } from 'zod';
import { DkvError } from '../../base/errors.js';
import { writeAudit } from './audit.js';
import { readGeneration } from './catalogue.js';
import { decodeChecked, encodeChecked } from './checked-json.js';
import type { CatalogueFiles } from './files.js';
import type { Takedowns } from './takedowns.js';
import { inTurn } from './turns.js';

export const DEFAULT_ALIAS = 'live';
/** The number of earlier generations that an alias remembers. */
const REMEMBERED = 50;
const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

export const aliasSchema = z.strictObject({
  generation: z.string().describe('The generation that it names.'),
  since: z.int().describe('Since when, in milliseconds since 1970.'),
  takedowns: z
    .int()
    .nonnegative()
    .describe('How many files of takedowns there were then: fewer later means that some are lost.'),
  earlier: z
    .array(
      z.strictObject({
        generation: z.string().describe('The generation.'),
        until: z.int().describe('Until when, in milliseconds since 1970.'),
      }),
    )
    .describe('What it named before, the latest first, and until when.'),
});
export type AliasState = z.infer<typeof aliasSchema>;

/** @throws DkvError INPUT_INVALID */
function aliasName(alias: string): string {
  if (NAME.test(alias)) return `aliases/${alias}.json`;
  throw new DkvError(
    'INPUT_INVALID',
    `${JSON.stringify(alias)} is no name of an alias: expected small letters, digits, "-", "_" and ".", at most 64.`,
  );
}

export async function readAlias(files: CatalogueFiles, alias: string): Promise<AliasState | undefined> {
  return (await versioned(files, alias))?.state;
}

export async function listAliases(files: CatalogueFiles): Promise<ReadonlyMap<string, AliasState>> {
  const aliases = new Map<string, AliasState>();
  for await (const { name } of files.list('aliases/')) {
    if (!name.endsWith('.json')) continue;
    const alias = name.slice(0, -'.json'.length);
    const state = await readAlias(files, alias);
    if (state) aliases.set(alias, state);
  }
  return aliases;
}

/**
 * Lets an alias name a generation.
 * @throws DkvError INPUT_INVALID when there is no such generation, STORE_BUSY
 */
export async function activate(
  files: CatalogueFiles,
  takedowns: Takedowns,
  alias: string,
  id: string,
  reason: string | null = null,
): Promise<AliasState> {
  aliasName(alias);
  return inTurn(files, `activate ${alias}`, async () => {
    const found = await versioned(files, alias);
    const now = Date.now();
    const { generation, earlier = [] } = found?.state ?? {};
    const before = generation === undefined || generation === id ? [] : [{ generation, until: now }];
    const next = await swap(files, takedowns, alias, found?.version, id, [...before, ...earlier]);
    await writeAudit(files, 'activate', `${alias} -> ${id}`, reason);
    return next;
  });
}

/**
 * Lets an alias name the generation that it named before; once more goes one further back.
 * @throws DkvError INPUT_INVALID when there is none, STORE_BUSY
 */
export async function rollBack(
  files: CatalogueFiles,
  takedowns: Takedowns,
  alias: string,
  reason: string | null = null,
): Promise<AliasState> {
  return inTurn(files, `roll back ${alias}`, async () => {
    const found = await versioned(files, alias);
    const [last, ...rest] = found?.state.earlier ?? [];
    if (!found || !last) {
      throw new DkvError('INPUT_INVALID', `${files.location}: alias ${alias} named no other generation before.`);
    }
    const next = await swap(files, takedowns, alias, found.version, last.generation, rest);
    await writeAudit(files, 'rollback', `${alias}: ${found.state.generation} -> ${last.generation}`, reason);
    return next;
  });
}

async function versioned(files: CatalogueFiles, alias: string) {
  const name = aliasName(alias);
  const file = await files.read(name);
  return file && { state: decodeAlias(file.bytes, name), version: file.version };
}

/** @param name the file, for the message @throws DkvError STORE_DAMAGED */
export function decodeAlias(bytes: Buffer, name: string): AliasState {
  return decodeChecked(aliasSchema, bytes, name);
}

/** @param version what the alias's file is now; undefined for none */
async function swap(
  files: CatalogueFiles,
  takedowns: Takedowns,
  alias: string,
  version: string | undefined,
  generation: string,
  earlier: AliasState['earlier'],
): Promise<AliasState> {
  if (!(await readGeneration(files, generation))) {
    throw new DkvError(
      'INPUT_INVALID',
      `${files.location} has no published generation ${generation}. Publish it, or pack it again.`,
    );
  }
  const since = Date.now();
  const state = { generation, since, takedowns: await takedowns.count(), earlier: earlier.slice(0, REMEMBERED) };
  const bytes = encodeChecked(state);
  const name = aliasName(alias);
  const isDone = version === undefined ? await files.create(name, bytes) : await files.replace(name, bytes, version);
  if (isDone) return state;
  throw new DkvError(
    'STORE_BUSY',
    `${files.location}: alias ${alias} was changed by somebody else meanwhile. Look at it and try again.`,
  );
}
