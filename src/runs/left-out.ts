/** Conditions that a model could not be given, in sentences for users and reports. */
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
