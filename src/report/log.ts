/** The results log: one row a run, generated from all records below a folder. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DkvError, messageOf } from '../base/errors.js';
import { expectFolder } from '../base/files.js';
import { filesBelow } from '../base/files-below.js';
import { readSummary } from '../runs/run-folder.js';
import { RECORD_FILE, type RunRecord } from '../runs/schema/record.js';
import type { Summary } from '../runs/schema/summary.js';
import { STYLE } from './formats/html-style.js';
import { TABLE_SCRIPT } from './formats/table-script.js';
import {
  areByPlace,
  bareNllsToCompare,
  holdsAll,
  mayHold,
  type SampledRun,
  type Samples,
  samplesToCompare,
} from './shared-samples.js';
import { escapeHtml, escapeMarkdown, number, renderHtml, renderMarkdown, type Table, text } from './tables/table.js';
import { signed, withInterval } from './words/format.js';
import { isPrimary } from './words/labels.js';

export interface LoggedRun {
  /** The run's folder, below the folder that was asked for. */
  readonly folder: string;
  readonly date: string;
  readonly experiment: string;
  readonly model: string;
  readonly builtIn: boolean;
  /** True for a run that others recorded and this program did not compute. */
  readonly imported?: true;
  readonly dataset: string;
  /** The number of samples or pools that were asked for. */
  readonly samples: number;
  /** The number of samples or pools that the effect is of. */
  readonly scored: number;
  /** The folder of the earliest run of the same model on the same samples. What both show is no independent evidence. */
  readonly sameSamplesAs?: string;
  /** The folder of the earliest run of the same model that has all of its samples and more. What both show is no independent evidence. */
  readonly partOf?: string;
  /** The folder of the earliest of these runs whose effect is the same as well, so that both are one measurement. */
  readonly sameEffectAs?: string;
  /** True where its samples could not be read, or are told by their places alone and are not those of an earlier run, so that nobody knows whether others have them. */
  readonly samplesNotCompared?: true;
  readonly smokeRun: boolean;
  /** What the primary comparison is of, and its effect in words; null for a run that compares nothing. */
  readonly primary: {
    readonly comparison: string;
    readonly effect: string;
    readonly trimmed: string;
    readonly d: string;
  } | null;
}

export interface ResultsLog {
  /** The runs, the oldest first. */
  readonly runs: readonly LoggedRun[];
  /** Folders whose record is unfinished, damaged or of another format, with the reason. */
  readonly unread: readonly { readonly folder: string; readonly reason: string }[];
}

interface ReadRun extends SampledRun {
  readonly run: LoggedRun;
}

/** @throws DkvError INPUT_INVALID when there is no such folder */
export async function collectRuns(root: string): Promise<ResultsLog> {
  const read: ReadRun[] = [];
  const unread: { folder: string; reason: string }[] = [];
  for (const folder of await runFolders(root)) {
    try {
      const { record, summary } = await readSummary(path.join(root, folder));
      read.push({ folder, record, summary, run: loggedRun(folder, record, summary) });
    } catch (error) {
      unread.push(unreadable(error, root, folder));
    }
  }
  read.sort(({ run: a }, { run: b }) => (a.date < b.date ? -1 : a.date > b.date ? 1 : a.folder < b.folder ? -1 : 1));
  const samples = await samplesToCompare(read, root);
  const bareNlls = await bareNllsToCompare(read, root);
  for (const [folder, error] of [...samples.failed, ...bareNlls.failed]) unread.push(unreadable(error, root, folder));
  return { runs: withTwins(read, samples.of, bareNlls.of), unread };
}

/** A folder that is not read, with the reason. @throws what is no fault of the folder */
function unreadable(error: unknown, root: string, folder: string): ResultsLog['unread'][number] {
  if (!(error instanceof DkvError)) throw error;
  // Once only: what a command behind it names has to be found from here.
  return { folder, reason: messageOf(error).replace(path.join(root, folder), folder || '.') };
}

