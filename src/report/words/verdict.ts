/** Verdicts in sentences. */

import type { VerdictRecord } from '../../runs/schema/verdict.js';
import { VERDICTS, type VerdictName } from '../../stats/mechanism.js';
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

/** A sentence a verdict, and behind them, once, what remains to be said on a model that lacks segments. */
export function describeVerdicts(verdicts: readonly VerdictRecord[]): string[] {
  const remains = new Set(verdicts.flatMap(({ absent }) => describeRemains(absent) ?? []));
  return [...verdicts.map(describeVerdict), ...remains];
}

function describeVerdict({ title, verdict, open, margin }: VerdictRecord): string {
  const why = verdict === 'undecided' ? `${listed(open)} ${open.length === 1 ? 'is' : 'are'} open` : MEANINGS[verdict];
  return `${title}: ${verdict} (${why}; effects below ${fixed(margin, 3)} nats are none).`;
}

/** What a model without BOS or a line break leaves to be said; undefined where it has both. */
function describeRemains(absent: VerdictRecord['absent']): string | undefined {
  const lacks = (step: VerdictRecord['absent'][number]) => absent.includes(step);
  const out: VerdictName[] = [
    ...(lacks('H') ? (['hidden BOS', 'unmasked', 'leak'] as const) : []),
    ...(lacks('W') && lacks('V') ? (['line break'] as const) : []),
  ];
  if (out.length === 0) return undefined;
  // With neither there is one mechanism alone, which cannot be mixed with another.
  const beside: VerdictName[] = lacks('H') && lacks('W') && lacks('V') ? ['undecided', 'mixed'] : ['undecided'];
  const remain = VERDICTS.filter((verdict) => !out.includes(verdict) && !beside.includes(verdict));
  return `What remains on this model: ${listed(remain)}. Its inputs lack what ${listed(out)} ${out.length === 1 ? 'needs' : 'need'}.`;
}
