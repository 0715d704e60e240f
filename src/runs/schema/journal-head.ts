/**
 * The first line of a run's journal, which says which run its trials are of. The checksums of all later lines go on from that of the first one, so that a line
 * of another run's journal is not taken for one of this run either.
 *
 * Journals that are older than this have no such line, and are read without.
 */
import { z } from 'zod';
import type { RunRecord } from './record.js';
import { checksumOf, sealedLine, unseal } from './sealed.js';

export const journalHeadSchema = z.strictObject({
  run: z
    .strictObject({
      experiment: z.string().describe('The experiment’s name.'),
      samples: z.number().int().describe('Samples that were asked for.'),
      seed: z.number().int().describe('Seed of everything drawn at random.'),
      dataset: z.string().describe('The data set’s name.'),
      dataset_digest: z.string().describe('Digest of the samples.'),
      model: z.string().describe('The model’s name.'),
      fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
      started_at: z.string().describe('When the run was started.'),
      samples_crc32: z
        .string()
        .optional()
        .describe('CRC-32 of the bytes of `samples.jsonl`; absent where the run’s `run.json` has none.'),
    })
    .describe('The run that the journal is of, with the values of its `run.json`.'),
});

export type JournalHead = z.infer<typeof journalHeadSchema>;

/** The run that a journal belongs to, or is to belong to. */
export interface JournalOwner {
  readonly head: JournalHead;
  /** Its journal began with that line. Of an older run nobody knows. */
  readonly isBound: boolean;
}

export function ownerOf({ configuration, started_at, bound, samples_crc32 }: RunRecord): JournalOwner {
  const { experiment, samples, seed, dataset, model } = configuration;
  const run = {
    experiment: experiment.id,
    samples,
    seed,
    dataset: dataset.name,
    dataset_digest: dataset.digest,
    model: model.name,
    fingerprint: model.fingerprint,
    started_at,
    ...(samples_crc32 !== undefined && { samples_crc32 }),
  };
  return { head: { run }, isBound: bound ?? false };
}

/** The head as a line, with its line break. */
export function headLine(head: JournalHead): string {
  return sealedLine(head);
}

/** What the checksums of the journal's other lines go on from. */
export function afterHead(head: JournalHead): number {
  return checksumOf(head);
}

/** What stands in a journal's first line, without its line break; undefined for any other line. */
export function parseHead(line: Uint8Array): JournalHead | undefined {
  try {
    return journalHeadSchema.parse(unseal(line).value);
  } catch {
    return undefined;
  }
}

/** The run in a few words. */
export function describeHead({ run }: JournalHead): string {
  const { experiment, samples, seed, dataset, model, started_at } = run;
  return `${experiment} with ${model} on ${dataset}, N ${samples}, seed ${seed}, begun ${started_at}`;
}
