/** Tables of what gains are made of. */
import type { VerdictRecord } from '../../runs/schema/verdict.js';
import { fixed, signed, withInterval } from '../words/format.js';
import { number, type Table, text } from './table.js';

export const VERDICT_NOTE =
  'One verdict a prefix, from simultaneous 99% intervals: the largest |t| over all steps of the prefixes that are judged together, steps that they share counted once, in 9,999 resamples of whole clusters. A step is nil where the intervals of its mean and of its trimmed mean lie within the margin, otherwise positive or negative where both lie above or below 0, and open where they do not. The margin is the larger of .05 nats and a fifth of the total, of a fifth of the clusters that the intervals leave out. H, W, P0, V, P*, I and L stand below; S is the priming less that by random words. The tests of equivalence and Holm’s p below decide nothing here.';

export function verdictTable(verdicts: readonly VerdictRecord[]): Table {
  return {
    columns: [
      text('prefix'),
      text('judged with'),
      text('verdict'),
      text('open'),
      number('samples'),
      number('total, nats'),
      number('margin'),
      number('critical |t|'),
      number('standard error for nil'),
    ],
    rows: verdicts.map(({ title, together, verdict, open, samples, total, margin, critical, error_needed }) => [
      title,
      together,
      verdict,
      open.join(', '),
      String(samples),
      signed(total, 3),
      fixed(margin, 3),
      fixed(critical, 2),
      fixed(error_needed, 3),
    ]),
  };
}

export function stepTable(verdicts: readonly VerdictRecord[]): Table {
  const nats = (value: number | null) => signed(value, 3);
  return {
    columns: [
      text('prefix'),
      text('judged with'),
      text('step'),
      text('state'),
      number('mean [99%]'),
      number('trimmed mean [99%]'),
      number('standard error'),
      number('for nil'),
    ],
    rows: verdicts.flatMap(({ title, together, steps, error_needed }) =>
      steps.map(({ name, state, mean, trimmed_mean, standard_error }) => [
        title,
        together,
        name,
        state,
        withInterval(mean, nats),
        withInterval(trimmed_mean, nats),
        fixed(standard_error, 3),
        fixed(error_needed, 3),
      ]),
    ),
  };
}
