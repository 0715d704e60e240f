/** Conditions that a model could not be given, and rows that could not be used, in words for users and reports. */
import type { RowsLeftOut } from '../samples/dataset.js';
import type { LeftOut } from './schema/configuration.js';

/**
 * Describes the conditions left out, one sentence for each reason; none where nothing is left out.
 * @param most how many conditions a sentence names before it counts the rest
 */
export function describeLeftOut(leftOut: readonly LeftOut[], most = Number.POSITIVE_INFINITY): string[] {
  const reasons = new Set(leftOut.map(({ reason }) => reason));
  return [...reasons].map((reason) => {
    const names = leftOut.filter((one) => one.reason === reason).map(({ condition }) => condition);
    const named = names.length > most + 1 ? [...names.slice(0, most), `and ${names.length - most} more`] : names;
    return `Left out, because ${reason}: ${named.join(', ')}.`;
  });
}

/** Says how many rows have no part in a run, and why: "2 rows left out: 1 with no query (question), 1 with no document (text)". */
export function describeRows(leftOut: readonly RowsLeftOut[]): string {
  const all = leftOut.reduce((sum, { rows }) => sum + rows, 0);
  const named = leftOut.map(({ rows, reason }) => `${rows} with ${reason}`);
  return `${all} ${all === 1 ? 'row' : 'rows'} left out: ${named.join(', ')}`;
}
