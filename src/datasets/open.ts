/** Datasets by the names that users give them. */
import { DkvError } from '../errors.js';
import { adworldSource } from './adworld/dataset.js';
import type { Dataset, PoolRequest, PoolSet, SampleRequest, Source } from './dataset.js';
import { squadSource } from './squad.js';

export const DATASETS = 'adworld, or a file in SQuAD form (.json)';

/** @throws DkvError INPUT_INVALID */
function openSource(name: string): Source {
  if (name === 'adworld') return adworldSource;
  if (name.endsWith('.json')) return squadSource(name);
  throw new DkvError('INPUT_INVALID', `There is no dataset "${name}"; expected ${DATASETS}.`);
}

/** @throws DkvError INPUT_INVALID, also for a dataset without samples */
export async function openDataset(name: string, request: SampleRequest): Promise<Dataset> {
  const source = openSource(name);
  if (source.samples) return source.samples(request);
  throw new DkvError('INPUT_INVALID', `${name} has no documents with questions and answers: ${source.about}.`);
}

/** @throws DkvError INPUT_INVALID, also for a dataset without pools */
export async function openPools(name: string, request: PoolRequest): Promise<PoolSet> {
  const source = openSource(name);
  if (source.pools) return source.pools(request);
  throw new DkvError('INPUT_INVALID', `${name} has no candidates to rank: ${source.about}.`);
}
