/** Which runs have the samples of others among their own: what both show is no independent evidence. */
import path from 'node:path';
import { namingGoOn } from '../runs/go-on.js';
import { withTrials } from '../runs/run-folder.js';
import { readSamples } from '../runs/samples.js';
import type { RunRecord } from '../runs/schema/record.js';
import type { SampleRecord } from '../runs/schema/sample.js';
import type { Summary } from '../runs/schema/summary.js';

/** A run with the folder that it was found in, below the folder of all. */
export interface SampledRun {
  readonly folder: string;
  readonly record: RunRecord;
  readonly summary: Summary;
}

/** Samples by their ids, with their texts as JSON where they are kept. */
export type Samples = ReadonlyMap<string, string | undefined>;

/** Tells whether one run may have the samples of the other and more: of the same model and data, it has more of them, known by their ids. */
export function mayHold({ record: larger }: SampledRun, { record: smaller }: SampledRun): boolean {
  const [one, other] = [larger.configuration, smaller.configuration];
  return (
    !one.imported &&
    !other.imported &&
    one.samples > other.samples &&
    one.model.name === other.model.name &&
    one.dataset.name === other.dataset.name &&
    one.dataset.revision === other.dataset.revision &&
    one.dataset.digest !== other.dataset.digest
  );
}

/** Tells whether both runs are imported, of the same model and data from different files. The ids of their samples are places in these files, which say nothing. */
export function areByPlace({ record: own }: SampledRun, { record: other }: SampledRun): boolean {
  const [one, two] = [own.configuration, other.configuration];
  return (
    one.imported !== undefined &&
    two.imported !== undefined &&
    one.model.name === two.model.name &&
    one.dataset.name === two.dataset.name &&
    one.dataset.digest !== two.dataset.digest
  );
}

/** The name of the condition without a surrogate in all imported runs. */
const BARE = 'bare';

/**
 * Reads what the samples of imported runs are known by, in the place of ids: the checksum of the file of samples, and the NLL of the bare document of each.
 * Runs in which both are the same are of the same samples; runs in which they differ may yet share some.
 * @returns it by folder, of the runs that have others to be compared with, and what was thrown for the folders that cannot be read
 */
export async function bareNllsToCompare(
  runs: readonly SampledRun[],
  root: string,
): Promise<{ of: Map<string, string>; failed: Map<string, unknown> }> {
  const [of, failed] = [new Map<string, string>(), new Map<string, unknown>()];
  for (const run of runs) {
    if (!runs.some((other) => areByPlace(run, other))) continue;
    const { folder, record, summary } = run;
    try {
      const { trials } = await withTrials(path.join(root, folder), record, summary);
      const bare = trials.filter(({ condition }) => condition === BARE).map(({ sample, nll }) => [sample, nll]);
      if (bare.length > 0) of.set(folder, JSON.stringify([record.samples_crc32, bare]));
    } catch (error) {
      failed.set(folder, error);
    }
  }
  return { of, failed };
}

/**
 * Reads the samples of the runs that may have those of others among their own, and of these others.
 * @returns the samples by folder, and what was thrown for the folders that have none to read
 */
export async function samplesToCompare(
  runs: readonly SampledRun[],
  root: string,
): Promise<{ of: Map<string, Samples>; failed: Map<string, unknown> }> {
  const [of, failed] = [new Map<string, Samples>(), new Map<string, unknown>()];
  for (const run of runs) {
    if (!runs.some((other) => mayHold(run, other) || mayHold(other, run))) continue;
    const { folder, record } = run;
    try {
      const directory = path.join(root, folder);
      const records = await namingGoOn(record, directory, () => readSamples(directory, record));
      of.set(folder, new Map(records.map(({ id, texts }) => [id, texts && textsKey(texts)])));
    } catch (error) {
      failed.set(folder, error);
    }
  }
  return { of, failed };
}

function textsKey({ document, query, answer }: NonNullable<SampleRecord['texts']>): string {
  return JSON.stringify([document, query, answer]);
}

/** Tells whether all samples of one run are among those of another: by their ids, and by their texts where both keep them. */
export function holdsAll(larger: Samples, smaller: Samples): boolean {
  return [...smaller].every(([id, texts]) => {
    if (!larger.has(id)) return false;
    const other = larger.get(id);
    return texts === undefined || other === undefined || texts === other;
  });
}
