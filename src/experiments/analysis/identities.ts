/** Conditions that are the same by construction: do they give the same NLLs? */
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { IdentitySummary } from '../../runs/schema/summary.js';
import { isSelfTest } from './self-tests.js';

/** The nats by which two ways of computing the same may differ. */
const IDENTITY_TOLERANCE = 1e-4;

export function checkIdentities(
  configuration: Configuration,
  column: (condition: string) => readonly Trial[],
): IdentitySummary[] {
  const { experiment, model } = configuration;
  const moved = experiment.comparisons
    .filter((comparison) => isSelfTest(configuration, comparison))
    .map(({ treatment, baseline }) => ({
      name: `${treatment}: moved positions change nothing`,
      left: treatment,
      right: baseline,
      within_window: false,
    }));
  return [...experiment.identities, ...moved].map(({ name, left, right, within_window }) => {
    // Half of a window to either side; BOS, prefix, line break and document are in a row.
    const fits = ({ prefix_tokens = Infinity, document_tokens = Infinity }: Trial) =>
      model.window === null || prefix_tokens + document_tokens + 2 <= Math.floor(model.window / 2);
    const others = column(right);
    const differences = column(left).flatMap((trial, i) =>
      within_window && !fits(trial)
        ? []
        : [Math.max(...trial.token_nlls.map((nll, t) => Math.abs(nll - others[i]!.token_nlls[t]!)))],
    );
    const largest = differences.length > 0 ? Math.max(...differences) : null;
    return {
      name,
      samples: differences.length,
      largest,
      holds: largest === null ? null : largest <= IDENTITY_TOLERANCE,
    };
  });
}
