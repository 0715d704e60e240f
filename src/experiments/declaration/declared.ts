/**
 * What may be declared beside an experiment, and is no part of its record: which data and model it is run with, so that one file is a study, and functions
 * that make surrogates. A run's record says what became of them: the data by name, revision, columns and digest, the model by its fingerprint, a function by
 * its name and the digest of its source.
 */
import { z } from 'zod';
import { ROLES, SEPARATOR_NAMES, separatorOf } from '../../datasets/options.js';
import type { Condition, Encoding } from '../../priming/condition.js';
import type { DeclaredFunction, SurrogateFunctions } from '../../priming/surrogate-function.js';
import { type Experiment, type ExperimentDeclaration, experimentSchema } from '../../runs/schema/experiment.js';

const text = z.string().min(1);

export const dataChoiceSchema = z.strictObject({
  dataset: text.describe(
    'What `--dataset` takes: a name, `beir:FOLDER`, a file or an address. Files and folders are sought from the folder of the experiment’s file.',
  ),
  revision: text.optional().describe('Branch, tag or commit of a data set on the hub.'),
  columns: z
    .partialRecord(z.enum(ROLES), text)
    .optional()
    .describe('Of a table: which column plays a role, where it does not have the role’s name.'),
  separator: z
    .string()
    .refine((given) => separatorOf(given) !== undefined, {
      error: `expected ${SEPARATOR_NAMES.join(', ')} or one character`,
    })
    .optional()
    .describe(`Between fields of a .csv or .tsv file: ${SEPARATOR_NAMES.join(', ')} or one character.`),
  quoting: z
    .enum(['csv', 'none'])
    .optional()
    .describe('`csv`: fields of such a file stand in double quotes; `none`: a quote is text.'),
  header: z.array(text).readonly().optional().describe('Its columns, where the first line is a row.'),
});

/** The data that an experiment is run on. */
export type DataChoice = z.infer<typeof dataChoiceSchema>;

/** The schema of an experiment in a file, with data and model where the file names them. */
export const experimentFileSchema = experimentSchema
  .extend({
    data: dataChoiceSchema.optional().describe('The data that `dkv run` takes, where the command line names none.'),
    model: text
      .optional()
      .describe(
        'The model that `dkv run` takes, where the command line names none: a checkpoint’s folder, sought from the folder of the file, or organisation/name[@revision] on the hub.',
      ),
  })
  .meta({ id: 'experiment_file' });

/** What a file or module declares beside the experiment itself. */
export interface StudySetting {
  /** The data that the experiment is run on, where the file names them. */
  readonly data?: DataChoice | undefined;
  /** The model that the experiment is run with, where the file names one. */
  readonly model?: string | undefined;
  /** The functions among the experiment's surrogates. */
  readonly functions?: SurrogateFunctions | undefined;
}

/** An experiment together with the settings from its file or module. */
export type DeclaredExperiment = Experiment & StudySetting;

/** The prefix that a declaration asks for: the text that stands before the document. */
export interface DeclaredSurrogate {
  /** A surrogate's specification, or a function that makes the text. */
  readonly surrogate?: string | DeclaredFunction | undefined;
}

/** A pass of the encoder, as a module may declare it. */
export type EncodingDeclaration = Omit<Encoding, 'surrogate'> & DeclaredSurrogate;

/** A condition, as a module may declare it. */
export type ConditionDeclaration = Omit<Condition, 'surrogate' | 'also'> &
  DeclaredSurrogate & { readonly also?: readonly EncodingDeclaration[] | undefined };

/** An experiment, as a module may declare it. Whatever is left out takes its default. */
export type StudyDeclaration = Omit<ExperimentDeclaration, 'conditions'> &
  Omit<StudySetting, 'functions'> & { readonly conditions: readonly ConditionDeclaration[] };

/** The experiment alone, as a record holds it. */
export function recordedExperiment(declared: DeclaredExperiment): Experiment {
  const { data: _data, model: _model, functions: _functions, ...experiment } = declared;
  return experiment;
}
