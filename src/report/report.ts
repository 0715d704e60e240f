/** Writes the reports of a run folder. Works from records alone: no model is run. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../errors.js';
import type { Summary } from '../experiments/analysis.js';
import { isTrial, readJournal } from '../experiments/journal.js';
import { readRecord } from '../experiments/record.js';
import { htmlReport } from './html.js';
import { markdownReport } from './markdown.js';

/** @returns the files written */
export async function writeReports(directory: string, summary: Summary): Promise<string[]> {
  const record = await readRecord(directory);
  if (!record) throw new DkvError('RUN_DAMAGED', `${directory}: has no run.json.`);
  const trials = (await readJournal(path.join(directory, 'trials.jsonl'))).filter(isTrial);
  const contents = {
    'report.md': markdownReport(summary, record),
    'report.html': htmlReport(summary, trials, record),
  };
  for (const [name, content] of Object.entries(contents)) await writeFile(path.join(directory, name), content);
  return Object.keys(contents).map((name) => path.join(directory, name));
}
