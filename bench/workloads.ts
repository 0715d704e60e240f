/**
 * What is measured, as token ids, for us and for others alike. Documents have lengths like MS MARCO's: log-normal, 73 tokens in the mean
 * (56 words, table 1 of BEIR, at 1.3 tokens a word); the spread, 0.45, is an assumption.
 */
import { Random } from '../src/base/random.js';

export interface Workloads {
  /** 512 documents of MS MARCO's lengths, and 8 tokens to score on each. */
  readonly documents: readonly (readonly number[])[];
  readonly targets: readonly (readonly number[])[];
  /** 64 documents of 1024 tokens. */
  readonly long: readonly (readonly number[])[];
  /** Documents of one length each, for what a cache saves. */
  readonly of128: readonly (readonly number[])[];
  readonly of512: readonly (readonly number[])[];
  /** What stands in front of each of `experiment`'s documents: as many conditions as Experiment 02 has, the first without a prefix. */
  readonly prefixes: readonly (readonly number[])[];
  readonly experiment: readonly (readonly number[])[];
  /** Documents that a text of `generated` tokens is made from, greedily. */
  readonly prompts: readonly (readonly number[])[];
  readonly generated: number;
}

/**
 * Names of what can be asked of a contestant. `experiment-loop` is `experiment` as the research did it, for others alone: one encoder pass for
 * each condition, one item at a time.
 */
export const WORKLOADS = [
  'encode',
  'encode-long',
  'encode-128',
  'encode-512',
  'score-text',
  'score-cached',
  'score-text-128',
  'score-cached-128',
  'score-text-512',
  'score-cached-512',
  'experiment',
  'experiment-loop',
  'generate-1',
  'generate-16',
] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

/** What is asked of devices other than the CPU. */
export const DEVICE_WORKLOADS: readonly WorkloadName[] = [
  'encode-128',
  'encode',
  'encode-512',
  'score-cached-128',
  'score-cached',
  'generate-16',
];

/** Rows of a batch, for all: a peer that does better with another number may take it. */
export const BATCH_TOKENS = 1024;

/**
 * @param share of the documents, for a quick look
 * @param words that tokens are drawn from
 */
export function makeWorkloads(share: number, words = 250_000): Workloads {
  const random = new Random('bench');
  const tokens = (count: number) => Array.from({ length: count }, () => 3 + random.below(words));
  const documents = (count: number, length: () => number) =>
    Array.from({ length: Math.max(2, Math.round(count * share)) }, () => [2, ...tokens(length() - 1)]);
  const like = () => Math.min(300, Math.max(16, Math.round(73 * Math.exp(0.45 * normal(random) - 0.45 ** 2 / 2))));
  return {
    documents: documents(512, like),
    targets: Array.from({ length: 512 }, () => tokens(8)),
    long: documents(64, () => 1024),
    of128: documents(64, () => 128),
    of512: documents(64, () => 512),
    prefixes: [0, 9, 6, 9, 7, 11, 9, 25, 9].map(tokens),
    experiment: documents(32, like),
    prompts: Array.from({ length: 16 }, () => [2, ...tokens(127)]),
    generated: 32,
  };
}

/** Standard normal, by Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
}
