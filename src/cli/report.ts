/** `dkv report`: rebuilds the reports of a run from its folder, or those of all runs below one. */

import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { DkvError } from '../base/errors.js';
import { expectFolder } from '../base/files.js';
import type { ReportLinks } from '../report/formats/links.js';
import type { ReportFormat } from '../report/report.js';
import { reportFilesSchema } from '../wire/runs.js';
import { printJson } from './json.js';
import { Progress, sayNotice, TEMPERATURES } from './terminal.js';

const FORMATS = ['html', 'md', 'ipynb', 'tex', 'svg', 'png'] as const satisfies readonly ReportFormat[];

interface ReportCommandOptions {
  readonly format: readonly ReportFormat[];
  readonly text: boolean;
  readonly renew: boolean;
  readonly json: boolean;
}

export function reportCommand(): Command {
  return new Command('report')
    .description('Rebuild the reports of a finished run, or of all runs below a folder; no model is needed.')
    .argument('<run>', 'run folder, as made by "dkv run", or a folder of run folders')
    .option('--format <list>', `any of ${FORMATS.join(',')}`, formats, [...FORMATS])
    .option('--no-text', "keep the samples' texts out of the reports")
    .option('--renew', 'make summary.json again from the trials, whichever version made it', false)
    .option('--json', 'print the written files as JSON', false)
    .addHelpText(
      'after',
      `
html   report.html: everything in one file, with a browser of single samples
md     report.md
ipynb  notebook.ipynb with its outputs, and the tables and figures that it shows
tex    tables/*.tex, for \\input
svg    figures/*.svg on white
png    figures/*.png on white, 300 pixels an inch

Below a folder of run folders every run gets its reports; those that cannot be read are named in the end. Their pages lead
to each other and to an index.html in that folder.
A summary.json of release 0.1.0 is made again from the trials, where they are there; --renew makes any again, as this version computes.

Examples:
  dkv report results/exp01
  dkv report results
  dkv report results/exp01 --format tex,png
  dkv report results/exp01 --format html --no-text`,
    )
    .action(report);
}

async function report(directory: string, options: ReportCommandOptions): Promise<void> {
  const folders = await foldersOf(directory);
  const files: string[] = [];
  const refused: DkvError[] = [];
  const isCollection = folders.length > 1 && options.format.includes('html');
  const { linksAmong, writeIndex } = await import('../report/collection.js');
  for (const folder of folders) {
    try {
      const links = isCollection ? linksAmong(folders, folder, directory) : undefined;
      files.push(...(await reportRun(folder, options, links)));
    } catch (error) {
      // The other runs below the folder have nothing to do with this one.
      if (folders.length === 1 || !(error instanceof DkvError)) throw error;
      refused.push(error);
    }
  }
  if (isCollection) {
    const index = path.relative('.', await writeIndex(directory));
    files.push(index);
    if (!options.json) process.stdout.write(`${index}\n`);
  }
  if (options.json) printJson(reportFilesSchema, { files });
  if (refused[0]) {
    const reasons = refused.map(({ message }) => `\n  ${message}`).join('');
    throw new DkvError(refused[0].code, `${refused.length} of ${folders.length} runs got no report:${reasons}`);
  }
}

/** The run folder itself, or all below it. */
async function foldersOf(directory: string): Promise<string[]> {
  const { readRecord } = await import('../runs/record.js');
  await expectFolder(directory, 'the runs');
  if (await readRecord(directory)) return [directory];
  const { runFolders } = await import('../report/log.js');
  const below = await runFolders(directory);
  // A folder without any run is refused as one that is none.
  return below.length > 0 ? below.map((folder) => path.join(directory, folder)) : [directory];
}

/** @returns the files that were written, from the working directory; they are printed unless JSON will be */
async function reportRun(
  directory: string,
  { format, text, renew, json }: ReportCommandOptions,
  links: ReportLinks | undefined,
): Promise<string[]> {
  const { renewedSummary } = await import('../experiments/analysis/renew.js');
  const { writeReports } = await import('../report/report.js');
  const { UNBOUND_SAMPLES } = await import('../report/tables/origin.js');
  const { readRecord } = await import('../runs/record.js');
  const { heldTwice } = await import('../runs/run-folder.js');
  const temperatures = new Progress(TEMPERATURES, 'trials');
  const { summary, renewed } = await renewedSummary(directory, renew, (done, total) =>
    temperatures.update(done, total),
  );
  temperatures.end();
  if (renewed) {
    const why = renew ? 'The summary' : 'The summary was made by an older version: it';
    process.stderr.write(`${why} has been made again from the trials.\n`);
  }
  const record = await readRecord(directory);
  if (record?.samples_crc32 === undefined) process.stderr.write(`${directory}: ${UNBOUND_SAMPLES}\n`);
  const files = await writeReports(directory, summary, { formats: format, noText: !text, links });
  if (record) heldTwice(directory, record).forEach(sayNotice);
  const shown = files.map((file) => path.relative('.', file));
  if (!json) process.stdout.write(`${shown.join('\n')}\n`);
  return shown;
}

function formats(list: string): readonly ReportFormat[] {
  const wanted = list.split(',').map((format) => format.trim());
  const isFormat = (format: string): format is ReportFormat => FORMATS.some((known) => known === format);
  const unknown = wanted.find((format) => !isFormat(format));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is none; expected ${FORMATS.join(', ')}, separated by commas.`);
  }
  return wanted.filter(isFormat);
}
