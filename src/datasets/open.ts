/** Datasets by the names that users give them. */
import { DkvError } from '../errors.js';
import { adworldDataset } from './adworld/dataset.js';
import type { Dataset } from './dataset.js';
import { squadDataset } from './squad.js';

export const DATASETS = 'adworld, or a file in SQuAD form (.json)';

/** @throws DkvError INPUT_INVALID */
export async function openDataset(name: string, choice: { seed: number; count: number }): Promise<Dataset> {
  if (name === 'adworld') return adworldDataset(choice);
  if (name.endsWith('.json')) return squadDataset(name, choice);
  throw new DkvError('INPUT_INVALID', `There is no dataset "${name}"; expected ${DATASETS}.`);
}
