/**
 * Runs an experiment: plans blocks, encodes each distinct input once, scores all conditions from the states, journals the trials and
 * ends with a summary. Can stop anywhere and go on later.
 */
import path from 'node:path';
import { DkvError } from '../../base/errors.js';
import { workingIn } from '../../base/files.js';
import { withLock } from '../../base/lock.js';
import { prepareSurrogates } from '../../priming/prepare.js';
import { callFunctions, type SurrogateFunctions } from '../../priming/surrogate-function.js';
import { describeDeviation, deviationsAtStart } from '../../runs/deviations.js';
import { describeLeftOut } from '../../runs/left-out.js';
import { packRun, writeSummary } from '../../runs/run-folder.js';
import { isRejection } from '../../runs/schema/entry.js';
import { specificationsOf } from '../../runs/schema/experiment.js';
import type { Summary } from '../../runs/schema/summary.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import { tokensRead } from '../../scoring/inputs.js';
import type { Model } from '../../scoring/load-model.js';
import { summarize } from '../analysis/summarize.js';
import type { DeclaredExperiment } from '../declaration/declared.js';
import type { Computable } from '../plan/conditions.js';
import { EXCLUSIONS } from '../plan/exclusions.js';
import { planOf } from '../plan/plan.js';
import { unitsOf } from '../plan/unit.js';
import { wrongAnswersOf } from '../plan/wrong-answers.js';
import { computableBy, configurationOf } from './configuration.js';
import { expectSameTexts } from './functions.js';
import { marginFrom } from './margin-from.js';
import type { RunOptions } from './options.js';
import { expectSameWrongAnswers } from './same-answers.js';
import { start } from './start.js';
import { computeTrials } from './trials.js';
import { WrittenTexts } from './written.js';

/**
 * Runs an experiment and writes its run folder.
 * @param data the samples to score or the pools to rank, already chosen: their number is the run's N
 * @throws DkvError RUN_EXISTS, RUN_MISMATCH, RUN_DAMAGED, RUN_BUSY, CANCELLED (what was done is in the journal), INPUT_INVALID where the model
 * lacks a segment that the primary comparison needs, no sample can be scored, or a surrogate's function is missing or gives something else than a
 * string, and what the engine throws
 */
export async function runExperiment(
  experiment: DeclaredExperiment,
  data: Dataset | PoolSet,
  model: Model,
  options: RunOptions,
): Promise<Summary> {
  const { directory } = options;
  const own = { ...options, maxTokens: tokensRead(model, options.maxTokens) };
  const computable = computableBy(experiment, model, options.writer);
  // The report names them all.
  for (const notice of describeLeftOut(computable.leftOut, 5)) options.onNotice?.(notice);
  const refuse = (holder: string) =>
    new DkvError(
      'RUN_BUSY',
      `${directory}: ${holder} is at work on this run. Wait for it, stop it, or choose another folder with --out.`,
    );
  const work = () => runAlone(computable, experiment.functions, data, model, own);
  return workingIn(directory, () => withLock(path.join(directory, 'run.lock'), work, { refuse }));
}

async function runAlone(
  computable: Computable,
  functions: SurrogateFunctions = new Map(),
  data: Dataset | PoolSet,
  model: Model,
  options: RunOptions,
): Promise<Summary> {
  const { experiment } = computable;
  const { signal } = options;
  const scored = unitsOf(data);
  // What ends the run here leaves the folder as it is, for a function that is mended.
  const samples = scored.units.map(({ sample }) => sample);
  const functionTexts = await callFunctions(specificationsOf(experiment), functions, samples, signal);
  const wrongAnswers = experiment.outcomes?.includes('contrast')
    ? wrongAnswersOf(samples, data, experiment.seed, model.tokenizer)
    : undefined;
  const { directory } = options;
  const margins =
    options.marginFrom === undefined
      ? undefined
      : await marginFrom(options.marginFrom, directory, experiment, model, scored.units);
  const asked = configurationOf(computable, data, model, options, margins);
  const started = await start(asked, data, { ...scored, wrongAnswers }, model, options);
  const { configuration, records, entries, journalFile, isCompressed, planned } = started;
  if (planned) {
    const deviations = deviationsAtStart(planned, configuration, EXCLUSIONS);
    if (deviations.length === 0) options.onNotice?.(`As planned so far, by the plan ${planned.locked.sha256}.`);
    for (const deviation of deviations) options.onNotice?.(`Not as planned: ${describeDeviation(deviation)}.`);
  }
  if (wrongAnswers) expectSameWrongAnswers(records, wrongAnswers, options.directory);
  expectSameTexts(experiment, entries, functionTexts, options.directory);
  const written = await WrittenTexts.of(options.directory, started, samples);
  const prepared = await prepareSurrogates(
    specificationsOf(experiment),
    samples,
    written.keeping(options.sources ?? {}),
    { ...(signal && { signal }), ...(options.onWriting && { onProgress: options.onWriting }) },
  );
  await written.save();
  const plan = planOf(experiment, scored, model.tokenizer, { prepared, functionTexts, wrongAnswers });
  const passes = await computeTrials(plan, model, started, options);
  if (entries.every(isRejection)) {
    const [first] = entries;
    throw new DkvError(
      'INPUT_INVALID',
      `None of the ${scored.units.length} samples could be scored; see ${journalFile}.${first ? ` The first, ${first.sample}: ${first.rejected}` : ''}`,
    );
  }
  const { whileBlocked = (work) => work() } = options;
  const { vocabularySize } = model.engine.info.shape;
  const summary = whileBlocked(() =>
    summarize(configuration, entries, records, passes, vocabularySize, planned, options.onStatistics),
  );
  await writeSummary(options.directory, summary);
  if (options.compress || isCompressed) await packRun(options.directory);
  return summary;
}
