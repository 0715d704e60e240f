/**
 * Takedowns: documents that are not served whatever generations hold them. They are a list of their own, which only grows: files with numbers, each
 * made once and never changed, which names the digest of the one before; every 64th has all that is known by then. `takedowns.json` says how many there
 * are and the digest of the last, and is there from the first publication on. Every read of documents looks at it; where it is missing, where a file is,
 * where one is damaged, or where the list is not the one that was read before, nothing is served.
 */
import { z } from 'zod';
import { sha256 } from '../../base/bytes.js';
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

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

export const takedownsSchema = z.strictObject({
  before: digestSchema.nullable().describe('SHA-256 of the file before; null for the first.'),
  isSnapshot: z.boolean().describe('Whether it holds all that was known by then.'),
  events: z.array(eventSchema).describe('What happened, or the latest of each document.'),
});

/** The file that says how far the list goes. */
export const TAKEDOWNS_HEAD = 'takedowns.json';

export const takedownsHeadSchema = z.strictObject({
  count: z.int().nonnegative().describe('How many files of takedowns there are.'),
  last: digestSchema.nullable().describe('SHA-256 of the last of them; null for none.'),
});
type Head = z.infer<typeof takedownsHeadSchema>;

export interface TakedownsOptions {
  /** How long what was read last is believed, in milliseconds. */
  readonly maxAgeMs?: number;
  /** Whether there is a list for certain, as where a generation was published. By default a catalogue without anything has an empty one. */
  readonly mustExist?: boolean;
}

/** How often this process has added to the list of a place. What its readers believe for a while does not outlast that. */
const additionsHere = new Map<string, number>();

export class Takedowns {
  readonly #files: CatalogueFiles;
  readonly #maxAgeMs: number;
  readonly #mustExist: boolean;
  readonly #latest = new Map<string, Takedown>();
  /** The number of files read, and the digest of the last. */
  #count = 0;
  #last: string | null = null;
  #isRead = false;
  #checkedAt = Number.NEGATIVE_INFINITY;
  /** The additions of this process that were known when it was read last. */
  #additions = 0;
  /** What the place says of the head that was read. */
  #stamp: string | undefined;
  #checking: Promise<void> | undefined;

