/** `dkv fleet finish` and `status`: from chunks to a published generation, and how far they are. */
import { shellWord } from '../base/shell-word.js';
import type { Finished } from '../fleet/finish.js';
import type { NamedPlan } from '../fleet/plan.js';
import type { Report } from '../fleet/report.js';
import { fleetFinishSchema, fleetStatusSchema } from '../wire/fleet.js';
import { primeRejectSchema } from '../wire/primed.js';
import { jsonLine, printJson } from './json.js';
import { withFleet } from './open-fleet.js';
import { withCatalogue } from './open-stores.js';
import { openOutput } from './output.js';
import { manyOf, roughTime, shownCount } from './quantities.js';
import { aliasOf, sayAlias } from './store-alias.js';
import { interruptSignal, Progress, sayNotice } from './terminal.js';

interface FinishCommandOptions {
  readonly plan?: string;
  readonly activate?: true | string;
  readonly check: boolean;
  readonly rejects?: string;
  readonly json: boolean;
}

interface StatusCommandOptions {
  readonly plan?: string;
  readonly redis?: string;
  readonly missing: boolean;
  readonly workers?: number;
  readonly json: boolean;
}

export async function finishFleet(place: string, options: FinishCommandOptions): Promise<void> {
  const { finishPlan } = await import('../fleet/finish.js');
  const signal = interruptSignal();
  await withFleet(place, async (fleet) => {
    const named = await fleet.plan(options.plan);
    const alias = options.activate === true ? 'live' : options.activate;
    if (alias !== undefined) await withCatalogue(place, async (catalogue) => void (await aliasOf(catalogue, alias)));
    const progress = new Progress('checking', 'chunks');
    const { check } = options;
    const onProgress = (done: number, of: number) => progress.update(done, of);
    const finished = await finishPlan(fleet.files, named, { check, signal, onProgress }).finally(() => progress.end());
    const reports = finished?.reports ?? [];
    const generation = finished?.generation.id ?? named.plan.parent!;
    if (options.rejects !== undefined) await writeRejects(options.rejects, reports);
    const counts = countsOf(reports);
    if (counts.rejected > 0) process.exitCode = 2;
    const answer = (documents: number) => ({
      catalogue: fleet.files.location,
      plan: named.id,
      generation,
      new: finished?.isNew ?? false,
      documents,
      ...counts,
      alias: alias ?? null,
    });
    await withCatalogue(place, async (catalogue) => {
      const documents = finished?.generation.manifest.documents ?? named.plan.unchanged.documents;
      const activated = alias === undefined ? undefined : await catalogue.activate(generation, { alias });
      if (options.json) return printJson(fleetFinishSchema, answer(documents));
      tell(place, named, finished, counts, documents);
      if (activated) sayAlias(activated);
      else process.stdout.write(`No alias names it before dkv store activate ${shellWord(place)} ${generation}.\n`);
    });
  });
}

function countsOf(reports: readonly Report[]) {
  const sum = (value: (report: Report) => number) => reports.reduce((total, report) => total + value(report), 0);
  return {
    packed: sum(({ part }) => part.shard?.documents ?? 0),
    removed: sum(({ part }) => part.shard?.tombstones ?? 0),
    replaced: sum(({ replaced }) => replaced),
    rejected: sum(({ rejected }) => rejected.length),
    takenDown: sum(({ takenDown }) => takenDown),
    workers: new Set(reports.map(({ worker }) => `${worker.host} ${worker.process}`)).size,
    cpus: [...new Set(reports.map(({ worker }) => worker.cpu))].sort(),
  };
}

