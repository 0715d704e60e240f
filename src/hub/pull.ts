/** Brings files of a repository into the cache: in parallel, resumed where they broke off, checked against the hub's digests. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { expectSpace, makeFolder } from '../base/files.js';
import { withLock } from '../base/lock.js';
import { HUB_CACHE_ADVICE, type RepositoryCache } from './cache.js';
import type { HubClient, RemoteFile } from './client.js';

export interface PullOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Called when another process downloads one of the files: it is waited for. */
  readonly onWait?: (holder: string) => void;
}

const PARALLEL_DOWNLOADS = 4;

/** @throws DkvError DISK_FULL, DOWNLOAD_DAMAGED, CANCELLED and what the client throws; files that have arrived stay */
export async function pullFiles(
  client: HubClient,
  cache: RepositoryCache,
  repository: string,
  commit: string,
  files: readonly RemoteFile[],
  { signal, onProgress, onWait }: PullOptions = {},
): Promise<void> {
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const arrived = new Map<string, number>();
  const missing: RemoteFile[] = [];
  for (const file of files) {
    if (await cache.has(commit, file.path, file.sizeBytes)) arrived.set(file.path, file.sizeBytes);
    else missing.push(file);
  }
  const report = (file: RemoteFile, bytes: number) => {
    arrived.set(file.path, bytes);
    onProgress?.(
      [...arrived.values()].reduce((a, b) => a + b, 0),
      total,
    );
  };
  await makeFolder(path.join(cache.directory, 'blobs'), HUB_CACHE_ADVICE);
  await expectRoom(cache, missing);

  // The first failure stops the other downloads too; what they have is kept.
  const stopping = new AbortController();
  const stop = stopping.signal;
  const abort = () => stopping.abort();
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  const queue = [...missing].sort((a, b) => b.sizeBytes - a.sizeBytes);
  let firstError: unknown;
  const worker = async () => {
    for (let file = queue.shift(); file && !stop.aborted; file = queue.shift()) {
      const wanted = file;
      const lock = path.join(
        path.dirname(cache.directory),
        '.locks',
        path.basename(cache.directory),
        `${file.digest}.dkv.lock`,
      );
      try {
        const options = { signal: stop, ...(onWait && { onWait }) };
        await withLock(lock, () => pullBlob(client, cache, repository, commit, wanted, stop, report), options);
        await cache.link(commit, file.path, file.digest);
      } catch (error) {
        firstError ??= error;
        abort();
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_DOWNLOADS }, worker));
  signal?.removeEventListener('abort', abort);
  if (firstError !== undefined) throw firstError;
  if (signal?.aborted) throw new DkvError('CANCELLED', 'The download was stopped; what has arrived is kept.');
}

async function pullBlob(
  client: HubClient,
  cache: RepositoryCache,
  repository: string,
  commit: string,
  file: RemoteFile,
  signal: AbortSignal,
  report: (file: RemoteFile, bytes: number) => void,
): Promise<void> {
  const blob = cache.blob(file.digest);
  const known = await stat(blob).catch(() => undefined);
  if (known?.size === file.sizeBytes) {
    report(file, file.sizeBytes);
    return;
  }
  const partial = `${blob}.dkv.incomplete`;
  for (;;) {
    const sink = await Sink.open(partial, file, (bytes) => report(file, bytes));
    const resumed = sink.start() > 0;
    try {
      await client.download(repository, commit, file, sink, signal);
    } finally {
      await sink.close();
    }
    const problem = sink.problem();
    if (!problem) break;
    await rm(partial, { force: true });
    // What an earlier, interrupted download left may have been the damaged part.
    if (resumed) continue;
    throw new DkvError(
      'DOWNLOAD_DAMAGED',
      `${repository}, ${file.path}: ${problem}. It was thrown away; try again, and check what stands between this machine and the hub.`,
    );
  }
  await rename(partial, blob);
}

/** A partial file, with the digest of what is in it. */
class Sink {
  readonly #handle: FileHandle;
  readonly #file: RemoteFile;
  readonly #onBytes: (bytes: number) => void;
  #hashes: Hash[];
  #bytes = 0;

  private constructor(handle: FileHandle, file: RemoteFile, onBytes: (bytes: number) => void) {
    this.#handle = handle;
    this.#file = file;
    this.#onBytes = onBytes;
    this.#hashes = newHashes(file);
  }

  /** Opens the partial file and takes in what an interrupted download left there. */
  static async open(partial: string, file: RemoteFile, onBytes: (bytes: number) => void): Promise<Sink> {
    const sink = new Sink(await open(partial, 'a'), file, onBytes);
    for await (const chunk of createReadStream(partial)) sink.#take(chunk);
    return sink;
  }

  start(): number {
    return this.#bytes;
  }

  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hashes = newHashes(this.#file);
    this.#bytes = 0;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOSPC' ? new DkvError('DISK_FULL', `${this.#file.path}: ${error.message}`) : error;
    });
    this.#take(chunk);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** Says what is wrong with the finished file; undefined where nothing is. */
  problem(): string | undefined {
    const { sizeBytes, digest } = this.#file;
    if (this.#bytes !== sizeBytes) return `${this.#bytes} bytes arrived, the hub says that it has ${sizeBytes}`;
    const found = this.#hashes.map((hash) => hash.digest('hex'));
    return found.length === 0 || found.includes(digest)
      ? undefined
      : `its digest is ${found[0]}, the hub says ${digest}`;
  }

  #take(chunk: Uint8Array): void {
    for (const hash of this.#hashes) hash.update(chunk);
    this.#bytes += chunk.length;
    this.#onBytes(this.#bytes);
  }
}

/**
 * Large files are named by their SHA-256, small ones as git names a blob: SHA-1 over a header and the content. Mirrors may give the SHA-1 of
 * the content alone. A tag that is no digest says nothing of the content: then the size has to do.
 */
function newHashes({ digest, sizeBytes }: RemoteFile): Hash[] {
  if (/^[0-9a-f]{64}$/.test(digest)) return [createHash('sha256')];
  if (/^[0-9a-f]{40}$/.test(digest)) return [createHash('sha1').update(`blob ${sizeBytes}\0`), createHash('sha1')];
  return [];
}

async function expectRoom(cache: RepositoryCache, files: readonly RemoteFile[]): Promise<void> {
  let needed = 0;
  for (const { digest, sizeBytes } of files) {
    const partial = await stat(`${cache.blob(digest)}.dkv.incomplete`).catch(() => undefined);
    const whole = await stat(cache.blob(digest)).catch(() => undefined);
    if (whole?.size !== sizeBytes) needed += sizeBytes - Math.min(partial?.size ?? 0, sizeBytes);
  }
  await expectSpace(cache.directory, needed, 'the download', 'HF_HUB_CACHE');
}