  constructor(files: CatalogueFiles, { maxAgeMs = 0, mustExist = false }: TakedownsOptions = {}) {
    this.#files = files;
    this.#maxAgeMs = maxAgeMs;
    this.#mustExist = mustExist;
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

  /** Begins the list of a catalogue that has none. */
  async begin(): Promise<void> {
    await this.#check(0);
    if (await this.#files.read(TAKEDOWNS_HEAD)) return;
    await this.#files.create(TAKEDOWNS_HEAD, encodeChecked({ count: 0, last: null } satisfies Head));
  }

  /** Adds what happened. It counts for every reader once this returns. */
  async add(events: readonly Takedown[]): Promise<void> {
    if (events.length === 0) return;
    await this.begin();
    for (;;) {
      await this.#check(0);
      const number = this.#count + 1;
      const isSnapshot = number % SNAPSHOT_EVERY === 0;
      const latest = new Map(this.#latest);
      for (const event of events) latest.set(event.slot, event);
      const bytes = encodeChecked({
        before: this.#last,
        isSnapshot,
        events: isSnapshot ? [...latest.values()] : events,
      });
      const name = takedownName(number);
      const isOurs = await this.#files.create(name, bytes);
      // Where another writer was stopped behind its file, or is at this point, what it wrote counts first.
      const written = isOurs ? bytes : (await this.#files.read(name))?.bytes;
      if (written) await this.#advance(number, written);
      if (isOurs) break;
    }
    additionsHere.set(this.#files.location, this.#additionsHere() + 1);
    await this.#check(0);
  }

  #additionsHere(): number {
    return additionsHere.get(this.#files.location) ?? 0;
  }

  /** Lets the list go up to a file that was written. */
  async #advance(number: number, bytes: Buffer): Promise<void> {
    for (;;) {
      const found = await this.#files.read(TAKEDOWNS_HEAD);
      if (!found) throw this.#unknown(`${TAKEDOWNS_HEAD} is missing`);
      const { count } = decodeChecked(takedownsHeadSchema, found.bytes, TAKEDOWNS_HEAD);
      if (count >= number) return;
      if (count < number - 1)
        throw this.#unknown(`${TAKEDOWNS_HEAD} speaks of ${count} files where there are ${number}`);
      const head: Head = { count: number, last: digestOf(bytes) };
      if (await this.#files.replace(TAKEDOWNS_HEAD, encodeChecked(head), found.version)) return;
    }
  }

  /** Reads what was added since, once for all who ask meanwhile. */
  async #check(maxAgeMs: number): Promise<void> {
    const isNews = this.#additions !== this.#additionsHere();
    if (!isNews && Date.now() - this.#checkedAt < maxAgeMs) return;
    const stamp = this.#files.stamp?.(TAKEDOWNS_HEAD);
    if (stamp !== undefined && stamp === this.#stamp) return;
    // What began before this was asked may have missed what was added in between.
    const before = this.#checking;
    if (before && (maxAgeMs === 0 || isNews)) await before.catch(() => undefined);
    this.#checking ??= this.#readNew().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #readNew(): Promise<void> {
    const startedAt = Date.now();
    const additions = this.#additionsHere();
    try {
      // Looked at before the file is: what comes in between is seen the next time.
      const stamp = this.#files.stamp?.(TAKEDOWNS_HEAD);
      this.#stamp = undefined;
      const head = await this.#head();
      if (!this.#isRead) await this.#beginReading(head);
      if (head.count < this.#count)
        throw new Error(`there were ${this.#count} files of them, now there are ${head.count}`);
      while (this.#count < head.count) await this.#readOne(this.#count + 1);
      if (head.last !== this.#last) throw new Error('they are another list than was read before');
      this.#isRead = true;
      this.#stamp = stamp;
      this.#checkedAt = startedAt;
      this.#additions = additions;
    } catch (error) {
      throw this.#unknown(messageOf(error), error);
    }
  }

  async #head(): Promise<Head> {
    const found = await this.#files.read(TAKEDOWNS_HEAD);
    if (found) return decodeChecked(takedownsHeadSchema, found.bytes, TAKEDOWNS_HEAD);
    // A catalogue in which nothing was published and taken down yet.
    const isNew = !this.#mustExist && this.#count === 0;
    const things = ['takedowns/', 'aliases/', 'generations/'];
    if (isNew && !(await hasAny(this.#files, things))) return { count: 0, last: null };
    throw new Error(`${TAKEDOWNS_HEAD} is missing`);
  }

  /** Sees that all files are there, and begins with the last that has all that was known by then. */
  async #beginReading({ count }: Head): Promise<void> {
    const numbers = new Set(await takedownNumbers(this.#files));
    for (let number = 1; number <= count; number++) {
      if (!numbers.has(number)) throw new Error(`file ${takedownName(number)} is missing`);
    }
    const snapshot = Math.floor(count / SNAPSHOT_EVERY) * SNAPSHOT_EVERY;
    if (snapshot === 0) return;
    const file = await this.#files.read(takedownName(snapshot));
    this.#last = decodeTakedowns(file?.bytes, takedownName(snapshot)).before;
    this.#count = snapshot - 1;
  }

  async #readOne(number: number): Promise<void> {
    const name = takedownName(number);
    const bytes = (await this.#files.read(name))?.bytes;
    const { before, events } = decodeTakedowns(bytes, name);
    if (before !== this.#last) throw new Error(`${name} is of another list than the files before it`);
    for (const event of events) this.#latest.set(event.slot, event);
    this.#last = digestOf(bytes!);
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

/** The numbers of all files of takedowns, ascending. Other files are none. */
export async function takedownNumbers(files: Pick<CatalogueFiles, 'list'>): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { name } of files.list('takedowns/')) {
    if (/^\d{8}\.json$/.test(name)) numbers.push(takedownNumberIn(name));
  }
  return numbers.sort((one, other) => one - other);
}

async function hasAny(files: Pick<CatalogueFiles, 'list'>, folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) for await (const _ of files.list(folder)) return true;
  return false;
}

function digestOf(bytes: Uint8Array): string {
  return sha256(bytes).toString('hex');
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
