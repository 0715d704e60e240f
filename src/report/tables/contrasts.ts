/** Tables of what is read together: groups of contrasts, orders, selections, identities. */
import type { ContrastGroupSummary, Summary } from '../../runs/schema/summary.js';
import { samplesForEquivalence } from '../../stats/power.js';
import { fixed, percent, pValue, ratio, signed, withInterval } from '../words/format.js';
import { effectColumns } from './effect.js';
import { number, type Table, text } from './table.js';

/** The table of contrasts, one row each: effect, tests, and its share of the contrast it is a part of. */
export function contrastTable({ contrasts, equivalence_margin }: ContrastGroupSummary): Table {
  const effect = effectColumns(contrasts.map(({ gain }) => gain));
  const margin = equivalence_margin === null ? [] : [number(`p, within ±${equivalence_margin} d`)];
  return {
    columns: [
      text('contrast'),
      ...effect.columns,
      number('p, Holm'),
      ...margin,
      number('share % [Fieller 95%]'),
      number('share of trimmed % [95%]'),
      text('of'),
    ],
    rows: contrasts.map(({ name, gain, p_holm, p_equivalence, share, share_trimmed, share_fieller, share_of }) => [
      name,
      ...effect.cells(gain),
      pValue(p_holm),
      ...(equivalence_margin === null ? [] : [pValue(p_equivalence)]),
      ratio(share_fieller ?? share),
      share_trimmed ? withInterval(share_trimmed, (x) => percent(x)) : '–',
      share_of ?? '–',
    ]),
  };
}

/** The notes on how a group of contrasts is read. */
export function contrastNotes(
  { note, equivalence_margin, contrasts }: ContrastGroupSummary,
  samples: number,
): string[] {
  const notes = note === '' ? [] : [note];
  if (contrasts.some(({ p_holm }) => p_holm === null)) {
    notes.push('Without a Holm p: outside the family that is corrected.');
  }
  if (equivalence_margin !== null) {
    notes.push(
      `Equivalence (two one-sided tests): a small p says that the mean lies within ±${equivalence_margin} d of 0; a large p of the test against 0 alone does not say that there is none.`,
      ...equivalenceSize(contrasts, equivalence_margin, samples),
    );
  }
  return notes;
}

/** The number of samples that equivalence needs, by the largest design effect of the group. */
function equivalenceSize(contrasts: ContrastGroupSummary['contrasts'], margin: number, samples: number): string[] {
  const effective = contrasts.flatMap(({ gain }) => gain.effective_samples ?? []);
  if (effective.length === 0) return [];
  const needed = samplesForEquivalence(margin);
  const fewest = Math.min(...effective);
  const all = Math.ceil((needed * samples) / fewest);
  const more = all > needed ? `; as dependent as these, ${all}` : '';
  return [
    `To show an effect of 0 equivalent within that margin with 80% power takes ${needed} independent samples${more}. These ${samples} are worth ${fixed(fewest, 0)}.`,
  ];
}

export const ORDER_NOTE =
  'Spearman’s correlation of a treatment’s place in the order that was fixed beforehand (1 = first) with its effect; −1 where the effect falls strictly along the order. p is over the treatments, all orders of which are tried (up to nine): more samples do not make it smaller.';

export function orderTable({ orders }: Summary): Table {
  return {
    columns: [text('order'), text('effect'), number('rho'), number('p over treatments')],
    rows: orders.flatMap(({ title, rho, effects = [{ effect: 'd', rho: rho.value, p: null }] }) =>
      effects.map(({ effect, rho, p }) => [title, effect, signed(rho, 2), pValue(p)]),
    ),
  };
}

export const SELECTION_NOTE =
  'The best treatment is chosen on four fifths of the samples and measured on the fifth left out, in turn. Beside it the naive best: chosen and measured on all samples, and so too good.';

export function selectionTable({ selections }: Summary): Table {
  const effect = effectColumns(
    selections.map(({ held_out }) => held_out),
    'held-out gain, nats',
  );
  return {
    columns: [text('selection'), ...effect.columns, text('chosen (of folds)'), text('naive best'), number('its gain')],
    rows: selections.map(({ title, held_out, chosen, folds, best }) => [
      title,
      ...effect.cells(held_out),
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
