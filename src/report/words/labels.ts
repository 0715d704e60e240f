/** What a condition is, in the words of tables and figures: its surrogate, what the decoder sees, which bound it stands for. */
import type { Condition } from '../../priming/condition.js';
import type { Segment } from '../../priming/input.js';
import { surrogate as surrogateOf } from '../../priming/surrogate.js';
import { USUAL_SEGMENTS } from '../../runs/schema/configuration.js';
import type { Comparison, Experiment } from '../../runs/schema/experiment.js';

/** @param name of a condition that the experiment has */
export function conditionOf({ conditions }: Experiment, name: string): Condition {
  return conditions.find((condition) => condition.name === name)!;
}

/** The comparison that was named before the run; the first where none was. */
export function primaryOf({
  primary,
  comparisons,
}: Experiment): Pick<Comparison, 'treatment' | 'baseline'> | undefined {
  return primary ?? comparisons[0];
}

/** Of a gain that has a control: the control's part, what the treatment has more, or the whole. */
export function partOf(
  { comparisons }: Pick<Experiment, 'comparisons'>,
  { treatment, baseline }: Pick<Comparison, 'treatment' | 'baseline'>,
): 'gain' | 'machinery' | 'content' {
  const isCompared = comparisons.some((other) => other.treatment === treatment && other.baseline === baseline);
  const controls = comparisons.map(({ control }) => control);
  if (!isCompared && controls.includes(treatment)) return 'machinery';
  return !isCompared && controls.includes(baseline) ? 'content' : 'gain';
}

export function isPrimary(experiment: Experiment, { treatment, baseline }: Comparison): boolean {
  const primary = primaryOf(experiment);
  return primary?.treatment === treatment && primary.baseline === baseline;
}

/** Tells whether the condition's prefix can be made before a query is asked. */
export function isDeployable(experiment: Experiment, name: string): boolean {
  const { surrogate, also = [] } = conditionOf(experiment, name);
  const prefixes = [surrogate, ...also.map((encoding) => encoding.surrogate)];
  return prefixes.every((prefix) => prefix === undefined || !surrogateOf(prefix).needsQuery);
}

export type Bound = 'lower bound' | 'middle' | 'upper bound' | 'mechanism';

/** The place of a condition between the bare document and the real query. */
export function boundOf(experiment: Experiment, name: string): Bound {
  const { surrogate, blocked, positions, hidden, also } = conditionOf(experiment, name);
  if (blocked || positions || hidden || also) return 'mechanism';
  if (surrogate === undefined) return 'lower bound';
  return surrogate === 'oracle' ? 'upper bound' : 'middle';
}

/** A short name for what the decoder sees. */
export function visibilityOf(condition: Condition): string {
  const { visibility, hidden, also = [] } = condition;
  const rows = typeof visibility === 'string' ? visibility : visibility.join('+');
  const named = hidden ? `${rows}, a row less` : rows;
  return also.length > 0 ? `${named}, rows of two encodes` : named;
}

/**
 * What the decoder sees, in words.
 * @param segments of the model's inputs
 */
export function describeVisibility(
  { visibility, surrogate }: Condition,
  segments: readonly Segment[] = USUAL_SEGMENTS,
): string {
  const end = segments.includes('eos') ? ['end of text'] : [];
  if (visibility === 'exact') return 'document';
  if (visibility === 'published') return listed([...leftByTheCount(segments), 'document', ...end]);
  if (visibility !== 'full')
    return visibility.length > 0 ? listed(visibility.map((segment) => SEGMENTS[segment])) : 'nothing';
  if (surrogate !== undefined) return 'everything';
  return listed([...(segments.includes('bos') ? ['BOS'] : []), 'document', ...end]);
}

/** The parts of an encoder's input by the words that reports have for them. */
export const SEGMENTS: Readonly<Record<Segment, string>> = {
  bos: 'BOS',
  prefix: 'prefix',
  separator: 'line break',
  document: 'document',
  eos: 'end of text',
};

/** The published mask hides as many leading rows as prefix and line break have, whichever rows those are. */
function leftByTheCount(segments: readonly Segment[]): string[] {
  if (!segments.includes('bos')) return [];
  return [segments.includes('separator') ? 'line break' : 'the prefix’s last token'];
}

/** Joins names as in `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** The form of the document: as it is, its first words, or made longer. */
export function documentForm({ document }: Condition): string {
  if (!document) return 'as it is';
  if (document === 'none') return 'none';
  return 'tokens' in document ? `${document.tokens} tokens` : `first ${document.first_words} words`;
}

/** What a condition does in the encoder, without its document and what the decoder sees. */
function prefixKey({ surrogate = 'none', document, blocked, positions }: Condition): string {
  const first = surrogate === 'none' && document === 'none' ? 'no document' : surrogate;
  return [first, ...(blocked ? ['blocked'] : []), ...(positions ? [positions.replaceAll('_', ' ')] : [])].join(', ');
}

/**
 * The name of a condition's prefix in figures and their legends: what the names of all conditions with it begin with, such as `oracle` of `oracle_d` and
 * `oracle_full@256`, so that it is the one that tables have; the surrogate's where these have no such name.
 */
export function prefixName(experiment: Experiment, name: string): string {
  const key = prefixKey(conditionOf(experiment, name));
  return commonWords(experiment.conditions.filter((condition) => prefixKey(condition) === key).map(stemOf)) || key;
}

/** The prefixes of an experiment, in the order of its conditions. */
export function prefixesOf(experiment: Experiment): string[] {
  return [...new Set(experiment.conditions.map(({ name }) => prefixName(experiment, name)))];
}

/** The words that all names begin with; empty where they have none in common. */
function commonWords(names: readonly string[]): string {
  const [first = [], ...others] = names.map((name) => name.split(' '));
  const end = first.findIndex((word, i) => others.some((words) => words[i] !== word));
  return (end < 0 ? first : first.slice(0, end)).join(' ');
}

/** A condition's name without the length of the document, what the decoder sees and how the target begins. */
function stemOf({ name, before_target }: Condition): string {
  const whole = before_target === undefined ? name : name.replace(new RegExp(`_${before_target}$`), '');
  return whole.replace(/@.*$/, '').replace(/_(full|published|d)$/, '');
}

/** Marks the comparison that was named beforehand. */
export function marked(experiment: Experiment, comparison: Comparison): string {
  return comparison.treatment + (isPrimary(experiment, comparison) ? ' (primary)' : '');
}

/** The letter of a run in a table of several: A, B, C. */
export function letter(place: number): string {
  return place < 26 ? String.fromCharCode(65 + place) : `R${place + 1}`;
}
