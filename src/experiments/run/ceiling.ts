/** Is there anything to measure? Data whose answers the model gives without help leave a prefix no room. */
import { DkvError } from '../../base/errors.js';
import { type Entry, isTrial } from '../../runs/schema/entry.js';
import type { Experiment } from '../../runs/schema/experiment.js';

/** The research's screening of a dataset: so many samples, of which at most this share may be answered without any help. */
export const SCREENED = 20;
const CEILING = { nll: 0.05, share: 0.3 };

/** @throws DkvError CEILING_REACHED */
export function refuseCeiling({ unit, conditions }: Experiment, entries: readonly Entry[]): void {
  const bare = conditions.find(({ surrogate, document }) => surrogate === undefined && document === undefined);
  if (unit !== 'sample' || !bare) return;
  const screened = entries
    .filter(isTrial)
    .filter(({ condition }) => condition === bare.name)
    .slice(0, SCREENED);
  const answered = screened.filter(({ nll }) => nll < CEILING.nll).length;
  if (answered <= CEILING.share * screened.length) return;
  throw new DkvError(
    'CEILING_REACHED',
    `The model gives ${answered} of the first ${screened.length} answers below ${CEILING.nll} nats from the bare document: there is no room for a prefix to help. Choose harder data, or go on with --ignore-ceiling.`,
  );
}
