/** Tables of what is read together: groups of contrasts, orders, selections, identities. */
import type { ContrastGroupSummary, Summary } from '../../runs/schema/summary.js';
import { fixed, percent, pValue, signed, withInterval } from '../words/format.js';
import { number, type Table, text } from './table.js';

/** One row a contrast: effect, tests, and its share of the contrast it is a part of. */
export function contrastTable({ contrasts, equivalence_margin }: ContrastGroupSummary): Table {
  const margin = equivalence_margin === null ? [] : [number(`p, within ±${equivalence_margin} d`)];
  return {
    columns: [
      text('contrast'),
      number('mean, nats [95%]'),
      number('d [95%]'),
      number('median'),
      number('win %'),
      number('p'),
      number('p, Holm'),
      ...margin,
      number('share % [95%]'),
      number('share % [Fieller 95%]'),
      text('of'),
    ],
    rows: contrasts.map(({ name, gain, p_holm, p_equivalence, share, share_fieller, share_of }) => [
      name,
      withInterval(gain.mean, (x) => signed(x, 3)),
      withInterval(gain.d, (x) => signed(x, 2)),
      signed(gain.median, 3),
      percent(gain.win.value),
      pValue(gain.p.t),
      pValue(p_holm),
      ...(equivalence_margin === null ? [] : [pValue(p_equivalence)]),
      withInterval(share, (x) => percent(x)),
      withInterval(share_fieller, (x) => percent(x)),
      share_of ?? '–',
    ]),
  };
}

/** How a group of contrasts is read. */
export function contrastNotes({ note, equivalence_margin, contrasts }: ContrastGroupSummary): string[] {
  const notes = note === '' ? [] : [note];
  if (contrasts.some(({ p_holm }) => p_holm === null)) {
    notes.push('Without a Holm p: outside the family that is corrected.');
  }
  if (equivalence_margin !== null) {
    notes.push(
      `Equivalence (two one-sided t-tests): a small p says that the effect lies within ±${equivalence_margin} d of 0; a large p of the t-test alone does not say that there is none.`,
    );
  }
  return notes;
}

export const ORDER_NOTE =
  'Spearman’s correlation of a treatment’s place in the order that was fixed beforehand (1 = first) with its d; −1 where the effect falls strictly along the order.';

export function orderTable({ orders }: Summary): Table {
  return {
    columns: [text('order'), number('rho [95%]')],
    rows: orders.map(({ title, rho }) => [title, withInterval(rho, (x) => signed(x, 2))]),
  };
}

export const SELECTION_NOTE =
  'The best treatment is chosen on four fifths of the samples and measured on the fifth left out, in turn. Beside it the naive best: chosen and measured on all samples, and so too good.';

export function selectionTable({ selections }: Summary): Table {
  return {
    columns: [
      text('selection'),
      number('held-out gain, nats [95%]'),
      number('d [95%]'),
      number('win %'),
      number('p'),
      text('chosen (of folds)'),
      text('naive best'),
      number('its gain'),
    ],
    rows: selections.map(({ title, held_out, chosen, folds, best }) => [
      title,
      withInterval(held_out.mean, (x) => signed(x, 3)),
      withInterval(held_out.d, (x) => signed(x, 2)),
      percent(held_out.win.value),
      pValue(held_out.p.t),
      Object.entries(chosen)
        .filter(([, times]) => times > 0)
        .sort(([, a], [, b]) => b - a)
        .map(([name, times]) => `${name} ${times}/${folds}`)
        .join(', '),
      best.treatment,
      signed(best.gain, 3),
    ]),
  };
}

export const IDENTITY_NOTE =
  'Conditions that are the same by construction must give the same NLL of every token, to 0.0001 nats: a check of the computation in every run. Not applicable: no sample fits into the encoder’s window, which the identity needs.';

export function identityTable({ identities }: Summary): Table {
  return {
    columns: [text('identity'), text('holds'), number('samples'), number('largest difference, nats')],
    rows: identities.map(({ name, samples, largest, holds }) => [
      name,
      holds === null ? 'not applicable' : holds ? 'holds' : 'DOES NOT HOLD',
      String(samples),
      largest === null ? fixed(null, 0) : largest.toExponential(1).replace('-', '−'),
    ]),
  };
}
