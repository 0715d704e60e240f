/**
 * Texts that models have written, on disk: what has been paid for once is never asked for again. One small file a text, named by the
 * SHA-256 of everything that it depends on, written beside its place and moved there, so that a process can be killed at any moment.
 */
import { createHash } from 'node:crypto';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { makeFolders, publish, readTextIfPresent } from '../base/files.js';

const FORMAT = 1;

const entrySchema = z.object({
  format: z.literal(FORMAT),
  /** A description for people: the writer and its prompt. */
  about: z.string(),
  /** The answer as it came. What is kept of it is decided when it is used. */
  answer: z.string(),
  /** True where the model reached its token limit. Older entries do not have it. */
  cut_off: z.boolean().optional(),
});

export interface KeptAnswer {
  readonly text: string;
  readonly cutOff: boolean;
}

export class TextCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = path.join(directory, `v${FORMAT}`);
  }

  /**
   * Makes the folder. Call it before anything is paid for.
   * @throws DkvError INPUT_INVALID
   */
  async expectWritable(): Promise<void> {
    try {
      await makeFolders(this.#directory);
      await access(this.#directory, constants.W_OK);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** @param key everything that the text depends on. @returns undefined when there is none, or none that can be read */
  async get(key: readonly unknown[]): Promise<KeptAnswer | undefined> {
    const text = await readTextIfPresent(this.#file(key));
    if (text === undefined) return undefined;
    try {
      const { answer, cut_off: cutOff = false } = entrySchema.parse(JSON.parse(text));
      return { text: answer, cutOff };
    } catch {
      return undefined;
    }
  }

  /** @throws DkvError DISK_FULL, or INPUT_INVALID when the folder cannot be written to */
  async put(key: readonly unknown[], about: string, { text, cutOff }: KeptAnswer): Promise<void> {
    const file = this.#file(key);
    const entry = { format: FORMAT, about, answer: text, ...(cutOff && { cut_off: true }) };
    await publish(file, `${JSON.stringify(entry)}\n`).catch((error: Error) => {
      throw this.#failure(error.cause ?? error);
    });
  }

  #failure(error: unknown): DkvError {
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC';
    return new DkvError(
      full ? 'DISK_FULL' : 'INPUT_INVALID',
      `${this.#directory}: written texts cannot be kept (${messageOf(error)}). Choose a folder that can be written to and has room.`,
      { cause: error },
    );
  }

  #file(key: readonly unknown[]): string {
    const digest = createHash('sha256').update(JSON.stringify(key)).digest('hex');
    return path.join(this.#directory, digest.slice(0, 2), `${digest}.json`);
  }
}
