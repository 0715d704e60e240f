/** AdWorld's test split as the dataset that experiments run on. */
import { type Dataset, datasetOf } from '../dataset.js';
import { ADWORLD_VERSION, adworldSamples } from './adworld.js';

export function adworldDataset({ seed, count }: { seed: number; count: number }): Dataset {
  return datasetOf('adworld', ADWORLD_VERSION, adworldSamples({ seed, split: 'test', count }));
}
