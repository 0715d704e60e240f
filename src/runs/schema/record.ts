/** What a run folder says about itself, `run.json`: everything that the numbers depend on, and on what machine and with what versions they were made. */
import { z } from 'zod';
import { configurationSchema } from './configuration.js';
import { parseWhole, RECORD_FORMAT } from './format.js';
import { plannedRunSchema } from './locked-plan.js';
import type { FileContent } from './sealed.js';

export const RECORD_FILE = 'run.json';

const studySchema = z.strictObject({
  file: z.string().describe('The file’s name.'),
  digest: z.string().describe('SHA-256 of its bytes.'),
  overruled: z
    .array(z.string())
    .describe('Options of the command line that were taken in place of what it says, such as `--dataset`.'),
});

/** The file that a user's own experiment came from. */
export type StudyRecord = z.infer<typeof studySchema>;

const askedSchema = z.strictObject({
  n: z
    .number()
    .int()
    .optional()
    .describe('Samples or pools that were wanted, where the data had fewer; absent where there were as many.'),
  columns: z.record(z.string(), z.string()).optional().describe('Columns of a table of one’s own, by role.'),
  separator: z.string().optional().describe('The character between the fields of such a table.'),
  quoting: z.enum(['csv', 'none']).optional().describe('How its quotes are read.'),
  header: z.array(z.string()).readonly().optional().describe('Its columns, where its first line is a row.'),
});

/** Options of the command line that a run's configuration does not say. */
export type AskedRecord = z.infer<typeof askedSchema>;

export const recordSchema = z.strictObject({
  format: z.literal(RECORD_FORMAT).describe('Version of the file’s form.'),
  configuration: configurationSchema.describe('Everything that the numbers depend on.'),
  study: studySchema
    .optional()
    .describe(
      'The file that the experiment was read from, with data and model where it names them; absent where there was none, and before 0.2.',
    ),
  asked: askedSchema
    .optional()
    .describe(
      'What the command line said of the data beside what the configuration has, for the command that goes on with the run; absent where it said nothing, and in runs older than the field.',
    ),
  plan: plannedRunSchema.optional().describe('The plan that it was run under; absent without one.'),
  started_at: z.string().describe('When the run was started, as ISO 8601.'),
  bound: z
    .literal(true)
    .optional()
    .describe(
      'The first line of the run’s journal says which run it is of, and a journal that does not is not this run’s; absent before 0.2.',
    ),
  samples_crc32: z
    .string()
    .optional()
    .describe(
      'CRC-32 of the bytes of `samples.jsonl`, unpacked, in eight lower-case hexadecimal digits: a file of other samples is not this run’s. Absent in runs older than the field.',
    ),
  versions: z.record(z.string(), z.string()).describe('Versions of what computed, by package.'),
  git_revision: z
    .string()
    .nullable()
    .describe('Git’s revision of the project’s working copy; null for an installed package.'),
  machine: z
    .object({
      platform: z.string().describe('System and architecture.'),
      cpu: z.string().describe('The processor’s name.'),
      cores: z.number().describe('Number of cores.'),
      memory_gb: z.number().describe('Gigabytes of memory.'),
    })
    .describe('The machine that it ran on.'),
});

/** What a run was asked, on which data and model, when, by which versions and on what machine. */
export type RunRecord = z.infer<typeof recordSchema>;

const ADVICE =
  'Without it nobody knows what the trials are of: bring it back from a copy, or repeat the run in another folder (--out).';

/**
 * Reads the content of a `run.json`.
 * @param file the file's name, for messages
 * @throws DkvError RUN_DAMAGED naming the field that is not as expected, also for another format
 */
export function parseRecord(content: FileContent, file = RECORD_FILE): RunRecord {
  return parseWhole(file, content, recordSchema, { what: 'the record of a run', advice: ADVICE });
}
