/** `dkv fleet queue` and `serve-queue`: chunks by way of BullMQ. */
import type { Command } from 'commander';
import { shellWord } from '../base/shell-word.js';
import { fleetQueueSchema } from '../wire/fleet.js';
import { openPlanModel, workOne } from './fleet-work.js';
import { printJson } from './json.js';
import { addEngineOptions, type EngineOptions } from './model-options.js';
import { endInTime, withFleet } from './open-fleet.js';
import { duration, manyOf, shownCount } from './quantities.js';
import { interruptSignal, sayNotice } from './terminal.js';

const REDIS = ['--redis <address>', 'the server: redis://host:port/database?prefix=name'] as const;

interface QueueCommandOptions {
  readonly plan?: string;
  readonly redis: string;
  readonly retry: boolean;
  readonly remove: boolean;
  readonly json: boolean;
}

interface ServeCommandOptions extends EngineOptions {
  readonly plan?: string;
  readonly redis: string;
  readonly lock?: number;
  readonly json: boolean;
}

export function addQueueOptions(command: Command): Command {
  return command
    .requiredOption(...REDIS)
    .option('--retry', 'also put chunks back that have failed too often', false)
    .option('--remove', 'take the queue away; what is done stays in the catalogue', false)
    .action(fillQueue);
}

export function addServeOptions(command: Command): Command {
  return addEngineOptions(command)
    .requiredOption(...REDIS)
    .option('--lock <time>', 'a worker that has died is noticed after about so long (default: 30s)', duration)
    .action((place: string, options: ServeCommandOptions, own: Command) => serve(place, options, own));
}

async function fillQueue(place: string, options: QueueCommandOptions): Promise<void> {
  const { FleetQueue } = await import('../fleet/queue.js');
  const { missingChunks } = await import('../fleet/status.js');
  await withFleet(place, async (fleet) => {
    const named = await fleet.plan(options.plan);
    const queue = await FleetQueue.open(options.redis, named.id);
    try {
      if (options.remove) await queue.remove();
      const missing = options.remove ? [] : await missingChunks(fleet.files, named);
      const added = await queue.fill(missing, options.retry);
      const counts = await queue.counts();
      if (options.json) {
        return printJson(fleetQueueSchema, {
          catalogue: fleet.files.location,
          plan: named.id,
          queue: queue.location,
          added,
          ...counts,
        });
      }
      const { waiting, active, delayed, dead } = counts;
      process.stdout.write(
        `Plan ${named.id}: ${manyOf(added, 'chunk')} put into the queue; ${shownCount(waiting)} wait, ${shownCount(active)} are worked on, ${shownCount(delayed)} are tried again soon, ${shownCount(dead.length)} have failed too often.\n`,
      );
      for (const { chunk, reason } of dead) process.stdout.write(`Chunk ${chunk}: ${reason}\n`);
      if (waiting + delayed > 0) {
        process.stdout.write(
          `Go on with: dkv fleet serve-queue ${shellWord(place)} --plan ${named.id} --redis ${shellWord(options.redis)}\n`,
        );
      }
    } finally {
      await queue.close();
    }
  });
}

async function serve(place: string, options: ServeCommandOptions, command: Command): Promise<void> {
  const { serveQueue } = await import('../fleet/queue.js');
  const { missingChunks } = await import('../fleet/status.js');
  const { expectPlanFits } = await import('../fleet/work.js');
  const signal = interruptSignal();
  endInTime(signal);
  await withFleet(place, async (fleet) => {
    const named = await fleet.plan(options.plan);
    expectPlanFits(named);
    const missing = () => missingChunks(fleet.files, named);
    if ((await missing()).length === 0) return;
    const opened = await openPlanModel(named, options, command, signal);
    try {
      await serveQueue({
        address: options.redis,
        plan: named.id,
        work: (chunk) => workOne(fleet, named, chunk, opened, options, signal),
        missing,
        signal,
        onNotice: sayNotice,
        lockMs: options.lock,
      });
    } finally {
      await opened.model.close();
    }
  });
}
