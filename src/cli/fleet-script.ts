/** `dkv fleet script`: what starts the workers of a plan. */
import { type Command, Option } from 'commander';
import { RUNNERS, type Runner } from '../fleet/scripts.js';
import { positiveInteger } from './model-options.js';
import { withFleet } from './open-fleet.js';

interface ScriptCommandOptions {
  readonly plan?: string;
  readonly for: Runner;
  readonly tasks?: number;
  readonly parallel?: number;
  readonly image: string;
  readonly work: readonly string[];
}

/** Where nothing else is said: the processes of one machine, and the indices of a scheduler. */
const TASKS = { xargs: 4, kubernetes: 100, slurm: 100 } as const;

export function addScriptOptions(command: Command): Command {
  return command
    .addOption(new Option('--for <runner>', 'what is to start the workers').choices(RUNNERS).makeOptionMandatory())
    .option(
      '--tasks <n>',
      'indices, each of which takes every n-th chunk; processes of xargs (default: 100 and 4)',
      positiveInteger,
    )
    .option('--parallel <n>', 'indices that run at a time (default: all)', positiveInteger)
    .option('--image <name>', 'the container that has dkv, for kubernetes', 'directed-kvcache')
    .option('--work <options...>', 'what dkv fleet work is also given, as --work=--threads --work=2', [])
    .action(printScript);
}

async function printScript(place: string, options: ScriptCommandOptions): Promise<void> {
  const { scriptOf } = await import('../fleet/scripts.js');
  await withFleet(place, async (fleet) => {
    const { id, plan } = await fleet.plan(options.plan);
    const chunks = plan.chunks.length;
    const tasks = Math.max(1, Math.min(chunks, options.tasks ?? TASKS[options.for]));
    const parallel = Math.min(tasks, options.parallel ?? tasks);
    const { image, work } = options;
    process.stdout.write(
      scriptOf(options.for, { catalogue: place, plan: id, chunks, tasks, parallel, image, options: work }),
    );
  });
}
