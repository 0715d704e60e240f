/** What commands of catalogues say of an alias, and the alias that an option names. */
import type { Activated } from '../store/generations/catalogue-options.js';
import type { Catalogue } from '../store/generations/catalogue-store.js';
import { storeAliasSchema } from '../wire/generations.js';
import { printJson } from './json.js';

/** The alias that is to be activated, which is looked at before anything else is done. @throws DkvError INPUT_INVALID for what is no name */
export async function aliasOf(catalogue: Catalogue, activate: true | string | undefined): Promise<string | undefined> {
  if (activate === undefined) return undefined;
  const alias = activate === true ? 'live' : activate;
  await catalogue.named(alias);
  return alias;
}

export function tellAlias({ location }: Catalogue, activated: Activated, { json }: { readonly json: boolean }): void {
  const { alias, generation, before = null, since } = activated;
  const time = new Date(since).toISOString();
  if (json) printJson(storeAliasSchema, { catalogue: location, alias, generation, before, since: time });
  else sayAlias(activated);
}

export function sayAlias({ alias, generation, before }: Activated): void {
  const was = before === undefined ? 'it is new' : before === generation ? 'as it did before' : `before, ${before}`;
  process.stdout.write(`${alias} names ${generation} now (${was}).\n`);
}
