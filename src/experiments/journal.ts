/**
 * The journal of a run, `trials.jsonl`: one line a trial or a rejected sample, only ever appended to. What is in it is done; a line that was being written
 * when the process died is dropped.
 */
import { type FileHandle, open, truncate } from 'node:fs/promises';
import { z } from 'zod';
import { DkvError } from '../errors.js';
import { readTextIfPresent } from '../files.js';

/** One sample under one condition. NLLs in nats. */
const trialSchema = z.object({
  sample: z.string(),
  condition: z.string(),
  /** Mean over the target's tokens. */
  nll: z.number(),
  nll_sum: z.number(),
  num_tokens: z.number().int().positive(),
  token_nlls: z.array(z.number()),
  prefix_tokens: z.number().int().nonnegative(),
  document_tokens: z.number().int().nonnegative(),
  /** The document was cut at its end to keep the maximum length. */
  cut: z.boolean(),
  /** Tokenised as one string, prefix and document have other token ids than tokenised apart. */
  joint_differs: z.boolean().optional(),
  /** The prefix contains the scored text. */
  leak: z.boolean().optional(),
});

export type Trial = z.infer<typeof trialSchema>;

/** What was measured inside the encoder for one sample under one condition. */
const probeTrialSchema = z.object({
  sample: z.string(),
  condition: z.string(),
  layers: z.array(z.object({ layer: z.number().int(), measures: z.record(z.string(), z.number()) })),
});

export type ProbeTrial = z.infer<typeof probeTrialSchema>;

/** A sample that cannot be scored, and why. */
const rejectionSchema = z.object({ sample: z.string(), rejected: z.string() });

export type Rejection = z.infer<typeof rejectionSchema>;

const entrySchema = z.union([trialSchema, probeTrialSchema, rejectionSchema]);

export type Entry = z.infer<typeof entrySchema>;

export function isTrial(entry: Entry): entry is Trial {
  return 'nll' in entry;
}

export function isProbe(entry: Entry): entry is ProbeTrial {
  return 'layers' in entry;
}

export function isRejection(entry: Entry): entry is Rejection {
  return 'rejected' in entry;
}

/**
 * Reads a journal; none is an empty one. A last line without a line break is torn: it is cut off the file.
 * @throws DkvError RUN_DAMAGED naming the line, when a whole line is not an entry
 */
export async function readJournal(file: string): Promise<Entry[]> {
  const text = (await readTextIfPresent(file)) ?? '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) await truncate(file, Buffer.byteLength(whole));
  const lines = whole.split('\n').slice(0, -1);
  return lines.map((line, index) => {
    try {
      return entrySchema.parse(JSON.parse(line));
    } catch (error) {
      throw new DkvError(
        'RUN_DAMAGED',
        `${file}, line ${index + 1}: not an entry of a journal. Remove the line to have it computed again.`,
        { cause: error },
      );
    }
  });
}

/** Appends entries; what has been synced survives a crash of the machine, what has been appended one of the process. */
export class JournalWriter {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async open(file: string): Promise<JournalWriter> {
    return new JournalWriter(await open(file, 'a'));
  }

  async append(entries: readonly Entry[]): Promise<void> {
    await this.#handle.appendFile(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }

  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
  }
}
