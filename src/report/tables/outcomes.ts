/** The tables of right answers among wrong ones, and of what the model says. */
import type { ContrastOutcome, RecallOutcome } from '../../runs/schema/outcomes.js';
import type { Summary } from '../../runs/schema/summary.js';
import { fixed, nats, percent, pValue, signed, withInterval } from '../words/format.js';
import { partOf } from '../words/labels.js';
import { number, type Table, text } from './table.js';

const points = (share: number | null) => signed(share === null ? null : share * 100, 1);

export function contrastNote({ candidates }: ContrastOutcome): string {
  return `The right answer among ${candidates - 1} wrong ones, the same under all conditions. Loss: -log of its share of a softmax over the candidates’ NLLs (nats per token), times a sharpness that is fitted for each condition on four fifths of the samples and used on the fifth left out, whole clusters together; an arm that tells nothing has ln ${candidates} = ${Math.log(candidates).toFixed(3)}. Fall of the loss is what decides. A prefix that makes all candidates likelier alike has a gain in NLL and none here.`;
}

export function contrastConditionTable({ conditions }: ContrastOutcome): Table {
  return {
    columns: [
      text('condition'),
      number('loss, nats'),
      number('mean rank'),
      number('first, %'),
      number('margin, nats'),
      number('sharpness [folds]'),
    ],
    rows: conditions.map(({ name, loss, rank, first, margin, sharpness }) => [
      name,
      fixed(loss, 3),
      fixed(rank, 2),
      percent(first, 1),
      fixed(margin, 3),
      withInterval(sharpness, (value) => fixed(value, 2)),
    ]),
  };
}

export function contrastOutcomeTable({ comparisons }: ContrastOutcome, summary: Summary): Table {
  const { experiment } = summary.configuration;
  return {
    columns: [
      text('treatment'),
      text('baseline'),
      text('part'),
      number('fall of the loss [95%]'),
      number('p'),
      number('Holm'),
      number('NLL gain'),
      number('margin [95%]'),
      number('places [95%]'),
      number('first, points [95%]'),
    ],
    rows: comparisons.map(({ treatment, baseline, loss, p, p_holm, margin, rank, first }) => [
      treatment,
      baseline,
      partOf(experiment, { treatment, baseline }),
      withInterval(loss, nats),
      pValue(p),
      pValue(p_holm),
      nats(nllGain(summary, treatment, baseline)),
      withInterval(margin, nats),
      withInterval(rank, (value) => signed(value, 2)),
      withInterval(first, points),
    ]),
  };
}

/** Mean over the scored samples: what the contrast stands beside. */
function nllGain({ conditions }: Summary, treatment: string, baseline: string): number | null {
  const nllOf = (name: string) => conditions.find((condition) => condition.name === name)?.nll;
  const [after, before] = [nllOf(treatment), nllOf(baseline)];
  return after === undefined || before === undefined ? null : before - after;
}

export function contrastClassTable({ comparisons }: ContrastOutcome): Table {
  return {
    columns: [
      text('treatment'),
      text('baseline'),
      text('wrong answers'),
      number('samples'),
      number('margin [95%]'),
      number('less likely than the right one, points [95%]'),
    ],
    rows: comparisons.flatMap(({ treatment, baseline, classes }) =>
      classes.map(({ from, samples, margin, beaten }) => [
        treatment,
        baseline,
        from,
        String(samples),
        withInterval(margin, nats),
        withInterval(beaten, points),
      ]),
    ),
  };
}

export const RECALL_NOTE =
  'What the model says to each document, token by token the likeliest. Its text contains the answer where the answer’s words occur in it one after the other, in lower case, without articles and without punctuation at the ends of words; F1 is over these words. Differences of shares are in points.';

export function recallConditionTable({ conditions }: RecallOutcome): Table {
  return {
    columns: [
      text('condition'),
      number('contains, %'),
      number('equals, %'),
      number('F1'),
      number('tokens'),
      number('ended, %'),
    ],
    rows: conditions.map(({ name, contains, equals, f1, tokens, ended }) => [
      name,
      percent(contains, 1),
      percent(equals, 1),
      fixed(f1, 3),
      fixed(tokens, 1),
      percent(ended, 1),
    ]),
  };
}

export function recallTable(
  { comparisons }: RecallOutcome,
  { configuration: { experiment } }: Pick<Summary, 'configuration'>,
): Table {
  return {
    columns: [
      text('treatment'),
      text('baseline'),
      text('part'),
      number('contains, points [95%]'),
      number('p'),
      number('Holm'),
      number('equals, points [95%]'),
      number('F1 [95%]'),
      number('tokens [95%]'),
    ],
    rows: comparisons.map(({ treatment, baseline, contains, p, p_holm, equals, f1, tokens }) => [
      treatment,
      baseline,
      partOf(experiment, { treatment, baseline }),
      withInterval(contains, points),
      pValue(p),
      pValue(p_holm),
      withInterval(equals, points),
      withInterval(f1, nats),
      withInterval(tokens, (value) => signed(value, 1)),
    ]),
  };
}