/** Says of each run which earlier one is of the same samples, which shows the same effect on them, and which one has all of its samples and more. */
function withTwins(
  runs: readonly ReadRun[],
  samples: ReadonlyMap<string, Samples>,
  bareNlls: ReadonlyMap<string, string>,
): LoggedRun[] {
  const canCompare = (...both: readonly ReadRun[]) => both.every(({ folder }) => samples.has(folder));
  const digestOf = ({ record }: ReadRun) => record.configuration.dataset.digest;
  const haveSameSamples = (one: ReadRun, other: ReadRun) =>
    digestOf(one) === digestOf(other) ||
    (areByPlace(one, other) && bareNlls.has(one.folder) && bareNlls.get(one.folder) === bareNlls.get(other.folder));
  return runs.map((own, at) => {
    const { run } = own;
    const earlier = runs
      .slice(0, at)
      .filter(
        (other) => haveSameSamples(other, own) && other.run.model === run.model && other.run.samples === run.samples,
      );
    const alike = earlier.find(({ run: { primary } }) => run.primary !== null && isSameEffect(primary, run.primary));
    const larger = runs.find(
      (other) =>
        mayHold(other, own) && canCompare(other, own) && holdsAll(samples.get(other.folder)!, samples.get(own.folder)!),
    );
    const isCompared = runs.every((other) => {
      if (areByPlace(other, own)) return earlier.length > 0 || haveSameSamples(other, own);
      return !(mayHold(other, own) || mayHold(own, other)) || samples.has(own.folder);
    });
    return {
      ...run,
      ...(earlier[0] && { sameSamplesAs: earlier[0].run.folder }),
      ...(larger && { partOf: larger.run.folder }),
      ...(!isCompared && { samplesNotCompared: true as const }),
      ...(alike && { sameEffectAs: alike.run.folder }),
    };
  });
}

function isSameEffect(one: LoggedRun['primary'], other: LoggedRun['primary']): boolean {
  return one?.effect === other?.effect && one?.trimmed === other?.trimmed && one?.d === other?.d;
}

/** The run folders below a folder, each once and itself among them where it is one (as an empty name), in the order of their names. @throws DkvError INPUT_INVALID when there is no such folder */
export async function runFolders(root: string): Promise<string[]> {
  await expectFolder(root, 'the runs');
  const files = await filesBelow(root, ['node_modules']);
  return files
    .filter((file) => path.basename(file) === RECORD_FILE)
    .map((file) => path.dirname(file))
    .map((folder) => (folder === '.' ? '' : folder))
    .sort();
}

function loggedRun(folder: string, { started_at }: RunRecord, summary: Summary): LoggedRun {
  const { experiment, model, dataset, samples, imported } = summary.configuration;
  return {
    folder: folder || '.',
    date: started_at.slice(0, 10),
    experiment: experiment.id,
    model: model.name,
    builtIn: model.built_in,
    ...(imported && { imported: true as const }),
    dataset: dataset.name,
    samples,
    scored: summary.ranking?.pools ?? summary.samples.scored,
    smokeRun: summary.smoke_run,
    primary: primaryOf(summary),
  };
}

/** The comparison named beforehand: by NLL, or for a ranking by its first measure. */
function primaryOf({ configuration: { experiment }, comparisons, ranking }: Summary): LoggedRun['primary'] {
  const byNll = comparisons.find((comparison) => isPrimary(experiment, comparison));
  const ranked = ranking?.comparisons.find((comparison) => isPrimary(experiment, comparison));
  const { treatment, baseline } = byNll ?? ranked ?? {};
  const gain = byNll?.gain ?? ranked?.differences[0];
  if (!gain) return null;
  const unit = ranked ? ranking!.measures[0]!.name : 'nats';
  return {
    comparison: `${treatment} against ${baseline}`,
    effect: `${withInterval(gain.mean, (x) => signed(x, 3))} ${unit}`,
    trimmed: withInterval(gain.trimmed_mean, (x) => signed(x, 3)),
    d: signed(gain.d.value, 2),
  };
}

const ABOUT =
  'Generated by `dkv log` from the records of the runs; not written by hand. The effect is that of the comparison named before the run (positive is better), with its 95% interval. N is the number of samples, or pools, that were scored. Rows on the same samples as an earlier one, or on a part of those of another, are no independent evidence; with the same effect as well they are one measurement under two names. Smoke runs have fewer samples than their protocol asks for: no conclusions.';

export const ABOUT_BUILT_IN =
  'Small and trained to use a query in the encoder: its figures are never compared with those of other models.';

