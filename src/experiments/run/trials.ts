/** Computes what a plan asks for and a journal does not hold yet, block by block. */
import { Breather } from '../../base/breather.js';
import { JournalWriter } from '../../runs/journal.js';
import { type Entry, entryKey } from '../../runs/schema/entry.js';
import type { PassCounts } from '../../runs/schema/summary.js';
import type { Model } from '../../scoring/load-model.js';
import { type Block, passesOf, planBlocks } from '../plan/block.js';
import type { Plan } from '../plan/plan.js';
import { entriesOf } from './entries.js';
import type { RunOptions } from './options.js';
import { prescreenOf } from './prescreen.js';
import { STOPPED, type StartedRun } from './start.js';

/** Trials are safe against a crash of the machine after at most this many samples. */
const SAMPLES_PER_SYNC = 20;

/** A block holds about this many batches of rows, so that one sample's conditions can share batches with its neighbours'. */
const BATCHES_PER_BLOCK = 4;

/**
 * Adds entries to the journal and to the run's.
 * @returns the passes of the whole plan, those of earlier calls included
 * @throws DkvError CEILING_REACHED, FLOOR_REACHED, CANCELLED, and the engine's; what was done is in the journal
 */
export async function computeTrials(
  plan: Plan,
  model: Model,
  started: StartedRun,
  options: Pick<RunOptions, 'maxTokens' | 'ignoreCeiling' | 'ignoreFloor' | 'signal' | 'onProgress'>,
): Promise<PassCounts> {
  const { maxTokens, signal, onProgress } = options;
  const { records, entries, journalFile, owner } = started;
  const { experiment } = started.configuration;
  const turns = new Breather(signal, STOPPED);
  const done = new Set(entries.map(entryKey));
  const limits = {
    maxTokens,
    maxUnits: SAMPLES_PER_SYNC,
    maxRows: BATCHES_PER_BLOCK * model.engine.info.batchTokens,
  };
  const progress = { doneSamples: 0, totalSamples: plan.units.length, resumedSamples: 0 };
  const passes = { encoder: 0, decoder: 0, naive_encoder: 0 };
  // Opened when it is written to: a compressed one of a run that is complete stays as it is.
  let journal: JournalWriter | undefined;
  try {
    let unsynced = 0;
    let prescreen = prescreenOf(experiment, records, options);
    for (const block of planBlocks(plan, model.tokenizer, limits)) {
      await turns.breathe();
      const { encoder, decoder, naive_encoder } = passesOf(block, experiment);
      passes.encoder += encoder;
      passes.decoder += decoder;
      passes.naive_encoder += naive_encoder;
      if (isDone(block, done)) {
        progress.resumedSamples += block.units.length;
      } else {
        const made: Entry[] = [...block.rejections, ...(await entriesOf(block, started, model, signal))];
        const fresh = made.filter((entry) => !done.has(entryKey(entry)));
        journal ??= await JournalWriter.open(journalFile, owner);
        await journal.append(fresh);
        entries.push(...fresh);
        if (prescreen && progress.doneSamples + block.units.length >= prescreen.units) {
          prescreen.refuse(entries);
          prescreen = undefined;
        }
        unsynced += block.units.length;
        if (unsynced >= SAMPLES_PER_SYNC) {
          await journal.sync();
          unsynced = 0;
        }
      }
      progress.doneSamples += block.units.length;
      onProgress?.({ ...progress });
    }
  } finally {
    await journal?.close();
  }
  return passes;
}

function isDone({ trials, rejections }: Block, done: ReadonlySet<string>): boolean {
  const isThere = (of: { readonly sample: string; readonly condition?: string }) => done.has(entryKey(of));
  return (
    trials.every(({ sample, condition }) => isThere({ sample: sample.id, condition: condition.name })) &&
    rejections.every(isThere)
  );
}
