/** AdWorld's test split as the dataset that experiments run on. */

import { adworldSamples, samplesOf } from '../adworld/adworld.js';
import { answerPoolsOf, poolsOf } from '../adworld/pools.js';
import { ADWORLD_VERSION } from '../adworld/version.js';
import { Breather } from '../base/breather.js';
import { DkvError } from '../base/errors.js';
import { type Dataset, datasetOf, type Origin, poolSetOf, type Source } from '../samples/dataset.js';
import type { Sample } from '../samples/sample.js';
import { FACTOID_WORDS, isFactoid } from './draw.js';
import type { OpenOptions } from './options.js';

/** The largest number of samples, which an experiment can hold in memory with room for what is computed from them. */
const MOST = 200_000;
/** The number above which making the samples takes seconds, so that a notice says so. */
const MANY = 20_000;

const ORIGIN = { name: 'adworld', revision: ADWORLD_VERSION, licence: 'Apache-2.0' };

export function adworldDataset({ seed, count }: { seed: number; count: number }): Dataset {
  return datasetOf(origin(), adworldSamples({ seed, split: 'test', count }));
}

export function adworldSource({ signal, onNotice }: OpenOptions = {}): Source {
  const expectAffordable = (count: number, things: string) => {
    if (count > MOST) {
      throw new DkvError(
        'INPUT_INVALID',
        `${count} ${things} are more than AdWorld makes for a run, ${MOST}. Give a smaller --n.`,
      );
    }
    if (count > MANY) onNotice?.(`Making ${count.toLocaleString('en')} ${things}.`);
  };
  const breather = () => new Breather(signal, 'Making the data was stopped.');
  return {
    about: 'generated advertisements with questions, and pools of them to rank; built in',
    async samples({ seed, count, rule = 'standard', padding = 0 }) {
      expectAffordable(count + padding, 'samples');
      const turns = breather();
      if (rule === 'factoid') {
        const samples: Sample[] = [];
        for (const sample of samplesOf({ seed, split: 'test', count: Number.POSITIVE_INFINITY })) {
          await turns.breathe();
          if (isFactoid(sample.answer)) samples.push(sample);
          if (samples.length >= count) break;
        }
        return datasetOf(origin(`answers of at most ${FACTOID_WORDS} words`), samples);
      }
      const samples = await turns.map(samplesOf({ seed, split: 'test', count }), (sample) => sample);
      // The ads after the samples' own: none of them is a sample's.
      const rest = samplesOf({ seed, split: 'test', count: count + padding }, count);
      return datasetOf(origin(), samples, await turns.map(rest, ({ document }) => document));
    },
    async pools({ seed, count, answers = false }) {
      expectAffordable(count, 'pools');
      const range = { seed, split: 'test', count } as const;
      const selection = answers
        ? 'the first advertisements of the test split, each among the seven of the next two hundred that share most words of the answer'
        : 'the first pools of the test split, eight candidates each, every grade among them';
      const pools = await breather().map(answers ? answerPoolsOf(range) : poolsOf(range), (pool) => pool);
      return poolSetOf({ ...ORIGIN, selection }, pools);
    },
  };
}

function origin(also?: string): Origin {
  const selection = 'the first advertisements of the test split, one question each';
  return { ...ORIGIN, selection: also ? `${selection}, ${also}` : selection };
}
