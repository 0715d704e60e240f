/** Tables of what gains are made of. */
import type { Configuration } from '../../runs/schema/configuration.js';
import type { DependenceRecord } from '../../runs/schema/summary.js';
import type { VerdictRecord } from '../../runs/schema/verdict.js';
import { fixed, nats, signed, withInterval } from '../words/format.js';
import { number, type Table, text } from './table.js';

export const verdictNote = (earlier: Configuration['margin_from']): string =>
  `One verdict a prefix, from simultaneous 99% intervals: the largest |t| over all steps of the prefixes that are judged together, steps that they share counted once, in 9,999 resamples of whole clusters. A step is nil where the intervals of its mean and of its trimmed mean lie within the margin, otherwise positive or negative where both lie above or below 0, and open where they do not. The margin is the larger of .05 nats and a fifth of the total, ${earlier ? `which an earlier run says (${earlier.samples} other samples, started ${earlier.started_at})` : 'of a fifth of the clusters that the intervals leave out'}. H, W, P0, V, P*, I and L stand below; S is the priming less that by random words. The tests of equivalence and Holm’s p below decide nothing here.`;

/** What standard errors are of, where more samples do not bring them down as one expects. */
export const KINDS_NOTE =
  'Standard errors are by question kind: samples that ask for the same kind of fact are one cluster. More samples of the same kinds bring down only what differs within a kind; what differs between kinds remains, so that such a standard error hardly shrinks with the number of samples.';

/**
 * @param by how samples are put into clusters, where it is recorded
 * @param earlier the run that says the totals, where it is not this one
 */
export function verdictTable(
  verdicts: readonly VerdictRecord[],
  by?: DependenceRecord['by'],
  earlier?: Configuration['margin_from'],
): Table {
  return {
    columns: [
      text('prefix'),
      text('judged with'),
      text('verdict'),
      text('open'),
      number('samples'),
      number(earlier ? 'total of the earlier run, nats' : 'total, nats'),
      number('margin'),
      number('critical |t|'),
      number(`largest ${standardError(by)}`),
      number('standard error needed for nil'),
    ],
    rows: verdicts.map(({ title, together, verdict, open, samples, total, margin, critical, error_needed, steps }) => [
      title,
      together,
      verdict,
      open.join(', ') || '–',
      String(samples),
      signed(total, 3),
      fixed(margin, 3),
      fixed(critical, 2),
      largestError(steps),
      fixed(error_needed, 3),
    ]),
  };
}

export function stepTable(verdicts: readonly VerdictRecord[], by?: DependenceRecord['by']): Table {
  return {
    columns: [
      text('prefix'),
      text('judged with'),
      text('step'),
      text('state'),
      number('mean [99%]'),
      number('trimmed mean [99%]'),
      number(standardError(by)),
      number('needed for nil'),
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

function standardError(by: DependenceRecord['by'] | undefined): string {
  return by === 'question kind' ? 'standard error, by question kind' : 'standard error';
}

/** The largest standard error of a verdict's steps, with the step that has it. */
function largestError(steps: VerdictRecord['steps']): string {
  const [first] = steps
    .flatMap(({ name, standard_error }) => (standard_error === null ? [] : [{ name, standard_error }]))
    .sort((a, b) => b.standard_error - a.standard_error);
  return first ? `${fixed(first.standard_error, 3)} (${first.name})` : '–';
}
