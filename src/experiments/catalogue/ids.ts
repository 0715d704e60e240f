/** The names of the experiments, for whoever needs no more of them: definitions take a tenth of a second to read. */
export const EXPERIMENT_IDS = [
  'exp33b',
  'exp01',
  'exp02',
  'exp2b',
  'exp03',
  'exp03b',
  'exp3d',
  'exp3e',
  'exp3f',
  'exp04a',
  'exp04b',
  'exp04c',
  'exp05',
  'exp06',
  'exp07',
  'bos',
  'v4-01',
  'v4-02',
  'v4-03',
  'v4-04',
  'v4-09',
  'v4-10',
] as const;

export type ExperimentId = (typeof EXPERIMENT_IDS)[number];
