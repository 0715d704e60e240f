/** What a run folder says about itself, `run.json`: everything that the numbers depend on, and on what machine and with what versions they were made. */
import { z } from 'zod';
import { configurationSchema } from './configuration.js';

/** Of `summary.json` too: a record of another format is not read by this version. */
export const RECORD_FORMAT = 2;

export const recordSchema = z.strictObject({
  format: z.literal(RECORD_FORMAT),
  configuration: configurationSchema,
  started_at: z.string(),
  versions: z.record(z.string(), z.string()),
  git_revision: z.string().nullable(),
  machine: z.object({ platform: z.string(), cpu: z.string(), cores: z.number(), memory_gb: z.number() }),
});

export type RunRecord = z.infer<typeof recordSchema>;
