/**
 * The store on S3 or what speaks its protocol, shared by machines, as large as the bucket. One object a record (`records/`), a
 * document (`documents/`) and a pin (`pins/`). A document's object is written after its records and names them: readers see the old
 * document or the new one. S3 keeps no order of use, so there is no maximum size.
 */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DkvError, messageOf } from '../../base/errors.js';
import { inParallel } from '../../base/parallel.js';
import type { Collected } from '../store.js';
import type { S3Address, S3Options } from './address.js';
import {
  type Backend,
  type Blob,
  type Decode,
  type Expiring,
  type Found,
  foundIn,
  readingTurns,
  type Slot,
  type Usage,
} from './backend.js';

/** The metadata that tell `collect` when an object expires and which records a document needs, without knowing their formats. */
const EXPIRES = 'dkv-expires';
const NEEDS = 'dkv-needs';
const MOST_VARIANTS = 28;
/** The number of requests of one store at a time. */
const MOST_UNDER_WAY = 32;
/** The number of requests that one reading or collection has under way. */
const PARALLEL = 16;

interface Listed {
  readonly name: string;
  readonly sizeBytes: number;
  readonly storedAt: number;
}

export class S3Backend implements Backend {
  readonly location: string;
  readonly places: readonly string[];
  readonly isReadOnly = false;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #timeoutMs: number;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  /** @throws DkvError INPUT_INVALID for an endpoint that is none */
  constructor({ bucket, prefix, shown }: S3Address, timeoutMs: number, { endpoint, region, credentials }: S3Options) {
    this.location = shown;
    this.places = [shown];
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#timeoutMs = timeoutMs;
    const ownEndpoint = endpoint ?? process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
    if (ownEndpoint) expectEndpoint(ownEndpoint);
    const ownRegion = region ?? (process.env.AWS_REGION ? undefined : 'us-east-1');
    this.#client = new S3Client({
      ...(ownEndpoint && { endpoint: ownEndpoint, forcePathStyle: true }),
      ...(ownRegion && { region: ownRegion }),
      ...(credentials && { credentials }),
      maxAttempts: 3,
      // What other servers than Amazon's understand. Records carry their own checksum.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  async read<T extends Expiring>(
    keys: readonly string[],
    decode: Decode<T>,
    signal?: AbortSignal,
  ): Promise<Found<T>[]> {
    const turns = readingTurns(signal);
    const found = new Array<Found<T>>(keys.length);
    await inParallel(keys.entries(), PARALLEL, async ([at, key]) => {
      const bytes = await this.#get(`records/${key}`);
      await turns.breathe();
      found[at] = bytes && foundIn(() => decode(bytes, key));
    });
    return found;
  }

  async check<T extends Expiring>(key: string, decode: Decode<T>): Promise<T | undefined> {
    const bytes = await this.#get(`records/${key}`);
    return bytes && decode(bytes, key);
  }

  async has(key: string, now: number): Promise<boolean> {
    const about = await this.#head(`records/${key}`);
    return about !== undefined && !isPast(about, now);
  }

