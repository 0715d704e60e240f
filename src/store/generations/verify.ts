/** Reads all of a catalogue and says what is not as it was written: shards against their names, manifests, aliases, takedowns, the audit. */
import { Breather } from '../../base/breather.js';
import { sha256 } from '../../base/bytes.js';
import { messageOf } from '../../base/errors.js';
import { inParallel } from '../../base/parallel.js';
import { isDamage } from '../records/damage.js';
import { decodeAlias } from './aliases.js';
import { decodeAudit } from './audit.js';
import { type Folder, listGenerations, manifestName } from './catalogue.js';
import type { CatalogueFiles } from './files.js';
import { decodeManifest, type Generation, type Manifest, type ShardFacts, shardsOf } from './manifest.js';
import type { PackProgress } from './pack.js';
import { shardName } from './shard-reader.js';
import { decodeTakedowns, TAKEDOWNS_HEAD, Takedowns, takedownName, takedownNumbers } from './takedowns.js';

/** The number of shards in memory at a time. */
const SHARDS_AT_ONCE = 2;
const SMALL_AT_ONCE = 16;

export interface DamagedFile {
  readonly kind: 'shard' | 'generation' | 'draft' | 'alias' | 'takedowns' | 'audit';
  /** The file below the catalogue's folder. */
  readonly name: string;
  readonly reason: string;
  /** The number of documents in a shard, as its manifest says; absent for other files, and a shard that no manifest names. */
  readonly documents?: number;
}

/** How many files of each kind were read, damaged ones included. */
export interface CatalogueVerification {
  readonly shards: number;
  /** Bytes of the shards that were read. */
  readonly sizeBytes: number;
  readonly generations: number;
  readonly drafts: number;
  readonly aliases: number;
  readonly takedowns: number;
  readonly audit: number;
  readonly damaged: readonly DamagedFile[];
}

export interface VerifyCatalogueOptions {
  /** A generation, whose shards alone are read: its id, the beginning of it, or an alias. */
  readonly generation?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of shards. */
  readonly onProgress?: ((progress: PackProgress) => void) | undefined;
}

/**
 * @param only whose shards are read; all of them by default
 * @throws DkvError CANCELLED, and what the files throw
 */
export async function verifyCatalogue(
  files: CatalogueFiles,
  only: Generation | undefined,
  options: Omit<VerifyCatalogueOptions, 'generation'>,
): Promise<CatalogueVerification> {
  return new Verifying(files, options).run(only);
}

class Verifying {
  readonly #files: CatalogueFiles;
  readonly #options: Omit<VerifyCatalogueOptions, 'generation'>;
  readonly #damaged: DamagedFile[] = [];
  readonly #turns: Breather;
  /** The ids of all documents that were ever taken down; undefined where the list cannot be read. */
  #takenDown: ReadonlySet<string> | undefined;

  constructor(files: CatalogueFiles, options: Omit<VerifyCatalogueOptions, 'generation'>) {
    this.#files = files;
    this.#options = options;
    this.#turns = new Breather(options.signal, 'Stopped before everything was read.');
  }

