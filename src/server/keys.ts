/**
 * The keys that a server accepts, read from a file that may change while it runs: a key that is revoked there is refused within a second, and a key
 * that is made there is known as soon. What a request asks for is not known here.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { sha256 } from '../base/bytes.js';
import { DkvError, messageOf } from '../base/errors.js';
import { fileError, readTextIfPresent } from '../base/files.js';
import { KEY_SCOPES } from '../wire/keys.js';
import type { Caller } from './caller.js';
import { idOfKey, type KeyRecord, type Keys, parseKeys } from './key-records.js';

/** The file is looked at no more often than this. */
const LOOK_MS = 1000;

export interface KeyFileOptions {
  /**
   * Told once when a changed file cannot be used, and the keys read before stay. The text has no secrets in it.
   * @param error undefined when the file can be used again
   */
  readonly onChange?: (error: DkvError | undefined) => void;
  /** Milliseconds since 1970, by which keys expire. */
  readonly now?: () => number;
  /** Milliseconds that only go forward, by which the file is looked at. */
  readonly ticks?: () => number;
}

interface Known {
  readonly record: KeyRecord;
  readonly digest: Buffer;
  readonly holder: Caller;
}

/** A digest that no key has, so that a key with an unknown id takes as long as another. */
const NOBODY = randomBytes(32);

export class KeyFile {
  readonly path: string;
  readonly #options: KeyFileOptions;
  readonly #now: () => number;
  readonly #ticks: () => number;
  #known: ReadonlyMap<string, Known>;
  /** Which state of the file was read last, or tried. */
  #state: string;
  #lookedAt: number;
  #looking: Promise<void> | undefined;
  #problem: string | undefined;

  private constructor(path: string, state: string, keys: Keys, options: KeyFileOptions) {
    this.path = path;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#ticks = options.ticks ?? (() => performance.now());
    this.#state = state;
    this.#known = knownOf(keys);
    this.#lookedAt = this.#ticks();
  }

  /** @throws DkvError INPUT_INVALID where there is no such file, or another one; FILES_UNUSABLE */
  static async open(path: string, options: KeyFileOptions = {}): Promise<KeyFile> {
    // Before it is read: a change after that is seen at the next look.
    const state = await stateOf(path);
    return new KeyFile(path, state, await keysOf(path), options);
  }

  /** How many keys would be accepted now. */
  get size(): number {
    return [...this.#known.values()].filter(({ record }) => isValid(record, this.#now())).length;
  }

  /** The tenants by name, each with the salt of its documents. */
  get tenants(): ReadonlyMap<string, string> {
    return new Map([...this.#known.values()].map(({ holder }) => [holder.tenant, holder.tenantSalt]));
  }

  /**
   * Finds out who has a key. How long that takes does not depend on which key is how nearly right.
   * @param key what a request says its key is; undefined: it has none
   * @throws DkvError UNAUTHORIZED, whose message does not hold the key
   */
  async accept(key: string | undefined): Promise<Caller> {
    await this.#look();
    const id = key === undefined ? undefined : idOfKey(key);
    const known = id === undefined ? undefined : this.#known.get(id);
    const isSame = timingSafeEqual(digestOf(key ?? ''), known?.digest ?? NOBODY);
    if (known && isSame && isValid(known.record, this.#now())) return known.holder;
    throw refusal(key, id, isSame ? known : undefined);
  }

  async #look(): Promise<void> {
    if (this.#ticks() - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = this.#ticks();
      this.#looking = this.#reread().finally(() => {
        this.#looking = undefined;
      });
    }
    // Whoever comes meanwhile waits as well: a key that was revoked a second ago is not accepted any more.
    await this.#looking;
  }

  async #reread(): Promise<void> {
    try {
      const state = await stateOf(this.path);
      if (state === this.#state) return;
      const keys = await keysOf(this.path);
      this.#known = knownOf(keys);
      this.#state = state;
      if (this.#problem !== undefined) this.#options.onChange?.(undefined);
      this.#problem = undefined;
    } catch (error) {
      const message = messageOf(fileError(error, this.path));
      // Not remembered as read: it is tried again at the next look, and told once.
      if (message === this.#problem) return;
      this.#problem = message;
      this.#options.onChange?.(new DkvError('INPUT_INVALID', `${message} The keys read before stay in use.`));
    }
  }
}

export function digestOf(key: string): Buffer {
  return sha256(key);
}

/** Whether a key is accepted at a time. */
export function statusOf(
  { expiresAt, revokedAt }: Pick<KeyRecord, 'expiresAt' | 'revokedAt'>,
  now: number,
): 'valid' | 'expired' | 'revoked' {
  if (revokedAt !== undefined) return 'revoked';
  return expiresAt !== undefined && Date.parse(expiresAt) <= now ? 'expired' : 'valid';
}

function isValid(record: KeyRecord, now: number): boolean {
  return statusOf(record, now) === 'valid';
}

/** Only to whoever has the whole key is said what became of it. */
function refusal(key: string | undefined, id: string | undefined, known: Known | undefined): DkvError {
  const why = () => {
    if (key === undefined)
      return 'This server wants a key, and the request has none: send the header "authorization: Bearer dkv_...".';
    if (id === undefined)
      return 'The key has not the form of one: dkv_, twelve letters or digits, _, and 64 digits of 0-9 and a-f.';
    if (!known) return `The key ${id} is not known here.`;
    const { revokedAt, expiresAt } = known.record;
    return revokedAt === undefined
      ? `The key ${id} expired at ${expiresAt}.`
      : `The key ${id} was revoked at ${revokedAt}.`;
  };
  return new DkvError('UNAUTHORIZED', `${why()} Whoever runs the server makes keys with dkv keys create.`);
}

function knownOf({ tenants, keys }: Keys): ReadonlyMap<string, Known> {
  return new Map(
    keys.map((record) => {
      const { id, tenant, sha256: hex, scopes, limits } = record;
      const holder = {
        keyId: id,
        tenant,
        tenantSalt: tenants[tenant]!.salt,
        scope: KEY_SCOPES.findLast((scope) => scopes.includes(scope))!,
        ...(limits && { limits }),
      };
      return [id, { record, digest: Buffer.from(hex, 'hex'), holder }];
    }),
  );
}

/** @throws DkvError INPUT_INVALID where there is no such file, or another one; FILES_UNUSABLE */
export async function keysOf(file: string): Promise<Keys> {
  const text = await readTextIfPresent(file).catch((error: unknown) => {
    throw fileError(error, file);
  });
  if (text !== undefined) return parseKeys(text, file);
  throw new DkvError('INPUT_INVALID', `${file}: no such file. dkv keys create --file ${file} --tenant NAME makes it.`);
}

/** What differs as soon as a file was written or replaced. */
async function stateOf(file: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { dev: 0, ino: 0, size: 0, mtimeNs: 0, ctimeNs: 0 };
    throw fileError(error, file);
  });
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
