/** `dkv run`: runs experiments, prints their tables and writes their reports. */
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { expectWritable } from '../base/files.js';
import { DATASETS, openDataset, openPools } from '../datasets/open.js';
import { EXPERIMENT_IDS } from '../experiments/catalogue/ids.js';
import type { DeclaredExperiment } from '../experiments/declaration/declared.js';
import type { EndpointWriter } from '../llm/endpoint-writer.js';
import type { SELF_WRITER } from '../llm/self-writer.js';
import type { Experiment } from '../runs/schema/experiment.js';
import type { LockedPlan } from '../runs/schema/locked-plan.js';
import type { AskedRecord, StudyRecord } from '../runs/schema/record.js';
import type { Summary } from '../runs/schema/summary.js';
import { type Dataset, type PoolSet, without } from '../samples/dataset.js';
import type { Model } from '../scoring/load-model.js';
import { addAskedOptions, askedAsFits, askedExperiment } from './asked-experiment.js';
import { printJson } from './json.js';
import { addModelOptions, integer, type ModelOptions, openModel, positiveInteger } from './model-options.js';
import { type AskedRun, nextSteps } from './next-steps.js';
import { ALL, askedOfTable, askedStudy, type ChosenOptions, type StudyOptions } from './study.js';
import { addTableOptions, textForm } from './table-options.js';
import { interruptSignal, Progress, paint, sayNotice, TEMPERATURES, whileBlocked } from './terminal.js';

/** The options that say what is run, and on which data. */
export interface RunnableOptions extends ModelOptions, ChosenOptions {
  readonly maxLength: number;
  readonly writer?: typeof SELF_WRITER;
}

interface RunCommandOptions extends RunnableOptions {
  readonly plan?: string;
  readonly marginFrom?: string;
  readonly out?: string;
  readonly resume: boolean;
  readonly ignoreCeiling: boolean;
  readonly ignoreFloor: boolean;
  readonly text: boolean;
  readonly compress: boolean;
  readonly json: boolean;
}

/** A summary as it stands in summary.json, byte for byte; its form is `summarySchema`. */
const recordedSummary = z.custom<Summary>();

export function runCommand(): Command {
  const command = new Command('run')
    .description('Run an experiment and write its reports.')
    .argument('<experiment>', `${EXPERIMENT_IDS.join(', ')}, ${ALL}, or a file of your own (.yaml, .json, .ts, .js)`)
    .option(
      '--plan <file>',
      'run under a plan of "dkv plan", or that of a run.json: what is not as planned is named, and stands in the report',
    )
    .option(
      '--margin-from <folder>',
      "an earlier run of the experiment on other samples, whose gains say the verdicts' margins (default: a fifth of the run's own samples)",
    )
    .option(
      '--out <folder>',
      `run folder (default: results/<experiment>; with "${ALL}" the folder of the run folders)`,
      folderName,
    )
    .option('--resume', 'go on with an interrupted run, or start one if the folder is empty', false)
    .option('--ignore-ceiling', 'go on although the model needs no help on the first samples', false)
    .option('--ignore-floor', 'go on although the model hardly ranks the first pools better than chance', false)
    .option('--no-text', "keep the samples' texts out of the run folder and the report")
    .option(
      '--compress',
      'compress samples, trials and summary when the run has ended (samples.jsonl.gz, trials.jsonl.gz, summary.json.gz)',
      false,
    )
    .option('--json', 'print the summary as JSON instead of a table, one line a run', false);
  return addRunnableOptions(command)
    .addHelpText(
      'after',
      `
The run folder gets run.json (what was run), samples.jsonl, trials.jsonl (every prefix and NLL), summary.json, report.md and report.html.
With --compress they end as samples.jsonl.gz, trials.jsonl.gz and summary.json.gz, which all commands read; docs/formats.md says what is in them.
Ctrl-C stops cleanly; --resume goes on, also after a crash. "${ALL}" always goes on with what is there.
Experiments with surrogates by a language model want DKV_LLM_BASE_URL and DKV_LLM_MODEL set, or --writer self; what was written, by
whom and how, is kept in written.json.
A file of your own may name its data (paths start at its folder) and its model. Options of the command line override it, and the command says so.

Examples:
  dkv run exp01
  dkv run exp02 --n 60 --out results/try
  dkv run ${ALL} --n 60
  dkv run exp01 --model google/t5gemma-2-270m-270m --dataset ms-marco --resume
  dkv run exp05 --writer self
  dkv run v4-09 --model google/flan-t5-base --dataset ms-marco
  dkv run exp02 --dataset faq.csv --columns document=text query=question answer=reply
  dkv run ./mine.yaml
  dkv run ./study.yaml --out results/again
  dkv run exp02 --plan plan.json
  dkv run bos --seed 43 --margin-from results/bos --out results/bos-again`,
    )
    .action(run);
}

