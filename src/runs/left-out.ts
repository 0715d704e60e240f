/** Conditions that a model could not be asked, in sentences for users and reports. */
import type { LeftOut } from './schema/configuration.js';

/** One sentence a reason; none where nothing is left out. */
export function describeLeftOut(leftOut: readonly LeftOut[]): string[] {
  const reasons = new Set(leftOut.map(({ reason }) => reason));
  return [...reasons].map((reason) => {
    const names = leftOut.filter((one) => one.reason === reason).map(({ condition }) => condition);
    return `Left out, because ${reason}: ${names.join(', ')}.`;
  });
}
