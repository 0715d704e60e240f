/** Experiments of folders of runs that are not taken together: why, in one line a reason. */
import { counted } from '../base/counted.js';

/** Reasons, as they stand in brackets. */
export const NOT_IN_ALL = 'not in all folders';
export const ASKED_TWICE = 'asked what another was, copied or run again, and an experiment counts once';
export const NO_GAINS = 'without gains in NLL sample by sample';

export interface PoolLeftOut {
  /** The name of its run folders. */
  readonly experiment: string;
  readonly leftOut: string;
  /** The run folder that it is another of; absent where there is none. */
  readonly sameAs?: string;
}

/** One sentence a reason. */
export function describeLeftOut(all: readonly PoolLeftOut[]): string[] {
  const reasons = [...new Set(all.map(({ leftOut }) => leftOut))];
  return reasons.map((reason) => {
    const own = all.filter(({ leftOut }) => leftOut === reason);
    const names = own.map(({ experiment, sameAs }) => (sameAs ? `${experiment} (as ${sameAs})` : experiment));
    return `${counted(own.length, 'experiment')} left out (${reason}): ${names.join(', ')}.`;
  });
}
