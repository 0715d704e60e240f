/** Takes away generations that nobody serves or reads, and shards that no generation names. */

import { listAliases } from './aliases.js';
import { writeAudit } from './audit.js';
import { condemnedName, listGenerations, manifestName, readGeneration } from './catalogue.js';
import type { CatalogueFiles } from './files.js';
import { GenerationReader } from './layers.js';
import { listLeases } from './leases.js';
import { decodeManifest, type Generation, shardsOf } from './manifest.js';
import { shardsOfParts } from './parts-under-way.js';
import { shardName } from './shard-reader.js';
import type { Takedown, Takedowns } from './takedowns.js';
import { inTurn, type Turn } from './turns.js';

export interface CollectOptions {
  /**
   * How long a generation stays after its publication and after an alias named it last, and a shard that no generation names after it was stored, in
   * milliseconds. One day by default.
   */
  readonly minimumAgeMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CollectedGenerations {
  readonly generations: readonly string[];
  /** The number of drafts that were never published. */
  readonly drafts: number;
  readonly shards: number;
  readonly freedBytes: number;
  /** The number of documents taken down that are in no shard any more since now. */
  readonly erased: number;
}

const DAY_MS = 86_400_000;

/** @throws DkvError STORE_BUSY, STORE_DAMAGED where it cannot be told what is in use, CANCELLED */
export async function collect(
  files: CatalogueFiles,
  takedowns: Takedowns,
  { minimumAgeMs = DAY_MS, signal }: CollectOptions = {},
): Promise<CollectedGenerations> {
  return inTurn(files, 'collect', (turn) => new Collecting(files, takedowns, minimumAgeMs, turn).run(), signal);
}

class Collecting {
  readonly #files: CatalogueFiles;
  readonly #takedowns: Takedowns;
  readonly #before: number;
  readonly #turn: Turn;

  constructor(files: CatalogueFiles, takedowns: Takedowns, minimumAgeMs: number, turn: Turn) {
    this.#files = files;
    this.#takedowns = takedowns;
    this.#before = Date.now() - minimumAgeMs;
    this.#turn = turn;
  }

  async run(): Promise<CollectedGenerations> {
    const generations = await this.#removeGenerations();
    const drafts = await this.#removeDrafts();
    await this.#removeLeases();
    await this.#files.tidy(this.#before);
    const kept = await this.#kept();
    const { shards, freedBytes, orphans } = await this.#removeShards(kept);
    // Bytes that no manifest names may still hold what was taken down.
    const erased = orphans > 0 ? 0 : await this.#erased(kept);
    if (generations.length + shards > 0) {
      await writeAudit(this.#files, 'collect', `${generations.join(', ') || 'no generation'}; ${shards} shards`);
    }
    return { generations, drafts, shards, freedBytes, erased };
  }

  async #removeGenerations(): Promise<string[]> {
    const named = new Set<string>();
    for (const { generation, earlier } of (await listAliases(this.#files)).values()) {
      named.add(generation);
      for (const past of earlier) if (past.until > this.#before) named.add(past.generation);
    }
    const removed: string[] = [];
    for (const { id, storedAt } of await listGenerations(this.#files)) {
      // What a collection that was stopped had begun is decided anew.
      const isKept = named.has(id) || storedAt > this.#before || (await this.#isLeased(id));
      if (isKept) {
        await this.#files.remove(condemnedName(id));
        continue;
      }
      // A reader takes its lease and then looks whether the generation is condemned: one of both sees the other.
      await this.#files.put(condemnedName(id), Buffer.from('being collected\n'));
      if (await this.#isLeased(id)) {
        await this.#files.remove(condemnedName(id));
        continue;
      }
      this.#turn.expectHeld();
      await this.#files.remove(manifestName(id));
      removed.push(id);
    }
    await this.#removeMarks();
    return removed;
  }

  async #isLeased(id: string): Promise<boolean> {
    return (await listLeases(this.#files, id)).some(({ isLive }) => isLive);
  }

  /** Tells whether somebody packs or compacts: shards come before the manifest that names them. */
  #isPacking(): Promise<boolean> {
    return this.#isLeased('packing');
  }

  /** Marks stay behind manifests that are gone. */
  async #removeMarks(): Promise<void> {
    const ids = new Set((await listGenerations(this.#files)).map(({ id }) => id));
    for await (const { name } of this.#files.list('generations/')) {
      const id = name.replace(/\.condemned$/, '');
      if (name.endsWith('.condemned') && !ids.has(id)) await this.#files.remove(condemnedName(id));
    }
  }

  async #removeDrafts(): Promise<number> {
    let removed = 0;
    for (const { id, storedAt } of await listGenerations(this.#files, 'drafts')) {
      if (storedAt > this.#before) continue;
      await this.#files.remove(manifestName(id, 'drafts'));
      removed++;
    }
    return removed;
  }

  async #removeLeases(): Promise<void> {
    for (const { name, isLive } of await listLeases(this.#files)) if (!isLive) await this.#files.remove(name);
  }

  /** Everything whose shards stay. A manifest that cannot be read could name any of them, so it ends the collection. */
  async #kept(): Promise<Generation[]> {
    const kept: Generation[] = [];
    for (const { id } of await listGenerations(this.#files)) {
      const generation = await readGeneration(this.#files, id);
      if (generation) kept.push(generation);
    }
    for (const { id } of await listGenerations(this.#files, 'drafts')) {
      const draft = await this.#files.read(manifestName(id, 'drafts'));
      if (draft) kept.push({ id, manifest: decodeManifest(id, draft.bytes) });
    }
    return kept;
  }

  /** @returns also the number of shards that no manifest names and that stay */
  async #removeShards(kept: readonly Generation[]): Promise<{ shards: number; freedBytes: number; orphans: number }> {
    const named = new Set(kept.flatMap(({ manifest }) => shardsOf(manifest).map(({ digest }) => shardName(digest))));
    const underWay = await shardsOfParts(this.#files);
    const isPacking = await this.#isPacking();
    let [shards, freedBytes, orphans] = [0, 0, 0];
    for await (const { name, sizeBytes, storedAt } of this.#files.list('shards/')) {
      if (named.has(`shards/${name}`)) continue;
      if (storedAt > this.#before || isPacking || underWay.has(`shards/${name}`)) {
        orphans++;
        continue;
      }
      this.#turn.expectHeld();
      await this.#files.remove(`shards/${name}`);
      shards++;
      freedBytes += sizeBytes;
    }
    return { shards, freedBytes, orphans };
  }

  /** Finds what was taken down and is in no shard any more, and says so. */
  async #erased(kept: readonly Generation[]): Promise<number> {
    const readers = kept.map((generation) => new GenerationReader(this.#files, generation));
    const erased: Takedown[] = [];
    for (const takedown of (await this.#takedowns.all()).values()) {
      if (takedown.status !== 'hidden') continue;
      const isHeld = await anyOf(readers, (reader) => reader.holds(takedown.slot));
      if (!isHeld) erased.push({ ...takedown, status: 'erased', at: Date.now() });
    }
    // What is being packed may hold them, and no manifest names it yet.
    if (erased.length === 0 || (await this.#isPacking())) return 0;
    await this.#takedowns.add(erased);
    for (const { id, reason } of erased) await writeAudit(this.#files, 'erase', id, reason);
    return erased.length;
  }
}

async function anyOf<T>(items: readonly T[], is: (item: T) => Promise<boolean>): Promise<boolean> {
  for (const item of items) if (await is(item)) return true;
  return false;
}