  async run(only: Generation | undefined): Promise<CatalogueVerification> {
    const generations = await this.#manifests('generations');
    const drafts = await this.#manifests('drafts');
    const { aliases, takedowns: expected } = await this.#aliases(new Set(generations.keys()));
    const takedowns = await this.#takedowns(expected, generations.size > 0);
    const audit = await this.#audit();
    const manifests = only ? [only.manifest] : [...generations.values(), ...drafts.values()];
    const shards = await this.#shards(manifests, only === undefined);
    const counts = { generations: generations.size, drafts: drafts.size, aliases, takedowns, audit };
    return { ...shards, ...counts, damaged: this.#damaged };
  }

  /** By id; undefined for those that are damaged. */
  async #manifests(folder: Folder): Promise<Map<string, Manifest | undefined>> {
    const found = new Map<string, Manifest | undefined>();
    const kind = folder === 'drafts' ? 'draft' : 'generation';
    for (const { id } of await listGenerations(this.#files, folder)) {
      const name = manifestName(id, folder);
      const file = await this.#files.read(name);
      if (file) found.set(id, await this.#looked(kind, name, () => decodeManifest(id, file.bytes)));
    }
    return found;
  }

  /** @returns also the largest number of files of takedowns that any of them knows of */
  async #aliases(generations: ReadonlySet<string>): Promise<{ aliases: number; takedowns: number }> {
    let [aliases, takedowns] = [0, 0];
    const missing = new Map<string, string>();
    for await (const { name: own } of this.#files.list('aliases/')) {
      const name = `aliases/${own}`;
      const file = own.endsWith('.json') ? await this.#files.read(name) : undefined;
      if (!file) continue;
      aliases++;
      const state = await this.#looked('alias', name, () => decodeAlias(file.bytes, name));
      if (!state) continue;
      takedowns = Math.max(takedowns, state.takedowns);
      if (!generations.has(state.generation)) missing.set(state.generation, own.slice(0, -'.json'.length));
    }
    for (const [id, alias] of missing) {
      const name = manifestName(id);
      this.#damaged.push({ kind: 'generation', name, reason: `${name} is not there, and alias ${alias} names it.` });
    }
    return { aliases, takedowns };
  }

  /**
   * @param expected how many there are at least
   * @param mustExist whether something was published, so that there is a list
   */
  async #takedowns(expected: number, mustExist: boolean): Promise<number> {
    const numbers = await takedownNumbers(this.#files);
    const last = Math.max(expected, numbers.at(-1) ?? 0);
    for (let number = 1; number <= last; number++) {
      const name = takedownName(number);
      const file = await this.#files.read(name);
      await this.#looked('takedowns', name, () => decodeTakedowns(file?.bytes, name));
    }
    const wasSound = !this.#damaged.some(({ kind }) => kind === 'takedowns');
    try {
      this.#takenDown = new Set(
        [...(await new Takedowns(this.#files, { mustExist }).all()).values()].map(({ id }) => id),
      );
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (wasSound) this.#damaged.push({ kind: 'takedowns', name: TAKEDOWNS_HEAD, reason: messageOf(error) });
    }
    return numbers.length;
  }

  async #audit(): Promise<number> {
    const names: string[] = [];
    for await (const { name } of this.#files.list('audit/')) names.push(`audit/${name}`);
    await inParallel(names, SMALL_AT_ONCE, async (name) => {
      const file = await this.#files.read(name);
      const line = file && (await this.#looked('audit', name, () => decodeAudit(file.bytes, name)));
      if (line?.action !== 'takedown' || !this.#takenDown || this.#takenDown.has(line.subject)) return;
      const reason = `${TAKEDOWNS_HEAD} is of an older list: ${name} says that ${JSON.stringify(line.subject)} was taken down, and the list does not. Take it down again.`;
      this.#damaged.push({ kind: 'takedowns', name: TAKEDOWNS_HEAD, reason });
    });
    return names.length;
  }

  /** @param isAll whether those that no manifest names are read too */
  async #shards(
    manifests: readonly (Manifest | undefined)[],
    isAll: boolean,
  ): Promise<{ shards: number; sizeBytes: number }> {
    const shardsNamed = manifests.flatMap((manifest) => (manifest ? shardsOf(manifest) : []));
    const named = new Map(shardsNamed.map((facts) => [shardName(facts.digest), facts]));
    const names = new Set(named.keys());
    if (isAll) for await (const { name } of this.#files.list('shards/')) names.add(`shards/${name}`);
    let [shards, sizeBytes] = [0, 0];
    await inParallel(names, SHARDS_AT_ONCE, async (name) => {
      await this.#turns.breathe();
      const read = await this.#shard(name, named.get(name));
      sizeBytes += read;
      this.#options.onProgress?.({ done: ++shards, of: names.size });
    });
    return { shards, sizeBytes };
  }

  async #shard(name: string, facts: ShardFacts | undefined): Promise<number> {
    const bytes = (await this.#files.read(name))?.bytes;
    const reason = shardFault(name, bytes);
    // One that nothing names may have been collected meanwhile.
    if (reason !== undefined && (bytes || facts)) {
      const whose = facts ? '' : ' No manifest names it.';
      const documents = facts && { documents: facts.documents };
      this.#damaged.push({ kind: 'shard', name, reason: `${name} ${reason}.${whose}`, ...documents });
    }
    return bytes?.length ?? 0;
  }

  async #looked<T>(kind: DamagedFile['kind'], name: string, read: () => T): Promise<T | undefined> {
    await this.#turns.breathe();
    try {
      return read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#damaged.push({ kind, name, reason: messageOf(error) });
      return undefined;
    }
  }
}

/** What is wrong with the bytes of a shard; undefined for nothing. */
export function shardFault(name: string, bytes: Buffer | undefined): string | undefined {
  if (!bytes) return 'is not there';
  const digest = sha256(bytes).toString('hex');
  return name === shardName(digest) ? undefined : `is damaged: its ${bytes.length} bytes have the SHA-256 ${digest}`;
}
