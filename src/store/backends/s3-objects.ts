/**
 * The objects under a prefix of a bucket on S3 or what speaks its protocol: requests take turns, end in time, are repeated when the server fails,
 * and fail with an error that says what to look at. It knows nothing of what the objects hold.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
} from '@aws-sdk/client-s3';
import { onAbort } from '../../base/aborts.js';
import { DkvError, messageOf } from '../../base/errors.js';
import type { S3Address, S3Options } from './address.js';

/** The number of requests of one store at a time. */
const MOST_UNDER_WAY = 32;
/** The time limit of a request holds for so many bytes of a body: larger bodies have as many times of it as they begin pieces of this size. */
const BYTES_IN_TIME = 8 * 2 ** 20;
const MOST_TIMES = 64;
/** A write that meets another one (status 409) is tried so often, with waits of 20 ms, 40 ms and so on: 2.5 s in all. */
const CONFLICT_TRIES = 8;
const FIRST_WAIT_MS = 20;

export interface S3Object {
  readonly bytes: Buffer;
  /** What tells the object's bytes from others, in quotes; undefined when the server gives none. */
  readonly etag: string | undefined;
}

export interface S3Listed {
  /** The name below the listed folder. */
  readonly name: string;
  readonly sizeBytes: number;
  /** In milliseconds since 1970, of whole seconds. */
  readonly storedAt: number;
}

/** What has to hold for a write: there is no object yet, or still one with this ETag. */
export type S3Condition = { readonly IfNoneMatch: '*' } | { readonly IfMatch: string };

