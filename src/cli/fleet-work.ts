/** `dkv fleet work`: primes chunks of a plan, each into one shard. */
import os from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { DkvError } from '../base/errors.js';
import type { FleetFiles } from '../fleet/files.js';
import type { NamedPlan } from '../fleet/plan.js';
import type { Report } from '../fleet/report.js';
import type { TextSources } from '../priming/prepare.js';
import type { Model } from '../scoring/load-model.js';
import { fleetWorkSchema } from '../wire/fleet.js';
import { printJson } from './json.js';
import { addEngineOptions, type EngineOptions, openModel, positiveInteger } from './model-options.js';
import { endInTime, withFleet } from './open-fleet.js';
import { manyOf, shownCount } from './quantities.js';
import { interruptSignal, Progress, sayNotice } from './terminal.js';

interface WorkCommandOptions extends EngineOptions {
  readonly plan?: string;
  readonly chunk?: readonly string[];
  readonly index?: number;
  readonly of?: number;
  readonly json: boolean;
}

export function addWorkOptions(command: Command): Command {
  return addEngineOptions(command)
    .option('--chunk <numbers...>', 'the chunks, as numbers from 0 and ranges such as 0-9')
    .option(
      '--index <n>',
      'which of several processes this is, from 0 (default: JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID)',
      index,
    )
    .option(
      '--of <n>',
      'how many processes there are: this one takes every n-th chunk, from its index on',
      positiveInteger,
    )
    .action((place: string, options: WorkCommandOptions, own: Command) => work(place, options, own));
}

function index(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Expected a whole number from 0.');
}

async function work(place: string, options: WorkCommandOptions, command: Command): Promise<void> {
  const { chunksFor } = await import('../fleet/indices.js');
  const { chunkAt } = await import('../fleet/plan.js');
  const { doneBefore, expectPlanFits } = await import('../fleet/work.js');
  const signal = interruptSignal();
  endInTime(signal);
  await withFleet(place, async (fleet) => {
    const named = await fleet.plan(options.plan);
    const numbers = chunksFor({ ...options, chunks: options.chunk }, named.plan.chunks.length);
    for (const number of numbers) chunkAt(named, number);
    expectPlanFits(named);
    const isOver = (await fleet.end(named.id)) !== undefined;
    // A model is loaded for those alone that are not done.
    const left: number[] = [];
    for (const number of numbers) {
      const report = isOver ? await fleet.report(named.id, number) : await doneBefore(fleet.files, named.id, number);
      if (report) tell(fleet, named, report, false, options);
      else if (!isOver) left.push(number);
    }
    if (left.length > 0) await workOn(fleet, named, left, options, command, signal);
  });
}

async function workOn(
  fleet: FleetFiles,
  named: NamedPlan,
  numbers: readonly number[],
  options: WorkCommandOptions,
  command: Command,
  signal: AbortSignal,
): Promise<void> {
  const opened = await openPlanModel(named, options, command, signal);
  let failed: DkvError | undefined;
  try {
    for (const number of numbers) {
      try {
        await workOne(fleet, named, number, opened, options, signal);
      } catch (error) {
        if (!(error instanceof DkvError) || error.code === 'CANCELLED' || error.code === 'FLEET_MISMATCH') throw error;
        // The others may be sound: what is poisoned costs its own chunk.
        failed = error;
        sayNotice(`Chunk ${number}: ${error.code}: ${error.message}`);
      }
    }
  } finally {
    await opened.model.close();
  }
  if (failed) throw failed;
}

/** Works on a chunk and says so. What goes wrong is noted in the catalogue before it is thrown. */
export async function workOne(
  fleet: FleetFiles,
  named: NamedPlan,
  number: number,
  { model, sources }: OpenedModel,
  options: { readonly json: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { workChunk } = await import('../fleet/work.js');
  const progress = new Progress(`chunk ${number}`, 'documents');
  const { rows = 0 } = named.plan.chunks[number] ?? {};
  try {
    const { report, isNew } = await workChunk(fleet.files, named, number, model, {
      sources,
      signal,
      onProgress: ({ primed, rejected, replaced }) => progress.update(primed + rejected + replaced, rows),
    }).finally(() => progress.end());
    tell(fleet, named, report, isNew, options);
  } catch (error) {
    if (error instanceof DkvError && error.code !== 'CANCELLED') {
      const { code, message } = error;
      const failure = { chunk: number, code, message, host: os.hostname(), at: Date.now() };
      // Where the catalogue cannot be reached this cannot be noted there.
      await fleet.putFailure(named.id, failure).catch(() => undefined);
    }
    throw error;
  }
}

export interface OpenedModel {
  readonly model: Model;
  readonly sources: TextSources;
}

/** Loads the model that the plan names, unless the command line names another place of it. */
export async function openPlanModel(
  named: NamedPlan,
  options: EngineOptions,
  command: Command,
  signal: AbortSignal,
): Promise<OpenedModel> {
  const { expectModelFits } = await import('../fleet/work.js');
  const { endpointWriter, textSources } = await import('../llm/text-sources.js');
  const { expectWriter } = await import('../priming/prepare.js');
  const { plan } = named;
  const given = (name: string) => command.getOptionValueSource(name) !== 'default';
  const writing = endpointWriter();
  expectWriter(plan.surrogates, writing && { llm: writing.asked });
  const model: Model = await openModel(
    {
      ...options,
      model: given('model') ? options.model : plan.model.reference,
      precision: given('precision') ? options.precision : plan.model.precision,
      controlTokens: given('controlTokens') ? options.controlTokens : (plan.primed.controlTokens ?? 'text'),
      maxLength: plan.primed.maxTokens,
    },
    signal,
  );
  try {
    expectModelFits(named, model);
  } catch (error) {
    await model.close();
    throw error;
  }
  return { model, sources: textSources(model, plan.primed.maxTokens, writing) };
}

function tell(
  { files }: FleetFiles,
  { id }: NamedPlan,
  report: Report,
  isNew: boolean,
  { json }: { readonly json: boolean },
): void {
  const { shard } = report.part;
  const documents = shard?.documents ?? 0;
  const removed = shard?.tombstones ?? 0;
  const rejected = report.rejected.length;
  if (json) {
    printJson(fleetWorkSchema, {
      catalogue: files.location,
      plan: id,
      chunk: report.chunk,
      new: isNew,
      shard: shard?.digest ?? null,
      documents,
      removed,
      rejected,
      seconds: report.seconds,
    });
    return;
  }
  const gone = removed > 0 ? `, ${shownCount(removed)} taken out` : '';
  const bad = rejected > 0 ? `, ${manyOf(rejected, 'row')} rejected` : '';
  const how = isNew ? `in ${report.seconds.toFixed(1)} s` : 'done before';
  process.stdout.write(`Chunk ${report.chunk} of ${id}: ${manyOf(documents, 'document')}${gone}${bad}, ${how}.\n`);
}
