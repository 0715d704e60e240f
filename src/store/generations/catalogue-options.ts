/** What is asked of a catalogue, and what it answers: options and results of `Catalogue`. */
import type { S3Options } from '../backends/address.js';
import type { Packed, PackOptions } from './pack.js';

export interface CatalogueOptions {
  /** Begin a catalogue where there is none; false by default. */
  readonly create?: boolean | undefined;
  /** The salt of the tenant whose documents these are. */
  readonly tenantSalt?: string | undefined;
  /** The time limit of one request to a server, with its repetitions, in milliseconds; 10,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** The settings for `s3:`. By default the environment's. */
  readonly s3?: S3Options | undefined;
}

export interface PackIntoOptions extends Omit<PackOptions, 'parent' | 'tenantSalt'> {
  /**
   * The generation that a delta is made to, or the alias that names it; null for a base. By default what the alias `live` names, and a base where there is no
   * such alias.
   */
  readonly parent?: string | null | undefined;
}

export interface PackedInto extends Packed {
  /** True where nothing differs from the parent. No draft is made then, and `generation` is the parent. */
  readonly isUnchanged: boolean;
}

export interface ActivationOptions {
  /** The alias; `live` by default. */
  readonly alias?: string | undefined;
  /** The reason, for the audit. */
  readonly reason?: string | undefined;
}

export interface Activated {
  readonly alias: string;
  readonly generation: string;
  /** The generation that the alias named before; undefined for a new alias. */
  readonly before: string | undefined;
  /** The time since when, in milliseconds since 1970. */
  readonly since: number;
}

export interface CollectGenerationsOptions {
  /**
   * How long a generation stays after its publication and after an alias named it last, and a shard that no generation names after it was stored, in
   * milliseconds. One day by default.
   */
  readonly minimumAgeMs?: number | undefined;
  /** Find out what would be taken away, and take nothing away; false by default. */
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was said of a document that was to be taken down. */
export interface TakenDown {
  readonly id: string;
  /** `erased`: it is in no shard any more. */
  readonly status: 'hidden' | 'erased';
  /** The time since when, in milliseconds since 1970. */
  readonly at: number;
  /** False where it was taken down before. */
  readonly isNew: boolean;
  /**
   * How many of the published generations have it; undefined where that cannot be told since one of them is damaged or cannot be read. It is hidden
   * in all of them, and in those to come.
   */
  readonly generations: number | undefined;
}

export interface Lifted {
  readonly id: string;
  /** What it was before. What was erased has to be packed again. `undefined` where it was not taken down. */
  readonly before: 'hidden' | 'erased' | undefined;
}
