/** Leases: a reader says which generation it reads, so that it is not collected. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DkvError } from '../../base/errors.js';
import { decodeChecked, encodeChecked } from './checked-json.js';
import type { CatalogueFiles } from './files.js';
import { isDeadHere, thisProcess } from './holders.js';

/** A lease lasts this long unless it is renewed, which happens three times meanwhile. */
const LASTS_MS = 180_000;
/** What clocks of machines may differ by. */
const CLOCKS_MS = 60_000;

export const leaseSchema = z.strictObject({
  until: z.int().describe('When it ends, in milliseconds since 1970.'),
  process: z.int().describe('The number of the process.'),
  host: z.string().describe('The name of its machine.'),
});

export class Lease {
  readonly #files: CatalogueFiles;
  readonly #name: string;
  readonly #renewing: NodeJS.Timeout;

  private constructor(files: CatalogueFiles, name: string) {
    this.#files = files;
    this.#name = name;
    // One that cannot be renewed now is renewed the next time.
    this.#renewing = setInterval(() => void this.#write().catch(() => undefined), LASTS_MS / 3);
    this.#renewing.unref();
  }

  /**
   * Takes a lease on something that may be collected.
   * @param what the generation's id, or `packing`
   * @returns undefined where this reader may not write: then only age keeps the generation
   */
  static async take(files: CatalogueFiles, what: string): Promise<Lease | undefined> {
    const lease = new Lease(files, `leases/${what}/${randomUUID()}.json`);
    try {
      await lease.#write();
      return lease;
    } catch (error) {
      clearInterval(lease.#renewing);
      if (error instanceof DkvError && /^(?:STORE_READONLY|STORE_DENIED|FILES_UNUSABLE)$/.test(error.code))
        return undefined;
      throw error;
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#renewing);
    // What stays ends by itself.
    await this.#files.remove(this.#name).catch(() => undefined);
  }

  async #write(): Promise<void> {
    await this.#files.put(this.#name, encodeChecked({ until: Date.now() + LASTS_MS, ...thisProcess() }));
  }
}

export interface ListedLease {
  readonly name: string;
  /** The generation's id, or `packing`. */
  readonly what: string;
  /** The time at which it was taken or renewed, by the clock of the place that stores it. */
  readonly storedAt: number;
  readonly isLive: boolean;
}

/** @param what leaves out all others */
export async function listLeases(files: CatalogueFiles, what?: string): Promise<ListedLease[]> {
  const listed: ListedLease[] = [];
  const folder = what === undefined ? 'leases/' : `leases/${what}/`;
  for await (const { name, storedAt } of files.list(folder)) {
    const whole = folder + name;
    const found = await files.read(whole);
    if (!found) continue;
    listed.push({ name: whole, what: whole.split('/')[1]!, storedAt, isLive: isLive(found.bytes, whole, storedAt) });
  }
  return listed;
}

/** A damaged lease may be somebody's, for as long as it was when it was stored. */
function isLive(bytes: Buffer, name: string, storedAt: number): boolean {
  try {
    const lease = decodeChecked(leaseSchema, bytes, name);
    return lease.until + CLOCKS_MS > Date.now() && !isDeadHere(lease);
  } catch {
    return storedAt + LASTS_MS + CLOCKS_MS > Date.now();
  }
}