function tell(
  place: string,
  named: NamedPlan,
  finished: Finished | undefined,
  counts: ReturnType<typeof countsOf>,
  documents: number,
): void {
  if (!finished) {
    process.stdout.write(`Nothing differs from ${named.plan.parent}: no generation is made.\n`);
    return;
  }
  const { generation, isNew } = finished;
  const { packed, removed, replaced, rejected, takenDown, workers, cpus } = counts;
  process.stdout.write(
    `${generation.id}, ${isNew ? 'published' : 'published before'}: ${manyOf(packed, 'document')} packed, ${shownCount(removed)} taken out; ${shownCount(documents)} in ${manyOf(generation.manifest.layers.length, 'layer')}, by ${manyOf(workers, 'worker')}.\n`,
  );
  if (replaced > 0) process.stdout.write(`${manyOf(replaced, 'row')} left out: a later one has the same id.\n`);
  if (takenDown > 0) process.stdout.write(`${manyOf(takenDown, 'document')} not packed: taken down.\n`);
  if (rejected > 0) {
    process.stdout.write(
      `${manyOf(rejected, 'row')} rejected: dkv fleet finish ${shellWord(place)} --plan ${named.id} --rejects rejects.jsonl writes them.\n`,
    );
  }
  if (cpus.length > 1) {
    sayNotice(
      `Workers had ${cpus.length} kinds of processors (${cpus.join('; ')}), whose numbers may differ in their last digits.`,
    );
  }
}

async function writeRejects(file: string, reports: readonly Report[]): Promise<void> {
  const rejected = reports.flatMap((report) => report.rejected).sort((one, other) => one.row - other.row);
  const output = await openOutput(file, '--rejects');
  try {
    for (const rejection of rejected) await output.write(jsonLine(primeRejectSchema, rejection));
    await output.close();
  } finally {
    await output.discard();
  }
}

export async function fleetStatus(place: string, options: StatusCommandOptions): Promise<void> {
  const { secondsLeft, statusOf } = await import('../fleet/status.js');
  await withFleet(place, async (fleet) => {
    const named = await fleet.plan(options.plan);
    const status = await statusOf(fleet.files, named);
    if (options.missing) {
      for (const number of status.missing) process.stdout.write(`${number}\n`);
      return;
    }
    const queue = options.redis === undefined ? null : await queueCounts(options.redis, named.id);
    if (options.json) {
      return printJson(fleetStatusSchema, {
        catalogue: fleet.files.location,
        plan: named.id,
        ...status,
        queue,
        generation: status.generation ?? null,
      });
    }
    const { chunks, done, rows, rowsDone, rejected, failures, workers, generation } = status;
    process.stdout.write(
      `Plan ${named.id}: ${shownCount(done)} of ${manyOf(chunks, 'chunk')} done, ${shownCount(rowsDone)} of ${manyOf(rows, 'row')}${rejected > 0 ? `, ${shownCount(rejected)} rejected` : ''}.\n`,
    );
    for (const worker of workers) {
      const rate = worker.seconds > 0 ? `, ${(worker.rows / worker.seconds).toFixed(1)} rows/s` : '';
      process.stdout.write(`${worker.host} ${worker.process}: ${manyOf(worker.chunks, 'chunk')}${rate}\n`);
    }
    for (const { chunk, attempts, code, message } of failures) {
      process.stdout.write(
        `Chunk ${chunk} has failed ${attempts === 1 ? 'once' : `${attempts} times`}: ${code}: ${message}\n`,
      );
    }
    if (queue) {
      const { waiting, active, delayed, dead } = queue;
      process.stdout.write(
        `In the queue ${shownCount(waiting)} wait, ${shownCount(active)} are worked on, ${shownCount(delayed)} are tried again soon, ${shownCount(dead.length)} have failed too often.\n`,
      );
    }
    const working = options.workers ?? (queue?.active || workers.length);
    const left = done < chunks ? secondsLeft(status, working) : undefined;
    if (left !== undefined) process.stdout.write(`About ${roughTime(left)} more with ${manyOf(working, 'worker')}.\n`);
    if (generation !== undefined) process.stdout.write(`Finished: ${generation}.\n`);
    else if (done === chunks) {
      process.stdout.write(`Go on with: dkv fleet finish ${shellWord(place)} --plan ${named.id} --activate\n`);
    }
  });
}

async function queueCounts(address: string, plan: string) {
  const { FleetQueue } = await import('../fleet/queue.js');
  const queue = await FleetQueue.open(address, plan);
  try {
    return await queue.counts();
  } finally {
    await queue.close();
  }
}
