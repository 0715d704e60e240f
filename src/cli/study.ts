/** What an experiment's own file says of data and model, where the command line does not. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { sha256 } from '../base/bytes.js';
import { type Columns, separatorOf } from '../datasets/options.js';
import type { DeclaredExperiment } from '../experiments/declaration/declared.js';
import type { StudyRecord } from '../runs/schema/record.js';
import type { TableOptions } from './table-options.js';

/** The options that name the data and the model. */
export interface ChosenOptions extends TableOptions {
  readonly dataset: string;
  readonly datasetRevision?: string;
  readonly columns: readonly string[];
  readonly model: string;
}

/** The options together with the columns that the experiment's file names. Those of the command line come first. */
export type StudyOptions<T extends ChosenOptions> = T & { readonly fileColumns: Columns };

/**
 * The command line goes before the file: a data set that is named there replaces all that the file says of data, any other option what it is about.
 * @returns options to go on with, and the options that took the place of something that the file says
 */
export function studyOptions<T extends ChosenOptions>(
  options: T,
  { data, model }: Pick<DeclaredExperiment, 'data' | 'model'>,
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
  const overruled = [
    ...Object.entries(said).flatMap(([name, value]) => (value !== undefined && isGiven(name) ? [name] : [])),
    ...(Object.keys(columns).length > 0 && isGiven('columns') ? ['columns'] : []),
  ];
  return {
    options: { ...options, ...Object.fromEntries(taken), fileColumns: isGiven('dataset') ? {} : columns },
    overruled: overruled.map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`),
  };
}

/** Makes the run record's entry about the experiment's file. */
export async function studyRecord(file: string, overruled: readonly string[]): Promise<StudyRecord> {
  return { file: path.basename(file), digest: sha256(await readFile(file)).toString('hex'), overruled: [...overruled] };
}