/** Adds the options of all commands that are about runs of an experiment. */
export function addRunnableOptions(command: Command): Command {
  command
    .addOption(
      new Option('--dataset <name>', DATASETS).default('adworld', "what the experiment's file names, or adworld"),
    )
    .option('--dataset-revision <name>', 'branch, tag or commit of a dataset on the hub')
    .option('--columns <role=column...>', 'for a table of your own, such as document=body query=q answer=a', [])
    .option('--n <n>', "number of samples or pools (default: the plan's, or the protocol's)", positiveInteger)
    .option('--seed <n>', "seed of samples and bootstrap (default: the plan's, or the protocol's)", integer)
    .addOption(
      new Option('--prompt <what>', "what the decoder reads before the target (default: the experiment's)").choices([
        'none',
        'query',
      ]),
    )
    .addOption(
      new Option(
        '--writer <who>',
        "who writes surrogates llm:...: self, the model at hand, which is asked nothing (default: the endpoint's language model)",
      ).choices(['self'] satisfies [typeof SELF_WRITER]),
    );
  return addModelOptions(addTableOptions(addAskedOptions(command)));
}

async function run(name: string, asked: RunCommandOptions, command: Command): Promise<void> {
  const { experiments, options, study } = await askedStudy(name, asked, command);
  const { asksLanguageModel, specificationsOf } = await import('../runs/schema/experiment.js');
  const { endpointWriter } = await import('../llm/text-sources.js');
  const { expectWriter } = await import('../priming/prepare.js');
  const { expectTexts } = await import('../experiments/plan/texts.js');
  const { refusalOf } = await import('../experiments/plan/conditions.js');
  const { segmentsOf } = await import('../priming/input.js');
  const signal = interruptSignal();
  const writing = options.writer ?? endpointWriter();
  // All that there are are run without those that nobody can write for.
  if (name !== ALL && !writing) expectWriter(experiments.flatMap(specificationsOf), undefined);
  const lengthGiven = command.getOptionValueSource('maxLength') !== 'default';
  const plan = await planNamed(name, options.plan);
  if (name === ALL && options.marginFrom !== undefined)
    throw new DkvError('INPUT_INVALID', `--margin-from is of one experiment: name it instead of "${ALL}".`);
  const planned = plan?.configuration;
  const lengthOf = ({ protocol }: Experiment) =>
    lengthGiven ? options.maxLength : (planned?.max_tokens ?? protocol.max_tokens);
  let model: Model | undefined;
  try {
    for (const declared of experiments) {
      const experiment =
        name === ALL
          ? await askedAsFits(declared, options, sayNotice)
          : await askedExperiment(declared, options, planned?.experiment);
      if (name === ALL && !writing && asksLanguageModel(experiment)) {
        process.stderr.write(`${experiment.id} is left out: DKV_LLM_BASE_URL is not set.\n`);
        continue;
      }
      const results = options.out ?? 'results';
      const folder = name !== ALL && options.out !== undefined ? options.out : path.join(results, experiment.id);
      await expectWritable(folder, `--out ${folder}`);
      const { n = planned?.samples ?? experiment.protocol.samples } = options;
      const data = await openData(experiment, { ...options, n }, signal, plan?.pilot?.samples);
      expectTexts(experiment, data);
      model ??= await openModel({ ...options, maxLength: Math.max(...experiments.map(lengthOf)) }, signal);
      const refusal = name === ALL ? refusalOf(experiment, segmentsOf(model.tokenizer)) : undefined;
      if (refusal) {
        process.stderr.write(`${experiment.id} is left out: ${refusal.message}\n`);
        continue;
      }
      await runOne(experiment, data, model, {
        ...options,
        folder: path.resolve(folder),
        resume: options.resume || name === ALL,
        ...(name !== ALL && { alone: { name, model: options.model, modelOfFile: options.model !== asked.model } }),
        maxTokens: lengthOf(experiment),
        signal,
        ...(writing && { writing }),
        asked: { ...(sizeOf(data) !== n && { n }), ...(await askedOfTable(asked)) },
        ...(study && { study }),
        ...(plan && { lockedPlan: plan }),
      });
    }
  } finally {
    await model?.close();
  }
}