  async write(blobs: readonly Blob[], slot?: Slot): Promise<void> {
    // S3 takes 2 KB of metadata.
    if (slot && slot.keys.length > MOST_VARIANTS) {
      throw new DkvError(
        'INPUT_INVALID',
        `A document on S3 has at most ${MOST_VARIANTS} variants, not ${slot.keys.length}.`,
      );
    }
    await inParallel(blobs, PARALLEL, ({ key, bytes, expiresAt }) =>
      this.#put(`records/${key}`, bytes, expiry(expiresAt)),
    );
    if (!slot) return;
    const needs = { [NEEDS]: slot.keys.join(',') };
    await this.#put(`documents/${slot.slot}`, slot.bytes, { ...expiry(slot.expiresAt), ...needs });
    // A collection under way may have taken a record that was not needed before this.
    await inParallel(blobs, PARALLEL, async ({ key, bytes, expiresAt }) => {
      if (!(await this.#head(`records/${key}`))) await this.#put(`records/${key}`, bytes, expiry(expiresAt));
    });
  }

  async readSlots(slots: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const found = new Array<Uint8Array | undefined>(slots.length);
    await inParallel(slots.entries(), PARALLEL, async ([at, slot]) => {
      found[at] = await this.#get(`documents/${slot}`);
    });
    return found;
  }

  async deleteSlot(slot: string): Promise<boolean> {
    const present = (await this.#head(`documents/${slot}`)) !== undefined;
    await this.#delete(`documents/${slot}`);
    return present;
  }

  async remove(key: string): Promise<void> {
    await this.#delete(`records/${key}`);
  }

  async *keys(): AsyncIterable<string> {
    for await (const { name } of this.#list('records/')) yield name;
  }

  async *slots(): AsyncIterable<string> {
    for await (const { name } of this.#list('documents/')) yield name;
  }

  async pin(key: string): Promise<void> {
    await this.#put(`pins/${key}`, new Uint8Array(), {});
  }

  async unpin(key: string): Promise<void> {
    await this.#delete(`pins/${key}`);
  }

  async usage(): Promise<Usage> {
    let [records, sizeBytes] = [0, 0];
    for await (const listed of this.#list('records/')) {
      records++;
      sizeBytes += listed.sizeBytes;
    }
    const [documents, pinned] = await Promise.all([count(this.#list('documents/')), count(this.#list('pins/'))]);
    return { records, documents, pinned, sizeBytes };
  }

  /**
   * Removes what has expired or is not needed. Records are listed before documents are read, so that a record that is needed by then is seen to be.
   */
  async collect(now: number, minimumAgeMs: number): Promise<Collected> {
    const records = await all(this.#list('records/'));
    const needed = new Set((await all(this.#list('pins/'))).map(({ name }) => name));
    let documents = 0;
    await inParallel(await all(this.#list('documents/')), PARALLEL, async ({ name }) => {
      const about = await this.#head(`documents/${name}`);
      if (!about) return;
      if (isPast(about, now)) {
        documents++;
        await this.#delete(`documents/${name}`);
      } else for (const key of about[NEEDS]?.split(',') ?? []) needed.add(key);
    });
    let [removed, sizeBytes] = [0, 0];
    await inParallel(records, PARALLEL, async (listed) => {
      if (!(await this.#isCollectable(listed, needed, now, minimumAgeMs))) return;
      await this.#delete(`records/${listed.name}`);
      removed++;
      sizeBytes += listed.sizeBytes;
    });
    return { records: removed, sizeBytes, documents };
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  async #isCollectable(
    { name, storedAt }: Listed,
    needed: ReadonlySet<string>,
    now: number,
    minimumAgeMs: number,
  ): Promise<boolean> {
    const about = await this.#head(`records/${name}`);
    if (!about) return false;
    if (isPast(about, now)) return true;
    // Times of S3 are whole seconds: one that was listed has been there for less than it seems.
    return !needed.has(name) && Math.max(storedAt, Number(about.storedAt)) <= now - minimumAgeMs;
  }

  async #get(name: string): Promise<Uint8Array | undefined> {
    return this.#ask(name, async (abortSignal) => {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#object(name)), { abortSignal });
      return Body?.transformToByteArray();
    });
  }

  /** The metadata of an object, with `storedAt` in milliseconds since 1970. */
  async #head(name: string): Promise<Record<string, string> | undefined> {
    return this.#ask(name, async (abortSignal) => {
      const about = await this.#client.send(new HeadObjectCommand(this.#object(name)), { abortSignal });
      return { ...about.Metadata, storedAt: String(about.LastModified?.getTime() ?? Date.now()) };
    });
  }

  async #put(name: string, bytes: Uint8Array, metadata: Record<string, string>): Promise<void> {
    await this.#ask(name, (abortSignal) =>
      this.#client.send(
        new PutObjectCommand({
          ...this.#object(name),
          Body: bytes,
          ContentLength: bytes.byteLength,
          ContentType: 'application/octet-stream',
          Metadata: metadata,
        }),
        { abortSignal },
      ),
    );
  }

  async #delete(name: string): Promise<void> {
    await this.#ask(name, (abortSignal) =>
      this.#client.send(new DeleteObjectCommand(this.#object(name)), { abortSignal }),
    );
  }

  async *#list(folder: string): AsyncIterable<Listed> {
    const prefix = this.#prefix + folder;
    // In order, so that an entry that a server names again on the next page is known by its name.
    let last = '';
    let ContinuationToken: string | undefined;
    do {
      const token = ContinuationToken && { ContinuationToken };
      const page = await this.#ask(prefix, (abortSignal) =>
        this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: prefix, ...token }), {
          abortSignal,
        }),
      );
      for (const { Key = '', Size = 0, LastModified } of page?.Contents ?? []) {
        if (Key <= last) continue;
        last = Key;
        yield { name: Key.slice(prefix.length), sizeBytes: Size, storedAt: LastModified?.getTime() ?? 0 };
      }
      ContinuationToken = page?.NextContinuationToken;
    } while (ContinuationToken);
  }

  #object(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + name };
  }

  /** Asks the server when it is the request's turn. The client would count the wait for a connection as time of the server's. */
  async #ask<T>(name: string, request: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    while (this.#underWay >= MOST_UNDER_WAY) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#underWay++;
    try {
      return await this.#send(name, request);
    } finally {
      this.#underWay--;
      this.#waiting.shift()?.();
    }
  }

  /** Sends a request; undefined when there is no such object. The time limit holds for the answer's body and all repetitions together. */
  async #send<T>(name: string, request: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`no answer within ${this.#timeoutMs} ms`)));
    });
    try {
      return await Promise.race([request(signal), late]);
    } catch (error) {
      if (error instanceof NoSuchKey || error instanceof NotFound) return undefined;
      throw this.#translate(name, error);
    }
  }

  #translate(name: string, error: unknown): DkvError {
    const { name: kind = '', $metadata } = error as Error & {
      readonly $metadata?: { readonly httpStatusCode?: number };
    };
    const isDenied =
      $metadata?.httpStatusCode === 401 || $metadata?.httpStatusCode === 403 || kind === 'CredentialsProviderError';
    const advice = isDenied
      ? 'Look at the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE), and what they may do'
      : "Look at the endpoint, the bucket's name and the region";
    return new DkvError(
      isDenied ? 'STORE_DENIED' : 'STORE_UNREACHABLE',
      `${this.location}: ${name}: ${messageOf(error)}. ${advice}.`,
      { cause: error },
    );
  }
}

function expectEndpoint(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPlain = url && /^https?:$/.test(url.protocol) && !(url.username || url.password || url.search || url.hash);
  if (isPlain) return;
  throw new DkvError(
    'INPUT_INVALID',
    'The endpoint of S3 (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or s3.endpoint) is not of the form http://host:port or https://host:port.',
  );
}

function expiry(expiresAt: number | undefined): Record<string, string> {
  return expiresAt === undefined ? {} : { [EXPIRES]: String(expiresAt) };
}

function isPast(about: Record<string, string>, now: number): boolean {
  return about[EXPIRES] !== undefined && Number(about[EXPIRES]) <= now;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function count(items: AsyncIterable<unknown>): Promise<number> {
  return (await all(items)).length;
}
