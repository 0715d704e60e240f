/** Which experiment a command is about, and what its own file says of data, model and itself where the command line does not. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { sha256 } from '../base/bytes.js';
import { DkvError } from '../base/errors.js';
import { didYouMean } from '../base/near.js';
import { type Columns, separatorOf } from '../datasets/options.js';
import { EXPERIMENT_IDS } from '../experiments/catalogue/ids.js';
import type { DeclaredExperiment } from '../experiments/declaration/declared.js';
import type { Arm, Experiment, Outcome } from '../runs/schema/experiment.js';
import type { AskedRecord, StudyRecord } from '../runs/schema/record.js';
import { type TableOptions, textForm } from './table-options.js';
import { sayNotice } from './terminal.js';

/** All experiments that there are. */
export const ALL = 'all';

/** The options that name the data and the model. */
export interface ChosenOptions extends TableOptions {
  readonly dataset: string;
  readonly datasetRevision?: string;
  readonly columns: readonly string[];
  readonly model: string;
  readonly n?: number;
  readonly seed?: number;
  readonly prompt?: Experiment['prompt'];
  readonly maxLength?: number;
  readonly outcomes?: (Outcome | 'none')[];
  readonly arms?: Arm[];
}

/** The options together with the columns that the experiment's file names. Those of the command line come first. */
export type StudyOptions<T extends ChosenOptions> = T & { readonly fileColumns: Columns };

interface AskedStudy<T extends ChosenOptions> {
  readonly experiments: readonly DeclaredExperiment[];
  readonly options: StudyOptions<T>;
  /** The file that the only experiment was read from. */
  readonly study?: StudyRecord;
}

/**
 * The experiments of a name or a file, with the options to go on with. What the command line says in place of the file is said.
 * @throws DkvError INPUT_INVALID
 */
export async function askedStudy<T extends ChosenOptions>(
  name: string,
  asked: T,
  command: Command,
): Promise<AskedStudy<T>> {
  const { experiments, file } = await experimentsNamed(name);
  if (file === undefined) return { experiments, options: studyOptions(asked, {}, command).options };
  const { options, overruled } = studyOptions(asked, experiments[0]!, command);
  if (overruled.length > 0) sayNotice(`Taken from the command line, and not from ${file}: ${overruled.join(', ')}.`);
  const digest = sha256(await readFile(file)).toString('hex');
  return { experiments, options, study: { file: path.basename(file), digest, overruled } };
}

interface Named {
  readonly experiments: readonly DeclaredExperiment[];
  /** The file that the only experiment was read from. */
  readonly file?: string;
}

async function experimentsNamed(name: string): Promise<Named> {
  const { isExperimentFile, readExperiment } = await import('../experiments/declaration/file.js');
  if (isExperimentFile(name)) return { experiments: [await readExperiment(name)], file: name };
  const { EXPERIMENTS } = await import('../experiments/catalogue/registry.js');
  if (name === ALL) return { experiments: Object.values(EXPERIMENTS) };
  const known = EXPERIMENTS[name];
  if (known) return { experiments: [known] };
  throw new DkvError(
    'INPUT_INVALID',
    `There is no experiment "${name}".${didYouMean(name, [...EXPERIMENT_IDS, ALL])} There are: ${EXPERIMENT_IDS.join(', ')}, ${ALL}. A file of your own ends in .yaml, .json, .ts or .js.`,
  );
}

/**
 * The command line goes before the file: a data set that is named there replaces all that the file says of data, any other option what it is about.
 * @param declared what the file says; what it leaves to the experiment's defaults counts as said
 * @returns options to go on with, and the options that took the place of something that the file says
 */
export function studyOptions<T extends ChosenOptions>(
  options: T,
  { data, model, seed, prompt, protocol, outcomes }: Partial<DeclaredExperiment>,
  command: Command,
): { options: StudyOptions<T>; overruled: string[] } {
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  const { dataset, revision, separator, quoting, header, columns = {} } = data ?? {};
  const said = {
    dataset,
    datasetRevision: revision,
    separator: separator === undefined ? undefined : separatorOf(separator),
    quoting,
    header,
    model,
  };
  const ofData = (name: string) => name !== 'model' && isGiven('dataset');
  const taken = Object.entries(said).filter(([name, value]) => value !== undefined && !isGiven(name) && !ofData(name));
  // What the experiment has in any case is overruled by another value alone.
  const own = { n: protocol?.samples, seed, prompt, maxLength: protocol?.max_tokens, outcomes };
  const isOther = (name: keyof typeof own) => JSON.stringify(options[name]) !== JSON.stringify(own[name]);
  const isOverruled = ([name, value]: [string, unknown]) => value !== undefined && isGiven(name);
  const overruled = [
    ...Object.entries(said).filter(isOverruled),
    ...(Object.keys(columns).length > 0 && isGiven('columns') ? [['columns']] : []),
    ...Object.entries(own)
      .filter(isOverruled)
      .filter(([name]) => isOther(name as keyof typeof own)),
  ].map(([name]) => `--${(name as string).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  return {
    options: { ...options, ...Object.fromEntries(taken), fileColumns: isGiven('dataset') ? {} : columns },
    overruled,
  };
}

/** What the command line says of a table and a run's configuration does not. */
export async function askedOfTable({
  columns,
  ...form
}: Pick<ChosenOptions, 'columns' | keyof TableOptions>): Promise<AskedRecord> {
  const { parseColumns } = await import('../datasets/mapped.js');
  return {
    ...(columns.length > 0 && { columns: parseColumns(columns) as Record<string, string> }),
    ...textForm(form),
  };
}
