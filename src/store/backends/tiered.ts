/**
 * Several storages as one, fastest first. The last one is the truth: documents are looked up there, since an id may have been
 * replaced by another process, and no write counts before it is there. Records never change under their key, so they are read from
 * the first tier that has a sound one and brought up to those above it.
 */
import { DkvError, messageOf } from '../../base/errors.js';
import { grouped } from '../../base/groups.js';
import type { Collected } from '../store.js';
import type { Backend, Blob, Decode, Expiring, Found, Slot, Usage } from './backend.js';

/**
 * What happens when a tier fails. `error` fails the request. With `fallback`, the other tiers answer reads, and writes need the last tier only;
 * while the last tier is away, documents are answered as the upper tiers last knew them.
 */
export type OnFailure = 'error' | 'fallback';

/** The number of records that one tier is asked for at a time, to be copied to the tiers above. */
const PROMOTED_TOGETHER = 32;

export class TieredBackend implements Backend {
  readonly location: string;
  readonly isReadOnly: boolean;
  readonly places: readonly string[];
  readonly #tiers: readonly Backend[];
  readonly #upper: readonly Backend[];
  readonly #last: Backend;
  readonly #onFailure: OnFailure;
  #fallbacks = 0;

  /** @param tiers at least one; they are closed with it */
  constructor(tiers: readonly Backend[], onFailure: OnFailure) {
    this.#tiers = tiers;
    this.#upper = tiers.slice(0, -1);
    this.#last = tiers.at(-1)!;
    this.#onFailure = onFailure;
    this.places = tiers.flatMap(({ places }) => places);
    this.isReadOnly = this.#last.isReadOnly;
    this.location = tiers.map(({ location }) => location).join(', ');
  }

  async read<T extends Expiring>(
    keys: readonly string[],
    decode: Decode<T>,
    signal?: AbortSignal,
  ): Promise<Found<T>[]> {
    const found = new Map<string, T>();
    const damaged = new Map<string, DkvError>();
    let failure: unknown;
    // What was taken down may still be in the tiers above.
    const visible = await this.#last.visible?.(keys);
    let left = visible ? keys.filter((key) => visible.has(key)) : keys;
    for (const [at, tier] of this.#tiers.entries()) {
      // What is brought up is held as bytes meanwhile.
      for (const some of at === 0 ? [left] : grouped(left, PROMOTED_TOGETHER)) {
        const copies: Blob[] = [];
        const keepingCopies = (bytes: Uint8Array, key: string) => {
          const decoded = decode(bytes, key);
          if (at > 0) copies.push({ key, bytes: new Uint8Array(bytes), expiresAt: decoded.expiresAt });
          return decoded;
        };
        try {
          const own = await tier.read(some, keepingCopies, signal);
          for (const [place, answer] of own.entries()) {
            // A damaged copy is as good as none while another tier has a sound one.
            if (answer instanceof DkvError) damaged.set(some[place]!, damaged.get(some[place]!) ?? answer);
            else if (answer) found.set(some[place]!, answer);
          }
        } catch (error) {
          if (signal?.aborted) throw error;
          this.#passOver(error);
          failure ??= error;
        }
        for (const copy of copies) await this.#promote(copy, this.#tiers.slice(0, at));
      }
      left = left.filter((key) => !found.has(key));
      if (left.length === 0) break;
    }
    // What is nowhere else is no miss where a tier could not be asked.
    if (failure && left.some((key) => !damaged.has(key))) throw failure;
    return keys.map((key) => found.get(key) ?? damaged.get(key));
  }

  check<T extends Expiring>(key: string, decode: Decode<T>): Promise<T | undefined> {
    return this.#last.check(key, decode);
  }

  placeOf(key: string): string | undefined {
    return this.#last.placeOf?.(key);
  }

  learn(key: string, place: string): void {
    this.#last.learn?.(key, place);
  }

  async has(key: string, now: number): Promise<boolean> {
    const visible = await this.#last.visible?.([key]);
    if (visible && !visible.has(key)) return false;
    return this.#first(this.#tiers, (tier) => tier.has(key, now), Boolean);
  }

  async write(blobs: readonly Blob[], slot?: Slot): Promise<void> {
    // Given to several, so no tier may keep the bytes.
    const shared = blobs.map(({ key, bytes, expiresAt }) => ({ key, bytes, expiresAt }));
    await this.#last.write(shared, slot);
    await this.#above((tier) => tier.write(shared, slot));
  }

