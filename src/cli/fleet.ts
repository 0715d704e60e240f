/** `dkv fleet`: one corpus, primed by many machines. */
import { Command } from 'commander';
import { fleetDropSchema } from '../wire/fleet.js';
import { finishFleet, fleetStatus } from './fleet-finish.js';
import { addPlanOptions } from './fleet-plan.js';
import { addQueueOptions, addServeOptions } from './fleet-queue.js';
import { addScriptOptions } from './fleet-script.js';
import { addWorkOptions } from './fleet-work.js';
import { printJson } from './json.js';
import { positiveInteger } from './model-options.js';
import { withFleet } from './open-fleet.js';

const PLACES =
  'A catalogue is a folder that all machines reach, or s3://bucket/prefix. Without --plan, it is the only plan that is not finished.';

export function fleetCommand(): Command {
  const fleet = new Command('fleet').description(
    'Prime one corpus on many machines, into a generation of a catalogue.',
  );
  const add = (usage: string, description: string, examples: string) =>
    fleet
      .command(usage)
      .description(description)
      .option('--json', 'for machines', false)
      .addHelpText('after', `\n${PLACES}\n\nExamples:\n${examples}`);
  const ofPlan = (command: Command) => command.option('--plan <id>', 'the plan, or the beginning of its id');
  addPlanOptions(
    add(
      'plan <catalogue>',
      'Cut a corpus into chunks that any machine can prime, and say how. Planning the same again changes nothing.',
      '  dkv fleet plan ads-catalogue --input ads.jsonl --surrogate doc_kw --states int8\n  dkv fleet plan s3://bucket/ads --input s3://bucket/corpus/ads.parquet --model ./t5gemma-2-270m-270m --precision int8\n  dkv fleet plan ads-catalogue --input ads.jsonl --surrogate doc_kw --states int8 --since live  what has changed',
    ),
  );
  addWorkOptions(
    ofPlan(
      add(
        'work <catalogue>',
        'Prime chunks of a plan. One that is done is left alone, and one that was stopped leaves nothing behind.',
        '  dkv fleet work ads-catalogue --chunk 0-9\n  dkv fleet work ads-catalogue --index 2 --of 4\n  dkv fleet status ads-catalogue --missing | xargs -P 4 -n 8 dkv fleet work ads-catalogue --chunk',
      ),
    ),
  );
  addScriptOptions(
    ofPlan(
      fleet
        .command('script <catalogue>')
        .description('Print what starts the workers of a plan: a shell script, a Job of Kubernetes, an array of Slurm.')
        .addHelpText(
          'after',
          `\n${PLACES}\n\nExamples:\n  dkv fleet script ads-catalogue --for xargs > work.sh\n  dkv fleet script s3://bucket/ads --for kubernetes --tasks 400 --parallel 50 --image registry/dkv:0.1.0 | kubectl apply -f -\n  dkv fleet script /shared/ads-catalogue --for slurm --tasks 400 > fleet.sbatch`,
        ),
    ),
  );
  addQueueOptions(
    ofPlan(
      add(
        'queue <catalogue>',
        'Put the chunks that are not done into a queue of BullMQ, on Redis or Valkey. Those that are there stay as they are.',
        '  dkv fleet queue ads-catalogue --redis redis://queue:6379\n  dkv fleet queue ads-catalogue --redis redis://queue:6379 --retry',
      ),
    ),
  );
  addServeOptions(
    ofPlan(
      add(
        'serve-queue <catalogue>',
        'Prime chunks from the queue until none is left. A worker that is asked to end puts its chunk back.',
        '  dkv fleet serve-queue ads-catalogue --redis redis://queue:6379',
      ),
    ),
  );
  ofPlan(
    add(
      'finish <catalogue>',
      'Publish the generation of a plan, once all of its chunks are done. The exit status is 2 if rows were rejected.',
      '  dkv fleet finish ads-catalogue --activate\n  dkv fleet finish ads-catalogue --rejects rejects.jsonl',
    ),
  )
    .option('--activate [alias]', 'let an alias name it (without a name: live)')
    .option('--no-check', "compare the shards' sizes only, and do not read them")
    .option('--rejects <file>', 'write what was not primed, JSON lines')
    .action(finishFleet);
  ofPlan(
    add(
      'status <catalogue>',
      'How far a plan is, by what workers have left in the catalogue.',
      '  dkv fleet status ads-catalogue\n  dkv fleet status ads-catalogue --missing',
    ),
  )
    .option('--redis <address>', 'also say what the queue on this server holds')
    .option('--missing', 'only the numbers of the chunks that are not done, one a line', false)
    .option(
      '--workers <n>',
      'how many work now, for the time that is left (default: those that have reported)',
      positiveInteger,
    )
    .action(fleetStatus);
  ofPlan(
    add(
      'drop <catalogue>',
      'Give a plan up. What was made of its chunks is taken away by dkv store collect.',
      '  dkv fleet drop ads-catalogue --plan 0123456789abcdef',
    ),
  ).action(dropPlan);
  return fleet;
}

async function dropPlan(
  place: string,
  { plan, json }: { readonly plan?: string; readonly json: boolean },
): Promise<void> {
  await withFleet(place, async (files) => {
    const { id } = await files.plan(plan);
    await files.drop(id);
    if (json) return printJson(fleetDropSchema, { catalogue: files.files.location, plan: id });
    process.stdout.write(`Plan ${id} is gone.\n`);
  });
}
