/** A run begins in its folder, or goes on with what the folder holds. */
import path from 'node:path';
import { Breather } from '../../base/breather.js';
import { DkvError } from '../../base/errors.js';
import { onnxRuntimeVersion } from '../../engine/onnxruntime.js';
import { LiteralTokens } from '../../model/tokenizer/literal-tokens.js';
import { changedOptions } from '../../runs/changed-options.js';
import { goOnCommand } from '../../runs/go-on.js';
import { findJournal, recoverJournal } from '../../runs/journal.js';
import { readRecord, writeRecord } from '../../runs/record.js';
import { findSummary } from '../../runs/run-folder.js';
import { readSamples, writeSamples } from '../../runs/samples.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Entry } from '../../runs/schema/entry.js';
import { specificationsOf } from '../../runs/schema/experiment.js';
import { type JournalOwner, ownerOf } from '../../runs/schema/journal-head.js';
import type { PlannedRun } from '../../runs/schema/locked-plan.js';
import type { RunRecord } from '../../runs/schema/record.js';
import { expectOwnEntries, expectSummedUp } from '../../runs/schema/run.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import { TRIALS_FILE } from '../../runs/schema/trials.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import { type Model, sameNumbers } from '../../scoring/load-model.js';
import type { Scored } from '../plan/unit.js';
import type { WrongAnswers } from '../plan/wrong-answers.js';
import type { RunOptions } from './options.js';
import { holdSamples } from './same-samples.js';
import { samplesOf } from './samples.js';
import { recordPlan, underPlan } from './under-plan.js';

export interface StartedRun {
  /** The configuration of the run in the folder. */
  readonly configuration: Configuration;
  readonly records: readonly SampleRecord[];
  /** Every entry of the journal: those of earlier calls, to which this call's are added. */
  readonly entries: Entry[];
  readonly journalFile: string;
  /** The run that the journal belongs to. */
  readonly owner: JournalOwner;
  /** True where the journal was compressed when the run went on. */
  readonly isCompressed: boolean;
  /** True where the folder holds texts, false where it holds digests of them. */
  readonly keepsTexts: boolean;
  /** The plan of the run; undefined without one. */
  readonly planned: PlannedRun | undefined;
}

/** @throws DkvError RUN_EXISTS, RUN_MISMATCH, RUN_DAMAGED, CANCELLED */
export async function start(
  asked: Configuration,
  data: Dataset | PoolSet,
  { units, wrongAnswers }: Pick<Scored, 'units'> & { readonly wrongAnswers?: WrongAnswers | undefined },
  model: Model,
  options: Pick<
    RunOptions,
    | 'directory'
    | 'resume'
    | 'noText'
    | 'study'
    | 'asked'
    | 'plan'
    | 'ignoreCeiling'
    | 'ignoreFloor'
    | 'signal'
    | 'onNotice'
  >,
): Promise<StartedRun> {
  const { directory, resume, noText = false, study, signal, onNotice } = options;
  const { experiment } = asked;
  const planned = await underPlan(experiment, options, units);
  const hasLiterals = () => {
    const literals = new LiteralTokens(model.tokenizer);
    literals.see(...specificationsOf(experiment));
    for (const { sample } of units) literals.see(sample.document, sample.query, sample.answer);
    return literals.count > 0;
  };
  const started = await startedRecord(directory, asked, model, resume, hasLiterals);
  const journalFile = path.join(directory, TRIALS_FILE);
  if (!started && (await findJournal(journalFile))?.bytes.length) {
    throw new DkvError(
      'RUN_DAMAGED',
      `${directory} holds trials but no run.json that says what they are of. Bring it back from a copy, or choose another folder with --out.`,
    );
  }
  const samplesMade = (withTexts: boolean) =>
    new Breather(signal, STOPPED).map(
      samplesOf(data, units, asked, model.tokenizer, { withTexts, wrongAnswers }),
      (sample) => sample,
    );
  if (started) {
    await holdSamples(directory, started, samplesMade, !noText, onNotice);
    await recordPlan(directory, planned);
  } else {
    const samples = await writeSamples(directory, await samplesMade(!noText));
    const versions = { 'onnxruntime-node': onnxRuntimeVersion() };
    await writeRecord(directory, asked, versions, { samples, study, asked: options.asked, plan: planned });
  }
  // As it reads, also of a run that begins: its summary is that of a run that went on, byte for byte.
  const record = started ?? (await readRecord(directory))!;
  const owner = ownerOf(record);
  const records = await readSamples(directory, record);
  const recovered = await recoverJournal(journalFile, owner, onNotice);
  expectOwnEntries(recovered, records, experiment);
  if (!owner.isBound) {
    const summary = await findSummary(directory, record);
    if (summary) expectSummedUp(recovered, summary);
  }
  return {
    configuration: record.configuration,
    records,
    entries: recovered.entries,
    journalFile,
    owner,
    planned,
    isCompressed: recovered.file !== journalFile,
    // A run that was begun without texts goes on so.
    keepsTexts: !noText && records.some(({ texts }) => texts !== undefined),
  };
}

export const STOPPED = 'The run was stopped.';

/**
 * The record of the run that the folder holds, if one may go on there.
 * @param model as it is and was known
 * @param hasLiterals does a text of the run hold control tokens as they are written?
 * @throws DkvError when the folder holds another run, or one that nobody asked to go on with
 */
async function startedRecord(
  directory: string,
  asked: Configuration,
  model: Pick<Model, 'name' | 'fingerprint' | 'formerly'>,
  resume: boolean,
  hasLiterals: () => boolean,
): Promise<RunRecord | undefined> {
  const record = await readRecord(directory);
  if (!record) return undefined;
  const { configuration } = record;
  const { control_tokens = hasLiterals() ? 'keep' : asked.control_tokens } = configuration;
  // An earlier release knew the same model, with the same numbers, by another fingerprint.
  const { fingerprint } = configuration.model;
  const former = model.formerly.find((identity) => identity.fingerprint === fingerprint);
  if (former?.changed !== undefined) {
    throw new DkvError(
      'RUN_MISMATCH',
      `${directory} holds a run that release ${former.release} made with ${model.name} as ${asked.model.precision}; since then ${former.changed}. Repeat it in another folder (--out), or go on with that release.`,
    );
  }
  const known = sameNumbers(model).includes(fingerprint) ? { ...asked, model: { ...asked.model, fingerprint } } : asked;
  // What runs say since about their models is no change of them.
  const older = { ...known.model };
  for (const field of ['vocabulary', 'weights'] as const) if (!(field in configuration.model)) delete older[field];
  const comparable = { ...known, model: older };
  const changed = changedOptions({ ...configuration, ...(control_tokens && { control_tokens }) }, comparable);
  if (changed.length > 0) {
    throw new DkvError(
      'RUN_MISMATCH',
      `${directory} holds a run with other options than these:\n${changed.map((line) => `  ${line}`).join('\n')}\nChoose another folder with --out, or go on with that run:\n  ${goOnCommand(record, directory)}`,
    );
  }
  if (!resume) {
    throw new DkvError(
      'RUN_EXISTS',
      `${directory} already holds this run. Continue it with --resume, or choose another folder with --out.`,
    );
  }
  return record;
}
