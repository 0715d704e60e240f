/** What folders of runs hold more than once: a run folder that was copied, or whose run was made anew, is no further experiment. */
import type { Configuration } from '../runs/schema/configuration.js';

/** All that a run was asked, without its folder, the time, and how it was computed. */
function askedOf({
  experiment: { authors: _, ...experiment },
  samples,
  seed,
  dataset,
  model,
  control_tokens,
  max_tokens,
  writer,
}: Configuration): string {
  return JSON.stringify([
    experiment,
    samples,
    seed,
    dataset.digest,
    model.fingerprint,
    control_tokens,
    max_tokens,
    writer,
  ]);
}

export class CountedRuns {
  /** Directories by what their runs were asked, for each folder of runs. */
  readonly #counted = new Map<string, Map<string, string>>();

  /** The directory of the run in the same folder that was asked the same and is counted; undefined without one. */
  sameAs(folder: string, configuration: Configuration): string | undefined {
    return this.#counted.get(folder)?.get(askedOf(configuration));
  }

  count(folder: string, directory: string, configuration: Configuration): void {
    const own = this.#counted.get(folder) ?? new Map<string, string>();
    this.#counted.set(folder, own.set(askedOf(configuration), directory));
  }
}