function folderName(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Expected the name of a folder.');
}

/** @throws DkvError INPUT_INVALID, PLAN_ALTERED */
async function planNamed(name: string, file: string | undefined): Promise<LockedPlan | undefined> {
  if (file === undefined) return undefined;
  if (name === ALL) throw new DkvError('INPUT_INVALID', `--plan is of one experiment: name it instead of "${ALL}".`);
  const { readLockedPlan } = await import('../runs/locked-plan.js');
  return readLockedPlan(file);
}

/**
 * Opens the data of a run of `n` samples or pools.
 * @param pilot the ids of samples that are left out; ids of pools are never left out
 */
export async function openData(
  experiment: Experiment,
  { dataset, datasetRevision, columns, fileColumns, n, ...form }: StudyOptions<ChosenOptions> & { readonly n: number },
  signal: AbortSignal,
  pilot: readonly string[] = [],
): Promise<Dataset | PoolSet> {
  const { parseColumns } = await import('../datasets/mapped.js');
  const { columnsOf } = await import('../runs/schema/experiment.js');
  const { describeRows } = await import('../runs/left-out.js');
  const { unit, seed, rule, padding, target } = experiment;
  const count = n + pilot.length;
  const asked = { seed, count, columns: columnsOf(experiment) };
  const options = {
    columns: { ...fileColumns, ...parseColumns(columns) },
    ...textForm(form),
    signal,
    ...(datasetRevision !== undefined && { revision: datasetRevision }),
    onNotice: sayNotice,
  };
  const data =
    unit === 'pool'
      ? await openPools(dataset, { ...asked, answers: target === 'answer' }, options)
      : await openDataset(dataset, { ...asked, rule, padding }, options);
  if (data.leftOut) sayNotice(`${data.name}: ${describeRows(data.leftOut)}.`);
  const [found, things] = [sizeOf(data), 'pools' in data ? 'pools' : 'samples'];
  if (found < count) process.stderr.write(`${dataset} has ${found} ${things}, not ${count}: all are taken.\n`);
  return pilot.length > 0 && 'samples' in data ? without(data, pilot, n, 'the plan’s pilot') : data;
}

function sizeOf(data: Dataset | PoolSet): number {
  return 'pools' in data ? data.pools.length : data.samples.length;
}

interface OneRun {
  readonly folder: string;
  readonly resume: boolean;
  readonly maxTokens: number;
  readonly ignoreCeiling: boolean;
  readonly ignoreFloor: boolean;
  readonly text: boolean;
  readonly compress: boolean;
  readonly json: boolean;
  /** What was asked for; absent for one of many, behind which the others come. */
  readonly alone?: AskedRun;
  readonly marginFrom?: string;
  readonly signal: AbortSignal;
  readonly writing?: EndpointWriter | typeof SELF_WRITER;
  readonly asked: AskedRecord;
  readonly study?: StudyRecord;
  readonly lockedPlan?: LockedPlan;
}

