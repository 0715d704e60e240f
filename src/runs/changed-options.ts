/** Says in short lines in what a run that is asked for is not the one that a folder holds, by the options of the command line where one brings it about. */
import { optionsOf } from './go-on.js';
import { type Change, type Configuration, changes, decisive } from './schema/configuration.js';

/** The longest value that a line shows, in characters. */
const LONGEST_VALUE = 60;
/** The longest value of something in a list: the digest of a function, for instance, and no definition of a condition. */
const LONGEST_IN_LIST = 90;

/** Fields that an option says, wholly. */
const SAID_BY_OPTIONS =
  /^(samples|seed|device|max_tokens|batch_tokens|control_tokens|writer|dataset\.name|model\.name|experiment\.(seed|prompt|outcomes|arms))\b/;

/** Fields that follow from options: where one of these is changed, they say nothing more. */
const FOLLOWING: readonly (readonly [options: readonly string[], fields: RegExp])[] = [
  [['--outcomes', '--arms'], /^experiment\.(?!id\b)/],
  [['--dataset', '--dataset-revision', '--n', '--seed'], /^dataset\./],
  [['--model', '--precision', '--device'], /^(model|left_out)\b/],
];

/**
 * @param before what the folder holds
 * @param now what is asked for
 * @returns a line for each, such as `--n: was 4, is 5`; none where the numbers of both are the same
 */
export function changedOptions(before: Configuration, now: Configuration): string[] {
  const [was, is] = [before, now].map((configuration) => new Map(wordsOf(configuration)));
  const options = [...new Set([...was!.keys(), ...is!.keys()])].filter((name) => was!.get(name) !== is!.get(name));
  const found = changes(decisive(before), decisive(now));
  const isOther = found.some(({ field }) => field === EXPERIMENT);
  const follows = ({ field }: Change) =>
    SAID_BY_OPTIONS.test(field) ||
    (isOther && field.startsWith('experiment.') && field !== EXPERIMENT) ||
    FOLLOWING.some(([causes, fields]) => fields.test(field) && causes.some((option) => options.includes(option)));
  const others = found.filter((change) => !follows(change));
  // What an option says in other words than the configuration is still a change.
  const shown = options.length + others.length > 0 ? others : found;
  return [
    ...options.map((name) => `${name}: was ${was!.get(name) ?? NOT_GIVEN}, is ${is!.get(name) ?? NOT_GIVEN}`),
    ...new Set(shown.map((change) => lineOf(change, shown.filter((other) => listOf(other) === listOf(change)).length))),
  ];
}

/** Of another experiment all else is another as well. */
const EXPERIMENT = 'experiment.id';

const NOT_GIVEN = 'not given';

function wordsOf(configuration: Configuration): [option: string, words: string][] {
  return optionsOf({ configuration }).map(([option, values]) => [option, values.join(' ')]);
}

/** The list that a field is in, or the field itself. */
function listOf({ field }: Change): string {
  return field.split(/\.\d+\b/)[0]!;
}

/**
 * A field in a line; of what is in a list, the list's name where more of it differs or the values are long.
 * @param together how many changes there are in its list
 */
function lineOf(change: Change, together: number): string {
  const { field, before = 'nothing', now = 'nothing' } = change;
  if (field.startsWith('margin_from')) return '--margin-from: another earlier run, or none';
  const isShort = together === 1 && Math.max(before.length, now.length) <= LONGEST_IN_LIST;
  if (listOf(change) !== field && !isShort) return `${listOf(change)}: not the same`;
  return `${field}: was ${short(before)}, is ${short(now)}`;
}

function short(value: string): string {
  return value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value;
}
