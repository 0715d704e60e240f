/**
 * Takedowns: documents that are not served whatever generations hold them. They are a list of their own, which only grows: files with numbers, each
 * made once and never changed, every 64th with all that is known by then. Every read of documents looks for a further file; where that cannot be
 * done, or a file is missing or damaged, nothing is served.
 */
import { z } from 'zod';
import { DkvError, messageOf } from '../../base/errors.js';
import { decodeChecked, encodeChecked } from './checked-json.js';
import type { CatalogueFiles } from './files.js';

const SNAPSHOT_EVERY = 64;

const eventSchema = z.strictObject({
  slot: z.string().describe('The place of the document.'),
  id: z.string().describe('The document’s id.'),
  status: z
    .enum(['hidden', 'erased', 'lifted'])
    .describe('hidden: not served. erased: nor is it in any shard any more. lifted: served again.'),
  at: z.int().describe('When, in milliseconds since 1970.'),
  reason: z.string().nullable().describe('Why, where somebody said so.'),
});
/** The latest that is known of one document. */
export type Takedown = z.infer<typeof eventSchema>;

export const takedownsSchema = z.strictObject({
  isSnapshot: z.boolean().describe('Whether it holds all that was known by then.'),
  events: z.array(eventSchema).describe('What happened, or the latest of each document.'),
});

export class Takedowns {
  readonly #files: CatalogueFiles;
  readonly #maxAgeMs: number;
  readonly #latest = new Map<string, Takedown>();
  /** The number of files read. */
  #count = 0;
  #isListed = false;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  /** @param maxAgeMs how long what was read last is believed */
  constructor(files: CatalogueFiles, maxAgeMs: number) {
    this.#files = files;
    this.#maxAgeMs = maxAgeMs;
  }

  /** The number of files of takedowns. */
  async count(): Promise<number> {
    await this.#check(0);
    return this.#count;
  }

  /** The latest of each document that was ever taken down, by slot. */
  async all(): Promise<ReadonlyMap<string, Takedown>> {
    await this.#check(0);
    return this.#latest;
  }

  /** Tells of documents whether they are taken down. @throws DkvError STORE_UNREACHABLE, STORE_DAMAGED where that cannot be known */
  async hidden(): Promise<(slot: string) => boolean> {
    await this.#check(this.#maxAgeMs);
    return (slot) => isHidden(this.#latest.get(slot));
  }

  /**
   * Checks that at least as many files are there as once were.
   * @throws DkvError STORE_DAMAGED
   */
  async expectAtLeast(count: number): Promise<void> {
    await this.#check(0);
    if (this.#count >= count) return;
    throw this.#unknown(`${count} files of them were there, now there are ${this.#count}`);
  }

  /** Adds what happened. It counts for every reader once this returns. */
  async add(events: readonly Takedown[]): Promise<void> {
    if (events.length === 0) return;
    for (;;) {
      await this.#check(0);
      const number = this.#count + 1;
      const isSnapshot = number % SNAPSHOT_EVERY === 0;
      const latest = new Map(this.#latest);
      for (const event of events) latest.set(event.slot, event);
      const content = { isSnapshot, events: isSnapshot ? [...latest.values()] : events };
      if (await this.#files.create(takedownName(number), encodeChecked(content))) break;
    }
    await this.#check(0);
  }

  /** Reads what was added since, once for all who ask meanwhile. */
  async #check(maxAgeMs: number): Promise<void> {
    if (Date.now() - this.#checkedAt < maxAgeMs) return;
    // What began before this was asked may have missed what was added in between.
    const before = this.#checking;
    if (before && maxAgeMs === 0) await before.catch(() => undefined);
    this.#checking ??= this.#readNew().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #readNew(): Promise<void> {
    const startedAt = Date.now();
    try {
      if (!this.#isListed) await this.#readAll();
      for (;;) {
        const file = await this.#files.read(takedownName(this.#count + 1));
        if (!file) break;
        this.#take(file.bytes, this.#count + 1);
      }
      this.#checkedAt = startedAt;
    } catch (error) {
      throw this.#unknown(messageOf(error), error);
    }
  }

  async #readAll(): Promise<void> {
    const numbers = await takedownNumbers(this.#files);
    const missing = numbers.findIndex((number, at) => number !== at + 1);
    if (missing >= 0) throw new Error(`file ${takedownName(missing + 1)} is missing`);
    const snapshot = Math.floor(numbers.length / SNAPSHOT_EVERY) * SNAPSHOT_EVERY;
    this.#count = Math.max(0, snapshot - 1);
    this.#isListed = true;
  }

  #take(bytes: Buffer, number: number): void {
    const { events } = decodeTakedowns(bytes, takedownName(number));
    for (const event of events) this.#latest.set(event.slot, event);
    this.#count = number;
  }

  #unknown(reason: string, cause?: unknown): DkvError {
    const code = cause instanceof DkvError && cause.code !== 'INPUT_INVALID' ? cause.code : 'STORE_DAMAGED';
    return new DkvError(
      code,
      `${this.#files.location}: which documents were taken down cannot be told (${reason}), so none is served.`,
      { cause },
    );
  }
}

export function isHidden(takedown: Takedown | undefined): boolean {
  return takedown !== undefined && takedown.status !== 'lifted';
}

export function takedownName(number: number): string {
  return `takedowns/${String(number).padStart(8, '0')}.json`;
}

/** The number in the name of a file of takedowns. */
export function takedownNumberIn(name: string): number {
  return Number(name.replace(/^takedowns\/|\.json$/g, ''));
}

/** The numbers of all files of takedowns, ascending. */
export async function takedownNumbers(files: Pick<CatalogueFiles, 'list'>): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { name } of files.list('takedowns/')) numbers.push(takedownNumberIn(name));
  return numbers.sort((one, other) => one - other);
}

/**
 * @param bytes undefined for a file that is missing
 * @param name the file, for the message
 * @throws DkvError STORE_DAMAGED
 */
export function decodeTakedowns(bytes: Buffer | undefined, name: string): z.infer<typeof takedownsSchema> {
  if (bytes) return decodeChecked(takedownsSchema, bytes, name);
  throw new DkvError('STORE_DAMAGED', `${name} is not there. Restore it from a copy of the catalogue.`);
}
