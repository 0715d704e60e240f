/** Decisions on live traffic: arms and their comparison, the log, shadows. */
import type { Mutation } from './mutation.js';

const ARMS = 'src/stats/arms.ts';
const AGREEMENT = 'src/stats/agreement.ts';
const DISTRIBUTIONS = 'src/stats/distributions.ts';
const EXPERIMENT = 'src/server/experiment.ts';
const LOG = 'src/server/decisions.ts';
const READER = 'src/server/decision-reader.ts';
const DECIDING = 'src/server/deciding.ts';

const ARMS_TEST = 'test/stats/arms.test.ts';
const EXPERIMENT_TEST = 'test/server/experiment.test.ts';
const LOG_TEST = 'test/server/decisions.test.ts';
const DECIDING_TEST = 'test/server/deciding.test.ts';

export const DECISIONS: readonly Mutation[] = [
  {
    name: 'deviations of units from a mean of one decision each',
    file: ARMS,
    from: 'reward - mean * decisions[u]!',
    to: 'reward - mean',
    tests: ARMS_TEST,
  },
  {
    name: 'degrees of a difference without squares',
    file: ARMS,
    from: 'variance ** 2 / (arm.variance ** 2',
    to: 'variance / (arm.variance ** 2',
    tests: ARMS_TEST,
  },
  {
    name: 'shares tested with a degree too many',
    file: ARMS,
    from: 'const degrees = units.length - 1;',
    to: 'const degrees = units.length;',
    tests: ARMS_TEST,
  },
  {
    name: 'pairs that stand in other orders counted once for a run',
    file: AGREEMENT,
    from: 'inversions += middle - left;',
    to: 'inversions += 1;',
    tests: ARMS_TEST,
  },
  {
    name: 'the tail of chi-square a step short',
    file: DISTRIBUTIONS,
    from: 'for (; a < freedom / 2; a++)',
    to: 'for (; a < freedom / 2 - 1; a++)',
    tests: ARMS_TEST,
  },
  {
    name: 'units of two tenants in one arm',
    file: EXPERIMENT,
    from: "placeOf(['arm', salt, tenant, unit])",
    to: "placeOf(['arm', salt, unit])",
    tests: EXPERIMENT_TEST,
  },
  {
    name: 'shadows without a bound',
    file: EXPERIMENT,
    from: ' || this.#waiting.length >= this.#most',
    to: '',
    tests: EXPERIMENT_TEST,
  },
  {
    name: 'digests that tell tenants with one text apart by nothing',
    file: LOG,
    from: 'JSON.stringify([of, tenant, text])',
    to: 'JSON.stringify([of, text])',
    tests: LOG_TEST,
  },
  {
    name: 'parts of lines that a full disk took stay',
    file: LOG,
    from: 'await file.handle.truncate(file.bytes).catch(() => this.#endFile());',
    to: '',
    tests: LOG_TEST,
  },
  {
    name: 'a file of the log that everybody may read',
    file: LOG,
    from: "open(name, 'ax', 0o600)",
    to: "open(name, 'ax', 0o644)",
    tests: LOG_TEST,
  },
  {
    name: 'the last day of retention removed',
    file: LOG,
    from: 'of < first',
    to: 'of <= first',
    tests: LOG_TEST,
  },
  {
    name: 'torn lines passed over wherever they stand',
    file: READER,
    from: 'if (cut) throw cut;',
    to: '',
    tests: LOG_TEST,
  },
  {
    name: 'a request that names its variant in an arm',
    file: DECIDING,
    from: 'asked.variant !== undefined || ',
    to: '',
    tests: DECIDING_TEST,
  },
  {
    name: 'a shadow logged in the order that was shown',
    file: DECIDING,
    from: 'shown: shownOf.get(own.index)!',
    to: 'shown: at + 1',
    tests: DECIDING_TEST,
  },
];
