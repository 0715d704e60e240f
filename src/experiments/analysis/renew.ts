/** Summaries of older versions, made again from the trials that their runs keep. */
import path from 'node:path';
import { DkvError } from '../../base/errors.js';
import { namingGoOn } from '../../runs/go-on.js';
import { readJournal } from '../../runs/journal.js';
import { readRun, readSummary, writeSummary } from '../../runs/run-folder.js';
import { ownerOf } from '../../runs/schema/journal-head.js';
import type { Summary } from '../../runs/schema/summary.js';
import { TRIALS_FILE } from '../../runs/schema/trials.js';
import { summarize } from './summarize.js';
import type { StatisticsProgress } from './temperature.js';

/** Tells whether a summary was made before means had tests of their own. */
export function isOlder({ samples }: Summary): boolean {
  return samples.dependence === undefined;
}

/**
 * The summary of a finished run: as it is, or where an older version made it and the folder holds the trials, made again and written in its place. What the
 * run does not say (how many tokens the model knows) is left out.
 * @param always whichever version made it; a folder without trials is refused then
 * @param onProgress of the statistics, as of a run
 * @throws DkvError as `readSummary`, INPUT_INVALID for a folder without the trials that are needed, and RUN_DAMAGED for trials that are not those of the summary
 */
export async function renewedSummary(
  directory: string,
  always = false,
  onProgress?: StatisticsProgress,
): Promise<{ summary: Summary; renewed: boolean }> {
  const { record, summary } = await readSummary(directory);
  const file = path.join(directory, TRIALS_FILE);
  const journal =
    always || isOlder(summary)
      ? await namingGoOn(record, directory, () => readJournal(file, ownerOf(record)))
      : undefined;
  if (!journal) {
    if (always) {
      throw new DkvError(
        'INPUT_INVALID',
        `${file} is not there, and a summary is made from the trials of its run. Put them there, or leave out --renew to report what the summary says.`,
      );
    }
    return { summary, renewed: false };
  }
  const { samples } = await readRun(directory);
  const made = summarize(
    summary.configuration,
    journal.entries,
    samples,
    summary.passes,
    summary.vocabulary,
    record.plan,
    onProgress,
  );
  await writeSummary(directory, made);
  return { summary: made, renewed: true };
}