export function logMarkdown({ runs, unread }: ResultsLog): string {
  const own = runs.filter(({ builtIn }) => builtIn);
  const others = runs.filter(({ builtIn }) => !builtIn);
  const parts = ['# Results log', ABOUT];
  if (others.length > 0) parts.push('## Pretrained models', renderMarkdown(logTable(others)));
  if (own.length > 0) {
    parts.push('## The built-in model', ABOUT_BUILT_IN, renderMarkdown(logTable(own)));
  }
  if (runs.length === 0) parts.push('No finished runs.');
  if (unread.length > 0) {
    const lines = unread.map(({ folder, reason }) => `- ${escapeMarkdown(`${folder || '.'}: ${reason}`)}`);
    parts.push('## Not read', lines.join('\n'));
  }
  return `${parts.join('\n\n')}\n`;
}

/** The title of the page, by which it is known. */
export const LOG_TITLE = 'Results log';

/** The address of a file in a page that stands in a folder. */
export function addressFrom(directory: string, file: string): string {
  return path.relative(directory, file).split(path.sep).map(encodeURIComponent).join('/');
}

/**
 * The log as a page of its own, an index of the runs' reports.
 * @param root the folder of the runs
 * @param directory where the page is to stand; its links lead from there
 */
export function logHtml({ runs, unread }: ResultsLog, root: string, directory: string): string {
  const linkOf = ({ folder }: LoggedRun) => {
    const report = path.join(root, folder, 'report.html');
    return existsSync(report) ? addressFrom(directory, report) : undefined;
  };
  const part = (title: string, about: string, shown: readonly LoggedRun[]) =>
    shown.length === 0
      ? ''
      : `<h2>${title}</h2>\n<p>${escapeHtml(about)}</p>\n<div class="wide">${renderHtml(logTable(shown), shown.map(linkOf))}</div>\n`;
  const others = runs.filter(({ builtIn }) => !builtIn);
  const own = runs.filter(({ builtIn }) => builtIn);
  const reasons = unread.map(({ folder, reason }) => `<li>${escapeHtml(`${folder || '.'}: ${reason}`)}</li>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${LOG_TITLE}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Results log</h1>
<p class="note">${escapeHtml(ABOUT.replaceAll('`', ''))} A folder leads to its report.</p>
${part('Pretrained models', '', others)}${part('The built-in model', ABOUT_BUILT_IN, own)}${runs.length === 0 ? '<p>No finished runs.</p>\n' : ''}${reasons.length > 0 ? `<h2>Not read</h2>\n<ul>${reasons.join('\n')}</ul>\n` : ''}<script>${TABLE_SCRIPT}</script>
</main>
</body>
</html>
`;
}

/** The runs as a table, one row each. */
export function logTable(runs: readonly LoggedRun[]): Table {
  return {
    columns: [
      text('date'),
      text('experiment'),
      text('model'),
      text('dataset'),
      number('N'),
      text('primary comparison'),
      number('effect [95%]'),
      number('trimmed mean [95%]'),
      number('d, nominal'),
      text('same samples as'),
      text('smoke run'),
      text('folder'),
    ],
    rows: runs.map((run) => [
      run.date,
      run.experiment,
      `${run.model}${run.imported ? ' (imported)' : ''}`,
      run.dataset,
      run.scored === run.samples ? String(run.samples) : `${run.scored} of ${run.samples}`,
      run.primary?.comparison ?? '–',
      run.primary?.effect ?? '–',
      run.primary?.trimmed ?? '–',
      run.primary?.d ?? '–',
      twinsOf(run),
      run.smokeRun ? 'yes: no conclusions' : 'no',
      run.folder,
    ]),
  };
}

function twinsOf({ sameSamplesAs, partOf, sameEffectAs, samplesNotCompared }: LoggedRun): string {
  const effect = sameEffectAs && `${sameEffectAs} (and the same effect)`;
  const twins = [
    sameSamplesAs === sameEffectAs ? undefined : sameSamplesAs,
    effect,
    partOf && `part of ${partOf}`,
    samplesNotCompared && 'not known (samples not compared)',
  ];
  return twins.filter((twin) => twin !== undefined).join('; ') || '–';
}
