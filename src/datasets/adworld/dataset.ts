/** AdWorld's test split as the dataset that experiments run on. */
import { type Dataset, datasetOf, type Origin, poolSetOf, type Source } from '../dataset.js';
import type { Sample } from '../sample.js';
import { ADWORLD_VERSION, adworldSamples } from './adworld.js';
import { adworldAnswerPools, adworldPools } from './pools.js';

const FACTOID_WORDS = 5;

const ORIGIN = { name: 'adworld', revision: ADWORLD_VERSION, licence: 'Apache-2.0' };

export function adworldDataset({ seed, count }: { seed: number; count: number }): Dataset {
  return datasetOf(origin(), adworldSamples({ seed, split: 'test', count }));
}

export const adworldSource: Source = {
  about: 'generated advertisements with questions, and pools of them to rank; built in',
  async samples({ seed, count, rule = 'standard', padding = 0 }) {
    if (rule === 'factoid') {
      return datasetOf(origin(`answers of at most ${FACTOID_WORDS} words`), factoids(seed, count));
    }
    // The ads after the samples' own: none of them is a sample's.
    const rest = adworldSamples({ seed, split: 'test', count: count + padding }).slice(count);
    return datasetOf(
      origin(),
      adworldSamples({ seed, split: 'test', count }),
      rest.map(({ document }) => document),
    );
  },
  async pools({ seed, count, answers = false }) {
    const range = { seed, split: 'test', count } as const;
    const selection = answers
      ? 'the first advertisements of the test split, each among the seven of the next two hundred that share most words of the answer'
      : 'the first pools of the test split, eight candidates each, every grade among them';
    return poolSetOf({ ...ORIGIN, selection }, answers ? adworldAnswerPools(range) : adworldPools(range));
  },
};

function origin(also?: string): Origin {
  const selection = 'the first advertisements of the test split, one question each';
  return { ...ORIGIN, selection: also ? `${selection}, ${also}` : selection };
}

function factoids(seed: number, count: number): Sample[] {
  const short = ({ answer }: Sample) => answer.split(/\s+/).length <= FACTOID_WORDS;
  for (let read = 2 * count; ; read *= 2) {
    const found = adworldSamples({ seed, split: 'test', count: read }).filter(short);
    if (found.length >= count) return found.slice(0, count);
  }
}
