/** Datasets by the names that users give them. */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { didYouMean } from '../base/near.js';
import type { Dataset, PoolRequest, PoolSet, SampleRequest, Source } from '../samples/dataset.js';
import type { OpenOptions } from './options.js';

/** Loads a data set's reader and nothing else: Parquet and its compressions alone take longer to load than the rest of a small command. */
type Open = (options: OpenOptions) => Promise<Source>;

/** The data sets that have a name of their own: built in, or on the hub. */
const NAMED = new Map<string, Open>([
  ['adworld', async (options) => (await import('./adworld.js')).adworldSource(options)],
  ['ms-marco', async (options) => (await import('./ms-marco.js')).msMarcoSource('v1.1', options)],
  ['ms-marco@v1.1', async (options) => (await import('./ms-marco.js')).msMarcoSource('v1.1', options)],
  ['ms-marco@v2.1', async (options) => (await import('./ms-marco.js')).msMarcoSource('v2.1', options)],
  ['esci', async (options) => (await import('./esci.js')).esciSource(options)],
  ['wands', async (options) => (await import('./wands.js')).wandsSource(options)],
  ['neural-bridge', async (options) => (await import('./neural-bridge.js')).neuralBridgeSource(options)],
]);

/** The forms of users' files that are named with them, such as `beir:FOLDER`. */
const FORMS = new Map<string, (place: string) => Open>([
  ['wands', (place) => async (options) => (await import('./wands.js')).wandsSource(options, place)],
  ['hetpqa', (place) => async (options) => (await import('./hetpqa.js')).hetpqaSource(place, options)],
  ['beir', (place) => async (options) => (await import('./beir.js')).beirSource(place, options)],
]);

/** The name of a file in SQuAD's form. */
const SQUAD = /\.json(\.gz)?$/;

export const DATASETS = [
  // ms-marco is v1.1.
  ...[...NAMED.keys()].filter((name) => name !== 'ms-marco@v1.1'),
  ...[...FORMS.keys()].map((form) => `${form}:FOLDER`),
  'a file in SQuAD form (.json), or a table (.jsonl, .csv, .tsv, .parquet, https://..., hf://datasets/...)',
].join(', ');

/**
 * Makes a data set's name mean the same elsewhere: a file or folder that is looked for from `folder` gets its absolute path, any other name stays
 * as it is.
 */
export async function datasetFrom(name: string, folder: string): Promise<string> {
  const [, form = '', place = ''] = /^([a-z]+):(.+)$/.exec(name) ?? [];
  if (FORMS.has(form)) return `${form}:${path.resolve(folder, place)}`;
  const { isAddress, isTable } = await import('./table.js');
  const isFile = !isAddress(name) && (isTable(name) || SQUAD.test(name));
  return isFile ? path.resolve(folder, name) : name;
}

/** @throws DkvError INPUT_INVALID */
async function openSource(name: string, others: readonly string[], options: OpenOptions): Promise<Source> {
  await expectUsed(name, options);
  if (others.length > 0) await expectOwnColumns(name, others);
  const [, form = '', place = ''] = /^([a-z]+):(.+)$/.exec(name) ?? [];
  const open = NAMED.get(name) ?? FORMS.get(form)?.(place);
  if (open) return open(options);
  if ((await import('./table.js')).isTable(name)) return (await import('./mapped.js')).mappedSource(name, options);
  if (SQUAD.test(name)) return (await import('./squad.js')).squadSource(name);
  throw new DkvError(
    'INPUT_INVALID',
    `There is no dataset "${name}".${didYouMean(name, NAMED.keys())} Expected ${DATASETS}.`,
  );
}

/**
 * Refuses a column, a revision or a separator that nothing would read, since the user would believe that it was read.
 * @throws DkvError INPUT_INVALID
 */
async function expectUsed(name: string, { columns = {}, revision, ...form }: OpenOptions): Promise<void> {
  const refused = (what: string) => new DkvError('INPUT_INVALID', `${name}: ${what}. Leave it out.`);
  if (Object.keys(columns).length > 0 && !(await import('./table.js')).isTable(name)) {
    throw refused('columns can be named of a table of your own only, .jsonl, .csv, .tsv or .parquet');
  }
  const isOnHub = (NAMED.has(name) && name !== 'adworld') || name.startsWith('hf://');
  if (revision !== undefined && !isOnHub) throw refused('a revision is of a dataset on the hub, which this is not');
  const { separator, quoting, header } = form;
  if ((separator ?? quoting ?? header) !== undefined && NAMED.has(name)) {
    throw refused('separator, quoting and header are for .csv and .tsv files of your own');
  }
}

/** @throws DkvError INPUT_INVALID */
async function expectOwnColumns(name: string, [column]: readonly string[]): Promise<void> {
  if ((await import('./table.js')).isTable(name)) return;
  throw new DkvError(
    'INPUT_INVALID',
    `${name} has no column ${JSON.stringify(column)} for the surrogate column:${column}, which is of a table of your own, .jsonl, .csv, .tsv or .parquet.`,
  );
}

/** @throws DkvError INPUT_INVALID, also for a dataset without samples; of the hub's HUB_NOT_FOUND, HUB_DENIED, HUB_OFFLINE, HUB_UNREACHABLE, DISK_FULL, CANCELLED */
export async function openDataset(name: string, request: SampleRequest, options: OpenOptions = {}): Promise<Dataset> {
  const source = await openSource(name, request.columns ?? [], options);
  if (source.samples) return source.samples(request);
  throw new DkvError('INPUT_INVALID', `${name} has no documents with questions and answers: ${source.about}.`);
}

/** @throws DkvError as `openDataset`, also for a dataset without pools */
export async function openPools(name: string, request: PoolRequest, options: OpenOptions = {}): Promise<PoolSet> {
  const source = await openSource(name, request.columns ?? [], options);
  if (source.pools) return source.pools(request);
  throw new DkvError('INPUT_INVALID', `${name} has no candidates to rank: ${source.about}.`);
}
