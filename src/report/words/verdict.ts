/** Verdicts in sentences. */

import type { VerdictRecord } from '../../runs/schema/verdict.js';
import type { VerdictName } from '../../stats/mechanism.js';
import { fixed } from './format.js';
import { listed } from './labels.js';

/** What each says. */
const MEANINGS: Readonly<Record<VerdictName, string>> = {
  primed: 'the document is primed, by what the prefix means',
  structural: 'the document is primed, and random words do as much',
  unmasked: 'the document is primed, and hiding BOS is what shows it',
  'hidden BOS': 'it is the hidden BOS',
  leak: 'the primed BOS row carries it',
  'line break': 'it is the line break',
  'no effect': 'no step does anything',
  harmed: 'steps do harm, and none helps',
  mixed: 'more than one of these, or steps that fit none',
  undecided: '',
};

export function describeVerdict({ title, verdict, open, margin, absent }: VerdictRecord): string {
  const why = verdict === 'undecided' ? `${listed(open)} ${open.length === 1 ? 'is' : 'are'} open` : MEANINGS[verdict];
  const remains = describeRemains(absent);
  return `${title}: ${verdict} (${why}; effects below ${fixed(margin, 3)} nats are none).${remains === undefined ? '' : ` ${remains}`}`;
}

/** What a model without BOS or a line break leaves to be asked; undefined where it has both. */
export function describeRemains(absent: VerdictRecord['absent']): string | undefined {
  const lacks = (step: VerdictRecord['absent'][number]) => absent.includes(step);
  const out: VerdictName[] = [
    ...(lacks('H') ? (['hidden BOS', 'unmasked', 'leak'] as const) : []),
    ...(lacks('W') && lacks('V') ? (['line break'] as const) : []),
  ];
  if (out.length === 0) return undefined;
  return `What remains on this model is whether the document is primed: ${listed(out)} cannot be, because its inputs lack what they need.`;
}
