/** Datasets by the names that users give them. */
import { DkvError } from '../errors.js';
import { adworldSource } from './adworld/dataset.js';
import { beirSource } from './beir.js';
import type { Dataset, PoolRequest, PoolSet, SampleRequest, Source } from './dataset.js';
import { esciSource } from './esci.js';
import { hetpqaSource } from './hetpqa.js';
import { mappedSource } from './mapped.js';
import { msMarcoSource } from './ms-marco.js';
import { neuralBridgeSource } from './neural-bridge.js';
import type { OpenOptions } from './options.js';
import { squadSource } from './squad.js';
import { isTable } from './table.js';
import { wandsSource } from './wands.js';

export const DATASETS =
  'adworld, ms-marco, ms-marco@v2.1, esci, wands, neural-bridge, wands:FOLDER, hetpqa:FOLDER, beir:FOLDER, a file in SQuAD form (.json), or a table (.jsonl, .csv, .tsv, .parquet, https://..., hf://datasets/...)';

/** @throws DkvError INPUT_INVALID */
function openSource(name: string, options: OpenOptions): Source {
  switch (name) {
    case 'adworld':
      return adworldSource;
    case 'ms-marco':
    case 'ms-marco@v1.1':
      return msMarcoSource('v1.1', options);
    case 'ms-marco@v2.1':
      return msMarcoSource('v2.1', options);
    case 'esci':
      return esciSource(options);
    case 'wands':
      return wandsSource(options);
    case 'neural-bridge':
      return neuralBridgeSource(options);
  }
  const [, form, place] = /^(wands|hetpqa|beir):(.+)$/.exec(name) ?? [];
  if (form === 'wands') return wandsSource(options, place);
  if (form === 'hetpqa') return hetpqaSource(place!, options);
  if (form === 'beir') return beirSource(place!, options);
  if (isTable(name)) return mappedSource(name, options);
  if (name.endsWith('.json')) return squadSource(name);
  throw new DkvError('INPUT_INVALID', `There is no dataset "${name}"; expected ${DATASETS}.`);
}

/** @throws DkvError INPUT_INVALID, also for a dataset without samples; of the hub's HUB_NOT_FOUND, HUB_DENIED, HUB_OFFLINE, HUB_UNREACHABLE, DISK_FULL, CANCELLED */
export async function openDataset(name: string, request: SampleRequest, options: OpenOptions = {}): Promise<Dataset> {
  const source = openSource(name, options);
  if (source.samples) return source.samples(request);
  throw new DkvError('INPUT_INVALID', `${name} has no documents with questions and answers: ${source.about}.`);
}

/** @throws DkvError as `openDataset`, also for a dataset without pools */
export async function openPools(name: string, request: PoolRequest, options: OpenOptions = {}): Promise<PoolSet> {
  const source = openSource(name, options);
  if (source.pools) return source.pools(request);
  throw new DkvError('INPUT_INVALID', `${name} has no candidates to rank: ${source.about}.`);
}