async function runOne(
  experiment: DeclaredExperiment,
  data: Dataset | PoolSet,
  model: Model,
  options: OneRun,
): Promise<void> {
  // Statistics and plots take most of a second to load: only who runs an experiment waits for them.
  const { asksLanguageModel } = await import('../runs/schema/experiment.js');
  const { describeWriting, textSources } = await import('../llm/text-sources.js');
  const { runExperiment } = await import('../experiments/run/run.js');
  const { shortTables } = await import('../report/tables/short.js');
  const { finding } = await import('../report/words/headline.js');
  const { legend } = await import('../report/words/legend.js');
  const { describeMachinery } = await import('../report/words/machinery.js');
  const { warnings } = await import('../report/words/notes.js');
  const { describeConduct } = await import('../report/words/plan.js');
  const { describeVerdicts } = await import('../report/words/verdict.js');
  const { writeReports } = await import('../report/report.js');
  const { renderText } = await import('../report/tables/table.js');
  const { folder, writing, study, signal, maxTokens, lockedPlan } = options;
  const progress = new Progress(experiment.id, 'pools' in data ? 'candidates' : 'samples');
  const written = new Progress('writing surrogates', 'texts');
  const temperatures = new Progress(TEMPERATURES, 'trials');
  try {
    const summary = await runExperiment(experiment, data, model, {
      directory: folder,
      resume: options.resume,
      ignoreCeiling: options.ignoreCeiling,
      ignoreFloor: options.ignoreFloor,
      noText: !options.text,
      compress: options.compress,
      maxTokens,
      signal,
      sources: textSources(model, maxTokens, writing),
      ...(writing && { writer: typeof writing === 'string' ? writing : writing.identity }),
      asked: options.asked,
      ...(study && { study }),
      ...(lockedPlan && { plan: lockedPlan }),
      ...(options.marginFrom !== undefined && { marginFrom: options.marginFrom }),
      whileBlocked,
      onNotice: sayNotice,
      onStatistics: (done, total) => {
        progress.end();
        temperatures.update(done, total);
      },
      onWriting: (done, total) => written.update(done, total),
      onProgress: ({ doneSamples, totalSamples, resumedSamples }) => {
        written.end();
        progress.update(doneSamples, totalSamples, resumedSamples);
      },
    });
    progress.end();
    temperatures.end();
    if (typeof writing === 'object' && asksLanguageModel(experiment))
      process.stderr.write(`${describeWriting(writing)}\n`);
    const files = await writeReports(folder, summary);
    if (options.json) {
      printJson(recordedSummary, summary);
      return;
    }
    const found = finding(summary);
    process.stdout.write(
      `${paint('bold', `${experiment.id}: ${experiment.title}`)}\nAsked: ${experiment.question}\n${found === undefined ? '' : `Found: ${paint('bold', found)}\n`}\n`,
    );
    for (const table of shortTables(summary)) process.stdout.write(`${renderText(table)}\n\n`);
    for (const line of describeMachinery(summary)) process.stdout.write(`${line}\n`);
    for (const line of legend(summary)) process.stdout.write(`${line}\n`);
    for (const line of describeVerdicts(summary.verdicts ?? [])) process.stdout.write(`${line}\n`);
    for (const warning of warnings(summary)) process.stdout.write(`${paint('yellow', warning)}\n`);
    if (summary.plan)
      process.stdout.write(
        describeConduct(summary.plan)
          .map((line) => `${line}\n`)
          .join(''),
      );
    process.stdout.write(`\nReport: ${files.map((file) => path.relative('.', file)).join(', ')}\n`);
    if (options.alone) process.stdout.write(nextSteps(summary, folder, options.alone));
  } catch (error) {
    progress.end();
    written.end();
    temperatures.end();
    if (error instanceof DkvError && error.code === 'CANCELLED') {
      throw new DkvError('CANCELLED', `Stopped; what was done is kept in ${folder}. Add --resume to go on.`);
    }
    throw error;
  }
}
