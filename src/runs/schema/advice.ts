/** What messages about a run's files say that is to be done. They name a command that lacks the run's options; who knows the run's folder puts them in. */

/** The command that goes on with a run, as far as those know it that read files alone. */
export const RESUME = 'dkv run --resume';

/** Advice about missing entries. */
export const GO_ON = `Go on with the run (${RESUME}): what is missing is computed again, the rest stays.`;

/** Advice about a file of which no part can be used without the others. */
export const START_AGAIN = `Bring it back from a copy, or remove it and go on with the run (${RESUME}): all that it held is made again.`;

/** Advice about a file that is made from the others. */
export const MAKE_AGAIN = `Remove it and go on with the run (${RESUME}): it is made again from the trials.`;