/** @throws DkvError STORE_UNREACHABLE, STORE_DENIED from every method */
export class S3Objects {
  readonly location: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #timeoutMs: number;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  /** @throws DkvError INPUT_INVALID for an endpoint that is none */
  constructor({ bucket, prefix, shown }: S3Address, timeoutMs: number, { endpoint, region, credentials }: S3Options) {
    this.location = shown;
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

  /** Reads an object; undefined when there is none. */
  async get(name: string): Promise<S3Object | undefined> {
    return this.#ask(name, async (abortSignal) => {
      const { Body, ETag } = await this.#client.send(new GetObjectCommand(this.#object(name)), { abortSignal });
      return { bytes: bufferOf(await Body!.transformToByteArray()), etag: ETag };
    });
  }

  /**
   * Reads the bytes from `start` on, `length` (at least 1) of them or as many as there are; undefined when there is no such object.
   * @throws DkvError CANCELLED when the signal is aborted
   */
  async getRange(name: string, start: number, length: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    const request = async (abortSignal: AbortSignal) => {
      const Range = `bytes=${start}-${start + length - 1}`;
      try {
        const command = new GetObjectCommand({ ...this.#object(name), Range });
        const { Body, ContentRange, $metadata } = await this.#client.send(command, { abortSignal });
        const bytes = bufferOf(await Body!.transformToByteArray());
        // A server that knows no ranges answers with the whole object.
        if ($metadata.httpStatusCode === 200) return bytes.subarray(start, start + length);
        expectRange(ContentRange, start, length, bytes.length);
        return bytes;
      } catch (error) {
        if (statusOf(error) === 416) return Buffer.alloc(0);
        throw error;
      }
    };
    return this.#ask(name, request, { sizeBytes: length, signal });
  }

  /** Reads the metadata of an object, with `storedAt` in milliseconds since 1970; undefined when there is none. */
  async head(name: string): Promise<Record<string, string> | undefined> {
    return this.#ask(name, async (abortSignal) => {
      const about = await this.#client.send(new HeadObjectCommand(this.#object(name)), { abortSignal });
      return { ...about.Metadata, storedAt: String(about.LastModified?.getTime() ?? Date.now()) };
    });
  }

  async put(name: string, bytes: Uint8Array, metadata: Record<string, string>): Promise<void> {
    const command = this.#putCommand(name, bytes, metadata);
    await this.#ask(name, (abortSignal) => this.#client.send(command, { abortSignal }), {
      sizeBytes: bytes.byteLength,
    });
  }

  /**
   * Writes an object if the condition holds, and says whether it held at the last try. An answer may have been lost and the request repeated:
   * false may then speak of this very write, which the caller tells by the metadata.
   */
  async putIf(
    name: string,
    bytes: Uint8Array,
    metadata: Record<string, string>,
    condition: S3Condition,
  ): Promise<boolean> {
    const command = this.#putCommand(name, bytes, metadata, condition);
    const request = async (abortSignal: AbortSignal) => {
      for (let tries = 1; ; tries++) {
        try {
          await this.#client.send(command, { abortSignal });
          return true;
        } catch (error) {
          const status = statusOf(error);
          if (status === 412) return false;
          // Another write or a removal of this object is under way, and the server has not decided between them.
          if (status !== 409 || tries === CONFLICT_TRIES) throw error;
        }
        await sleep(FIRST_WAIT_MS * 2 ** (tries - 1), undefined, { signal: abortSignal });
      }
    };
    // Without an answer there was no object to match.
    return (await this.#ask(name, request, { sizeBytes: bytes.byteLength })) ?? false;
  }

  async delete(name: string): Promise<void> {
    await this.#ask(name, (abortSignal) =>
      this.#client.send(new DeleteObjectCommand(this.#object(name)), { abortSignal }),
    );
  }

  /**
   * Lists the objects whose names begin with `folder`, in the order of their names, each once.
   * @throws DkvError STORE_UNREACHABLE also when the server lists in another order: what it leaves out could not be told
   */
  async *list(folder: string): AsyncIterable<S3Listed> {
    const prefix = this.#prefix + folder;
    let last = '';
    // Servers may name entries of a page again on the next one.
    let [before, named] = [new Set<string>(), new Set<string>()];
    let ContinuationToken: string | undefined;
    do {
      const token = ContinuationToken && { ContinuationToken };
      const page = await this.#ask(prefix, (abortSignal) =>
        this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: prefix, ...token }), {
          abortSignal,
        }),
      );
      [before, named] = [named, new Set()];
      for (const { Key = '', Size = 0, LastModified } of page?.Contents ?? []) {
        if (before.has(Key) || named.has(Key)) continue;
        if (Key < last) throw this.#disordered(prefix);
        last = Key;
        named.add(Key);
        yield { name: Key.slice(prefix.length), sizeBytes: Size, storedAt: LastModified?.getTime() ?? 0 };
      }
      ContinuationToken = page?.NextContinuationToken;
    } while (ContinuationToken);
  }

  /** Ends the connections. */
  close(): void {
    this.#client.destroy();
  }

  #object(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + name };
  }

  #putCommand(name: string, bytes: Uint8Array, metadata: Record<string, string>, condition?: S3Condition) {
    return new PutObjectCommand({
      ...this.#object(name),
      ...condition,
      Body: bytes,
      ContentLength: bytes.byteLength,
      ContentType: 'application/octet-stream',
      Metadata: metadata,
    });
  }

  /** Asks the server when it is the request's turn. The client would count the wait for a connection as time of the server's. */
  async #ask<T>(name: string, request: (signal: AbortSignal) => Promise<T>, how: Asked = {}): Promise<T | undefined> {
    while (this.#underWay >= MOST_UNDER_WAY) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#underWay++;
    try {
      return await this.#send(name, request, how);
    } finally {
      this.#underWay--;
      this.#waiting.shift()?.();
    }
  }

  /** Sends a request; undefined when there is no such object. The time limit holds for the answer's body and all repetitions together. */
  async #send<T>(
    name: string,
    request: (signal: AbortSignal) => Promise<T>,
    { sizeBytes = 0, signal }: Asked,
  ): Promise<T | undefined> {
    const cancelled = () => new DkvError('CANCELLED', 'Reading from the store was stopped.');
    if (signal?.aborted) throw cancelled();
    const timeoutMs = this.#timeoutMs * Math.max(1, Math.min(MOST_TIMES, Math.ceil(sizeBytes / BYTES_IN_TIME)));
    const end = new AbortController();
    const ended = new Promise<never>((_, reject) => {
      end.signal.addEventListener('abort', () => reject(end.signal.reason));
    });
    const timer = setTimeout(() => end.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const forget = onAbort(signal, () => end.abort(cancelled()));
    try {
      return await Promise.race([request(end.signal), ended]);
    } catch (error) {
      if (error instanceof NoSuchKey || error instanceof NotFound) return undefined;
      throw error instanceof DkvError ? error : this.#translate(name, error);
    } finally {
      clearTimeout(timer);
      forget();
    }
  }

  #disordered(prefix: string): DkvError {
    return new DkvError(
      'STORE_UNREACHABLE',
      `${this.location}: ${prefix}: the server does not list in the order of names, as directory buckets of S3 Express do not. Use a general purpose bucket.`,
    );
  }

  #translate(name: string, error: unknown): DkvError {
    const { name: kind = '' } = error as Error;
    const status = statusOf(error);
    const isDenied = status === 401 || status === 403 || kind === 'CredentialsProviderError';
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

interface Asked {
  /** The bytes that go to the server, or are asked for. */
  readonly sizeBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** The HTTP status that an error of the client came with. */
export function statusOf(error: unknown): number | undefined {
  return (error as Partial<S3ServiceException>).$metadata?.httpStatusCode;
}

function expectRange(found: string | undefined, start: number, length: number, sizeBytes: number): void {
  const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(found ?? '') ?? [];
  const last = Math.min(start + length, Number(total)) - 1;
  if (Number(from) === start && Number(to) === last && sizeBytes === last - start + 1) return;
  throw new Error(
    `bytes ${start}-${start + length - 1} were asked for, and ${sizeBytes} bytes came as ${JSON.stringify(found)}`,
  );
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
