/** Datasets by the names that users give them. */
import { DkvError } from '../base/errors.js';
import { didYouMean } from '../base/near.js';
import type { Dataset, PoolRequest, PoolSet, SampleRequest, Source } from '../samples/dataset.js';
import type { OpenOptions } from './options.js';

export const DATASETS =
  'adworld, ms-marco, ms-marco@v2.1, esci, wands, neural-bridge, wands:FOLDER, hetpqa:FOLDER, beir:FOLDER, a file in SQuAD form (.json), or a table (.jsonl, .csv, .tsv, .parquet, https://..., hf://datasets/...)';

/** Those that are no files of the user's. */
const NAMES = ['adworld', 'ms-marco', 'ms-marco@v1.1', 'ms-marco@v2.1', 'esci', 'wands', 'neural-bridge'];

/**
 * Only the reader that is asked for is loaded: Parquet and its compressions alone take longer than the rest of a small command.
 * @throws DkvError INPUT_INVALID
 */
async function openSource(name: string, options: OpenOptions): Promise<Source> {
  await expectUsed(name, options);
  switch (name) {
    case 'adworld':
      return (await import('./adworld.js')).adworldSource(options);
    case 'ms-marco':
    case 'ms-marco@v1.1':
      return (await import('./ms-marco.js')).msMarcoSource('v1.1', options);
    case 'ms-marco@v2.1':
      return (await import('./ms-marco.js')).msMarcoSource('v2.1', options);
    case 'esci':
      return (await import('./esci.js')).esciSource(options);
    case 'wands':
      return (await import('./wands.js')).wandsSource(options);
    case 'neural-bridge':
      return (await import('./neural-bridge.js')).neuralBridgeSource(options);
  }
  const [, form, place] = /^(wands|hetpqa|beir):(.+)$/.exec(name) ?? [];
  if (form === 'wands') return (await import('./wands.js')).wandsSource(options, place);
  if (form === 'hetpqa') return (await import('./hetpqa.js')).hetpqaSource(place!, options);
  if (form === 'beir') return (await import('./beir.js')).beirSource(place!, options);
  if ((await import('./table.js')).isTable(name)) return (await import('./mapped.js')).mappedSource(name, options);
  if (/\.json(\.gz)?$/.test(name)) return (await import('./squad.js')).squadSource(name);
  throw new DkvError('INPUT_INVALID', `There is no dataset "${name}".${didYouMean(name, NAMES)} Expected ${DATASETS}.`);
}

/** Whoever names a column, a revision or a separator that nothing reads would believe that it was read. @throws DkvError INPUT_INVALID */
async function expectUsed(name: string, { columns = {}, revision, ...form }: OpenOptions): Promise<void> {
  const refused = (what: string) => new DkvError('INPUT_INVALID', `${name}: ${what}. Leave it out.`);
  if (Object.keys(columns).length > 0 && !(await import('./table.js')).isTable(name)) {
    throw refused('columns can be named of a table of your own only, .jsonl, .csv, .tsv or .parquet');
  }
  const isOnHub = (NAMES.includes(name) && name !== 'adworld') || name.startsWith('hf://');
  if (revision !== undefined && !isOnHub) throw refused('a revision is of a dataset on the hub, which this is not');
  const { separator, quoting, header } = form;
  if ((separator ?? quoting ?? header) !== undefined && NAMES.includes(name)) {
    throw refused('separator, quoting and header are for .csv and .tsv files of your own');
  }
}

/** @throws DkvError INPUT_INVALID, also for a dataset without samples; of the hub's HUB_NOT_FOUND, HUB_DENIED, HUB_OFFLINE, HUB_UNREACHABLE, DISK_FULL, CANCELLED */
export async function openDataset(name: string, request: SampleRequest, options: OpenOptions = {}): Promise<Dataset> {
  const source = await openSource(name, options);
  if (source.samples) return source.samples(request);
  throw new DkvError('INPUT_INVALID', `${name} has no documents with questions and answers: ${source.about}.`);
}

/** @throws DkvError as `openDataset`, also for a dataset without pools */
export async function openPools(name: string, request: PoolRequest, options: OpenOptions = {}): Promise<PoolSet> {
  const source = await openSource(name, options);
  if (source.pools) return source.pools(request);
  throw new DkvError('INPUT_INVALID', `${name} has no candidates to rank: ${source.about}.`);
}
