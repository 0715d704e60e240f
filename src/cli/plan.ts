/** `dkv plan`: what a run is to be, locked before its first trial. */

import { stat } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { counted } from '../base/counted.js';
import { DkvError } from '../base/errors.js';
import { EXPERIMENT_IDS } from '../experiments/catalogue/ids.js';
import { askedExperiment } from './asked-experiment.js';
import { openModel, positiveNumber } from './model-options.js';
import { withOutput } from './output.js';
import { addRunnableOptions, openData, type RunnableOptions } from './run.js';
import { askedOfTable, askedStudy } from './study.js';
import { interruptSignal, Progress, sayNotice } from './terminal.js';

interface PlanCommandOptions extends RunnableOptions {
  readonly margin: number;
  readonly equivalence: boolean;
  readonly pilot?: string;
  readonly power: number;
  readonly ignoreCeiling: boolean;
  readonly ignoreFloor: boolean;
  readonly output: string;
}

export function planCommand(): Command {
  const command = new Command('plan')
    .description('Lock what a run is to be before its first trial: its test, its samples, its data and its model.')
    .argument('<experiment>', `${EXPERIMENT_IDS.join(', ')}, or a file of your own (.yaml, .json, .ts, .js)`)
    .requiredOption(
      '--margin <x>',
      'the smallest mean difference of interest, in nats per token (of a ranking: in its first measure)',
      positiveNumber,
    )
    .option('--equivalence', 'plan to show that the mean lies within the margin, instead of that it is not 0', false)
    .option(
      '--pilot <run>',
      'a finished run, from whose differences the number of samples is found; its samples are left out',
    )
    .option(
      '--power <p>',
      'power that the test is to have, from which the pilot gives the number of samples',
      probability,
      0.8,
    )
    .option('--ignore-ceiling', 'the run will go on although the model needs no help on the first samples', false)
    .option(
      '--ignore-floor',
      'the run will go on although the model hardly ranks the first pools better than chance',
      false,
    )
    .option('--output <file>', 'where the plan is written; not over another one', '-');
  return addRunnableOptions(command)
    .addHelpText(
      'after',
      `
The plan holds the primary comparison and its margin, the number of samples, the rules by which samples are rejected, the
clusters, and digests of the experiment, the data, the model and the program. Its own SHA-256 locks it: "dkv run --plan"
refuses one that was changed, names before the first trial what is not as planned, and prints it in the report. Give the
SHA-256 to others before the run (a commit, a registry, a mail): that is what shows that the plan came first.

With --pilot whole clusters of the pilot's differences are drawn again and again, in runs of more and more samples, until the
test of the mean has the power for a difference of the margin. The pilot is of the same data and the same seed: its samples are
left out. A margin that the data's clusters cannot tell with any number of samples is refused at once.

Examples:
  dkv plan exp02 --margin 0.05 --n 500 --output plan.json
  dkv run exp02 --n 60 --out results/pilot
  dkv plan exp02 --margin 0.05 --pilot results/pilot --power 0.9 --output plan.json
  dkv plan exp01 --margin 0.02 --equivalence --pilot results/pilot --model google/t5gemma-2-270m-270m --dataset ms-marco
  dkv run exp02 --plan plan.json`,
    )
    .action(plan);
}

function probability(text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('Expected a number between 0 and 1.');
}

async function plan(name: string, asked: PlanCommandOptions, command: Command): Promise<void> {
  const { output, margin, power, equivalence, ignoreCeiling, ignoreFloor } = asked;
  await expectNoFile(output);
  const { experiments, options, study } = await askedStudy(name, asked, command);
  const [declared, ...others] = experiments;
  if (others.length > 0)
    throw new DkvError('INPUT_INVALID', `A plan is of one experiment: name it instead of "${name}".`);
  const { planRun } = await import('../experiments/run/plan-run.js');
  const { planText } = await import('../runs/locked-plan.js');
  const { runCommand } = await import('../runs/go-on.js');
  const { readRun } = await import('../runs/run-folder.js');
  const { endpointWriter } = await import('../llm/text-sources.js');
  const { describePlan, describePower } = await import('../report/words/plan.js');
  const { SIMULATIONS } = await import('../stats/power.js');
  const signal = interruptSignal();
  const experiment = await askedExperiment(declared!, options);
  const pilot = options.pilot === undefined ? undefined : await readRun(options.pilot);
  const writer = options.writer ?? endpointWriter()?.identity;
  const isLengthGiven = command.getOptionValueSource('maxLength') !== 'default';
  const maxTokens = isLengthGiven ? options.maxLength : experiment.protocol.max_tokens;
  const model = await openModel({ ...options, maxLength: maxTokens }, signal);
  const progress = new Progress('simulating', 'runs');
  try {
    const made = await planRun(
      experiment,
      model,
      (n, leftOut) => openData(experiment, { ...options, n }, signal, leftOut),
      {
        margin,
        power,
        hypothesis: equivalence ? 'equivalence' : 'difference',
        ignoreCeiling,
        ignoreFloor,
        maxTokens,
        ...(options.n !== undefined && { samples: options.n }),
        ...(pilot && { pilot }),
        ...(writer !== undefined && { writer }),
        signal,
        onNotice: sayNotice,
        onRun: (samples, done, all) => progress.count(done, `of ${all}, of ${samples} samples`),
        onSimulated: (simulated) => {
          progress.end();
          sayNotice(`${counted(simulated.samples, 'sample')}: a power of ${describePower(simulated, SIMULATIONS)}`);
        },
      },
    );
    await withOutput(output, '--output', (target) => target.write(planText(made)));
    const file = output === '-' ? 'FILE' : output;
    const { configuration } = made;
    const typed = {
      ...configuration,
      dataset: { ...configuration.dataset, name: options.dataset },
      model: { ...configuration.model, name: options.model },
    };
    const asking = { configuration: typed, asked: await askedOfTable(asked), ...(study && { study }) };
    const lines = [...describePlan(made), `Run it with: ${runCommand(asking, name, [['--plan', [file]]])}`];
    (output === '-' ? process.stderr : process.stdout).write(`${lines.join('\n')}\n`);
  } finally {
    progress.end();
    await model.close();
  }
}

/** Refuses to write over a file, because an earlier plan would then be lost without a trace. */
async function expectNoFile(output: string): Promise<void> {
  if (output === '-' || !(await stat(output).catch(() => undefined))?.isFile()) return;
  throw new DkvError(
    'INPUT_INVALID',
    `--output ${output}: there is a file of that name, and a plan replaces none. Choose another name.`,
  );
}