  async readSlots(slots: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    try {
      return await this.#last.readSlots(slots);
    } catch (error) {
      // What was taken down meanwhile is known to the last tier alone.
      if (this.#last.hasTakedowns) throw error;
      this.#passOver(error);
      const known = new Map<string, Uint8Array>();
      for (const tier of this.#upper) {
        const left = slots.filter((slot) => !known.has(slot));
        if (left.length === 0) break;
        try {
          const own = await tier.readSlots(left);
          for (const [at, bytes] of own.entries()) if (bytes) known.set(left[at]!, bytes);
        } catch (failure) {
          this.#passOver(failure);
        }
      }
      if (slots.some((slot) => !known.has(slot))) throw error;
      return slots.map((slot) => known.get(slot));
    }
  }

  /**
   * Deletes from every tier, also from the others where one fails: what is left in one of them may be served while the last is away.
   * @throws DkvError of the first that failed, which says where it is deleted and where it is not, whatever is done about failing tiers otherwise
   */
  async deleteSlot(slot: string): Promise<boolean> {
    const done: string[] = [];
    const failed: { readonly tier: Backend; readonly error: unknown }[] = [];
    let wasThere = false;
    for (const tier of [this.#last, ...this.#upper]) {
      if (tier !== this.#last && tier.isReadOnly) continue;
      try {
        wasThere = (await tier.deleteSlot(slot)) || wasThere;
        done.push(tier.location);
      } catch (error) {
        failed.push({ tier, error });
      }
    }
    const [first] = failed;
    if (!first) return wasThere;
    if (!(first.error instanceof DkvError) || this.#tiers.length === 1) throw first.error;
    const left = failed.map(({ tier, error }) => `${tier.location} (${messageOf(error)})`);
    throw new DkvError(
      first.error.code,
      `The document is deleted from ${done.length > 0 ? done.join(', ') : 'no tier'}, and may still be in ${left.join(', ')}. Delete it again.`,
      { cause: first.error },
    );
  }

  async remove(key: string): Promise<void> {
    await this.#last.remove(key);
    await this.#above((tier) => tier.remove(key));
  }

  keys(): AsyncIterable<string> {
    return this.#last.keys();
  }

  slots(): AsyncIterable<string> {
    return this.#last.slots();
  }

  async pin(key: string): Promise<void> {
    await this.#last.pin(key);
    await this.#above((tier) => tier.pin(key));
  }

  async unpin(key: string): Promise<void> {
    await this.#last.unpin(key);
    await this.#above((tier) => tier.unpin(key));
  }

  async usage(): Promise<Usage> {
    return { ...(await this.#last.usage()), fallbacks: this.#fallbacks };
  }

  /** Removes what the last tier removed. Documents that it no longer has leave the upper tiers first, and their records with them. */
  async collect(now: number, minimumAgeMs: number): Promise<Collected> {
    const collected = await this.#last.collect(now, minimumAgeMs);
    await this.#above(async (tier) => {
      for await (const slot of tier.slots()) {
        const [[here], [there]] = await Promise.all([tier.readSlots([slot]), this.#last.readSlots([slot])]);
        if (here && !(there && Buffer.compare(here, there) === 0)) await tier.deleteSlot(slot);
      }
      await tier.collect(now, minimumAgeMs);
    });
    return collected;
  }

  async close(): Promise<void> {
    const ended = await Promise.allSettled(this.#tiers.map((tier) => tier.close()));
    const failed = ended.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** Copies a record to the upper tiers. These are copies: a failure there costs time later, and no truth. */
  async #promote(blob: Blob, tiers: readonly Backend[]): Promise<void> {
    for (const tier of tiers) {
      await tier.write([blob]).catch(() => {
        this.#fallbacks++;
      });
    }
  }

  async #above(work: (tier: Backend) => Promise<unknown>): Promise<void> {
    for (const tier of this.#upper) {
      try {
        await work(tier);
      } catch (error) {
        // Too small for this record, or not to be written to: then it has none.
        const hasNone = error instanceof DkvError && (error.code === 'STORE_FULL' || error.code === 'STORE_READONLY');
        if (!hasNone) this.#passOver(error);
      }
    }
  }

  /**
   * Gives the first answer that satisfies, or the last tier's.
   * @throws what a tier threw, if none satisfied
   */
  async #first<T>(
    tiers: readonly Backend[],
    ask: (tier: Backend) => Promise<T>,
    satisfies: (answer: T) => boolean,
  ): Promise<T> {
    let failure: unknown;
    let answer: T | undefined;
    for (const tier of tiers) {
      try {
        answer = await ask(tier);
        if (satisfies(answer)) return answer;
      } catch (error) {
        this.#passOver(error);
        failure ??= error;
      }
    }
    if (failure) throw failure;
    return answer as T;
  }

  /**
   * Counts a failure that may be passed over.
   * @throws the failure when it may not be
   */
  #passOver(error: unknown): void {
    if (this.#onFailure === 'error') throw error;
    this.#fallbacks++;
  }
}
