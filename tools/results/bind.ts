/**
 * Runs that are older than the checksum of samples get it: their samples are held against the data of AdWorld, which is generated, and their trials against
 * their summary, before `run.json` says which samples are its own.
 */
import path from 'node:path';
import { adworldSource } from '../../src/datasets/adworld.js';
import { unitsOf } from '../../src/experiments/plan/unit.js';
import { wrongAnswersOf } from '../../src/experiments/plan/wrong-answers.js';
import { expectSameWrongAnswers } from '../../src/experiments/run/same-answers.js';
import { expectSameSamples } from '../../src/experiments/run/same-samples.js';
import { samplesOf } from '../../src/experiments/run/samples.js';
import { publishPacked, readJournal } from '../../src/runs/journal.js';
import { packTrials } from '../../src/runs/pack-trials.js';
import { publishRecord } from '../../src/runs/record.js';
import { readRun } from '../../src/runs/run-folder.js';
import { samplesIn } from '../../src/runs/samples.js';
import type { Configuration } from '../../src/runs/schema/configuration.js';
import { ownerOf } from '../../src/runs/schema/journal-head.js';
import { fileChecksum } from '../../src/runs/schema/sealed.js';
import { TRIALS_FILE } from '../../src/runs/schema/trials.js';
import { BUILT_IN_MODEL } from '../../src/scoring/load-model.js';
import { stateModel } from '../../src/scoring/stated-model.js';

/**
 * @returns false for a run that is bound already
 * @throws DkvError RUN_DAMAGED for samples or trials that are not the run's
 * @throws Error for a run of other data or of another model, which cannot be made here
 */
export async function bindSamples(folder: string): Promise<boolean> {
  const { record, samples: records } = await readRun(folder);
  if (record.samples_crc32 !== undefined) return false;
  const { configuration } = record;
  const { dataset, model, control_tokens, experiment } = configuration;
  const data = await dataOf(configuration);
  if (data?.digest !== dataset.digest || !model.built_in) {
    throw new Error(
      `${folder} is of ${model.name} on ${dataset.name} ${dataset.revision}, digest ${dataset.digest}: only runs of the built-in model on what AdWorld gives now can be bound.`,
    );
  }
  const { tokenizer } = await stateModel(BUILT_IN_MODEL, control_tokens);
  const { units } = unitsOf(data);
  const { file: samplesFile, bytes } = await samplesIn(folder);
  const made = async (withTexts: boolean) => [...samplesOf(data, units, configuration, tokenizer, { withTexts })];
  await expectSameSamples(records, made, samplesFile);
  if (experiment.outcomes?.includes('contrast')) {
    const samples = units.map(({ sample }) => sample);
    expectSameWrongAnswers(records, wrongAnswersOf(samples, data, experiment.seed, tokenizer), folder);
  }
  const bound = { ...record, samples_crc32: fileChecksum(bytes) };
  const file = path.join(folder, TRIALS_FILE);
  const journal = record.bound && (await readJournal(file, ownerOf(record)));
  await publishRecord(folder, bound);
  // The first line of its trials says what the record does.
  if (journal) await publishPacked(file, packTrials(ownerOf(bound).head, journal.entries));
  return true;
}

/** The data of a run on AdWorld; undefined for other data. */
async function dataOf({ dataset, experiment, samples: count }: Configuration) {
  if (dataset.name !== 'adworld') return undefined;
  const { seed, rule, padding, unit, target } = experiment;
  const source = adworldSource();
  if (unit === 'pool') return source.pools!({ seed, count, answers: target === 'answer' });
  return source.samples!({ seed, count, rule, padding });
}
