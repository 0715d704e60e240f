/**
 * Talks HTTP with a Hugging Face hub: what a revision holds, and the bytes of its files. Knows no cache.
 *
 * The token goes to the hub's own origin only: files are usually served by another host, after a redirect.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { parse } from '../base/parse.js';
import { shownAddress } from '../base/redact.js';
import type { HubSettings } from './settings.js';

/** What a repository holds; the hub keeps the two apart. */
export type RepositoryKind = 'models' | 'datasets';

export interface RemoteFile {
  readonly path: string;
  readonly sizeBytes: number;
  /**
   * The name that the cache gives the blob: SHA-256 of large files, git's SHA-1 of small ones. A mirror may know neither; then it is made of the
   * commit and the path.
   */
  readonly digest: string;
}

/** A file as a listing has it. Mirrors may list its name and nothing else. */
export type ListedFile = Pick<RemoteFile, 'path'> & Partial<RemoteFile>;

export interface Revision {
  /** The commit: 40 hexadecimal digits. */
  readonly commit: string;
  readonly files: readonly ListedFile[];
}

const commitSchema = z.string().regex(/^[0-9a-f]{40}$/);

const revisionSchema = z.object({
  sha: commitSchema,
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.number().int().nonnegative().optional(),
      blobId: z
        .string()
        .regex(/^[0-9a-f]{40}$/)
        .optional(),
      lfs: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().nonnegative() }).nullish(),
    }),
  ),
});

/** A branch or a pull request. */
export interface Reference {
  /** The text behind the `@` of a model's name, such as `main` or `refs/pr/4`. */
  readonly name: string;
  readonly commit: string;
}

const referencesSchema = z.object({
  branches: z.array(z.object({ name: z.string(), targetCommit: commitSchema })),
  pullRequests: z.array(z.object({ ref: z.string(), targetCommit: commitSchema })).nullish(),
});

const treeSchema = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.number().int().nonnegative(),
    oid: z.string().regex(/^[0-9a-f]{40}$/),
    lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().nonnegative() }).nullish(),
  }),
);

/** The number of attempts at a request that fails without any progress, and the pauses between them. */
const ATTEMPTS = 3;
const PAUSE_MS = [500, 1500];
/** Silence after which a connection counts as broken. With the pauses, a hub that never answers is given up within 30 s. */
const SILENCE_MS = 8000;
const MAX_RETRY_AFTER_MS = 8000;
const MAX_REDIRECTS = 5;

const ETAG_DIGEST = /^(?:W\/)?"?([0-9a-f]{64}|[0-9a-f]{40})"?$/;

export class HubClient {
  readonly #settings: HubSettings;
  readonly #kind: RepositoryKind;

  constructor(settings: HubSettings, kind: RepositoryKind = 'models') {
    this.#settings = settings;
    this.#kind = kind;
  }

  /**
   * Checks that the hub answers at all.
   * @throws DkvError HUB_UNREACHABLE
   */
  async reach(): Promise<void> {
    await this.#retrying(this.#settings.endpoint, undefined, async (connection) => {
      (await this.#get(`${this.#settings.endpoint}/api/models?limit=1`, {}, connection)).resume();
    });
  }

  /** The commit that a branch, tag or commit stands for, and its files. Some mirrors give neither sizes nor digests: see `describe`. */
  async revision(repository: string, revision: string, signal?: AbortSignal): Promise<Revision> {
    const url = `${this.#settings.endpoint}/api/${this.#kind}/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
    const { text } = await this.#text(url, repository, `revision ${revision}`, signal);
    const { sha, siblings } = this.#parse(revisionSchema, text);
    const files = siblings.flatMap(({ rfilename, size, blobId, lfs }) => {
      if (leadsOut(rfilename)) return [];
      const digest = lfs?.sha256 ?? blobId;
      const sizeBytes = lfs?.size ?? size;
      return [{ path: rfilename, ...(digest && sizeBytes !== undefined && { sizeBytes, digest }) }];
    });
    return { commit: sha, files };
  }

  /** Asks for size and digest of a file where the listing did not say them. @throws DkvError HUB_UNREACHABLE when nobody says its size */
  async describe(
    repository: string,
    commit: string,
    { path, ...listed }: ListedFile,
    signal?: AbortSignal,
  ): Promise<RemoteFile> {
    if (listed.sizeBytes !== undefined && listed.digest !== undefined) {
      return { path, sizeBytes: listed.sizeBytes, digest: listed.digest };
    }
    const url = this.#fileUrl(repository, commit, path);
    const headers = await this.#retrying(url, signal, async (connection) => {
      const response = await this.#send('HEAD', url, {}, connection, ({ headers }) => 'x-linked-size' in headers);
      response.resume();
      if (!('x-linked-size' in response.headers)) this.#expectOk(response, repository, path);
      return response.headers;
    });
    const size = Number(headers['x-linked-size'] ?? headers['content-length'] ?? Number.NaN);
    if (!Number.isSafeInteger(size)) {
      throw new DkvError(
        'HUB_UNREACHABLE',
        `${this.#settings.endpoint} says neither in its listing nor at ${url} how large ${path} is: whether it arrived whole could not be told. Set HF_ENDPOINT to another hub.`,
      );
    }
    const [, tag] = ETAG_DIGEST.exec(String(headers['x-linked-etag'] ?? headers.etag)) ?? [];
    // A tag that is no digest may be that of other content in another place.
    const digest = tag ?? `${commit}-${createHash('sha1').update(path).digest('hex')}`;
    return { path, sizeBytes: size, digest };
  }

  /** The commit that a branch, tag or commit stands for, without its files: a dataset may have thousands. */
  async commit(repository: string, revision: string, signal?: AbortSignal): Promise<string> {
    const url = `${this.#settings.endpoint}/api/${this.#kind}/${repository}/revision/${encodeURIComponent(revision)}`;
    const { text } = await this.#text(url, repository, `revision ${revision}`, signal);
    return this.#parse(revisionSchema.pick({ sha: true }), text).sha;
  }

  /** A repository's branches, then its pull requests, the oldest first. */
  async references(repository: string, signal?: AbortSignal): Promise<Reference[]> {
    const url = `${this.#settings.endpoint}/api/${this.#kind}/${repository}/refs?include_prs=1`;
    const { text } = await this.#text(url, repository, 'list of branches', signal);
    const { branches, pullRequests } = this.#parse(referencesSchema, text);
    const requests = (pullRequests ?? []).flatMap(({ ref, targetCommit }) => {
      const [, number] = /^refs\/pr\/(\d+)$/.exec(ref) ?? [];
      return number ? [{ number: Number(number), name: ref, commit: targetCommit }] : [];
    });
    requests.sort((a, b) => a.number - b.number);
    return [
      ...branches.map(({ name, targetCommit }) => ({ name, commit: targetCommit })),
      ...requests.map(({ name, commit }) => ({ name, commit })),
    ];
  }

  /** The page on which people see a repository's pull requests. */
  discussionsPage(repository: string): string {
    return `${this.#page(repository)}/discussions`;
  }

  /** Every file of a commit, in all its folders. The hub gives them a page at a time. */
  async tree(repository: string, commit: string, signal?: AbortSignal): Promise<RemoteFile[]> {
    const files: RemoteFile[] = [];
    let next: string | undefined =
      `${this.#settings.endpoint}/api/${this.#kind}/${repository}/tree/${commit}?recursive=true`;
    while (next) {
      const url: string = next;
      const { text, link } = await this.#text(url, repository, `commit ${commit}`, signal);
      for (const { type, path, size, oid, lfs } of this.#parse(treeSchema, text)) {
        if (type !== 'file' || leadsOut(path)) continue;
        files.push({ path, sizeBytes: lfs?.size ?? size, digest: lfs?.oid ?? oid });
      }
      const [, following] = /<([^>]+)>\s*;\s*rel="next"/.exec(link) ?? [];
      // A mirror passes on the hub's own address: the next page is asked of whom the first was asked.
      next = following && `${url.replace(/\?.*/, '')}${new URL(following, url).search}`;
    }
    return files;
  }

  /** Bytes `start` to `end` (exclusive) of a repository's file. A broken connection is taken up where it broke. */
  async range(
    repository: string,
    commit: string,
    file: RemoteFile,
    [start, end]: readonly [number, number],
    signal?: AbortSignal,
  ): Promise<Buffer> {
    const expect = (response: http.IncomingMessage) => this.#expectOk(response, repository, file.path);
    return this.#range(this.#fileUrl(repository, commit, file.path), [start, end], expect, signal);
  }

  /** Bytes `start` to `end` (exclusive) of a file anywhere; the token stays with the hub. */
  async urlRange(url: string, range: readonly [number, number], signal?: AbortSignal): Promise<Buffer> {
    return this.#range(url, range, (response) => expectUrlOk(response, url), signal);
  }

  /** How large a file anywhere is, and the tag of its content, where the server gives one. */
  async describeUrl(url: string, signal?: AbortSignal): Promise<{ sizeBytes: number; etag: string | undefined }> {
    return this.#retrying(url, signal, async (connection) => {
      const response = await this.#get(url, { range: 'bytes=0-0' }, connection);
      expectUrlOk(response, url);
      const { 'content-range': range, etag } = response.headers;
      response.resume();
      const [, size] = /^bytes 0-0\/(\d+)$/.exec(range ?? '') ?? [];
      if (size) return { sizeBytes: Number(size), etag };
      throw new DkvError(
        'INPUT_INVALID',
        `${shownAddress(url)}: the server gives no parts of files (status 206 expected, ${response.statusCode} found). Download the file and name the local one.`,
      );
    });
  }

  /** Asks for a text that the hub says about a repository. */
  #text(
    url: string,
    repository: string,
    what: string,
    signal: AbortSignal | undefined,
  ): Promise<{ text: string; link: string }> {
    return this.#retrying(url, signal, async (connection) => {
      const response = await this.#get(url, {}, connection);
      this.#expectOk(response, repository, what);
      return { text: await readAnswer(response, connection), link: [response.headers.link ?? ''].flat().join(', ') };
    });
  }

  async #range(
    url: string,
    [start, end]: readonly [number, number],
    expect: (response: http.IncomingMessage) => void,
    signal?: AbortSignal,
  ): Promise<Buffer> {
    const bytes = Buffer.alloc(end - start);
    let arrived = 0;
    let reached = -1;
    await this.#retrying(
      url,
      signal,
      async (connection) => {
        if (arrived === bytes.length) return;
        const response = await this.#get(url, { range: `bytes=${start + arrived}-${end - 1}` }, connection);
        expect(response);
        // Without status 206 the file comes from its beginning, and what lies before is passed over.
        let skip = response.statusCode === 206 ? 0 : start + arrived;
        for await (const piece of response as AsyncIterable<Buffer>) {
          connection.heard();
          const wanted = piece.subarray(Math.min(skip, piece.length));
          skip -= piece.length - wanted.length;
          arrived += wanted.copy(bytes, arrived);
          if (arrived === bytes.length) return;
        }
        throw new TransientError(`the connection ended after ${arrived} of ${bytes.length} bytes`);
      },
      () => {
        const progressed = arrived > reached;
        reached = arrived;
        return progressed;
      },
    );
    return bytes;
  }

  /**
   * The bytes of a file from `start()` on. A broken connection is taken up where it broke; what `write` got is never sent again.
   * @param start how many bytes are there already; asked again after every break
   * @param restart called when the server cannot continue and sends the file from its beginning
   */
  async download(
    repository: string,
    commit: string,
    file: RemoteFile,
    sink: { start(): number; restart(): Promise<void>; write(chunk: Uint8Array): Promise<void> },
    signal?: AbortSignal,
  ): Promise<void> {
    const url = this.#fileUrl(repository, commit, file.path);
    let reached = -1;
    await this.#retrying(
      url,
      signal,
      async (connection) => {
        const from = sink.start();
        if (from === file.sizeBytes && from > 0) return;
        const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
        const response = await this.#get(url, headers, connection);
        this.#expectOk(response, repository, file.path);
        if (from > 0 && response.statusCode !== 206) await sink.restart();
        for await (const chunk of response) {
          connection.heard();
          await sink.write(chunk as Uint8Array);
          // More than was announced: nothing that comes after can make it right.
          if (sink.start() > file.sizeBytes) return;
        }
        if (sink.start() < file.sizeBytes) {
          throw new TransientError(`the connection ended after ${sink.start()} of ${file.sizeBytes} bytes`);
        }
      },
      () => {
        const progressed = sink.start() > reached;
        reached = sink.start();
        return progressed;
      },
    );
  }

  #page(repository: string): string {
    return `${this.#settings.endpoint}/${this.#kind === 'datasets' ? 'datasets/' : ''}${repository}`;
  }

  #fileUrl(repository: string, commit: string, file: string): string {
    return `${this.#page(repository)}/resolve/${commit}/${file.split('/').map(encodeURIComponent).join('/')}`;
  }

  #expectOk(response: http.IncomingMessage, repository: string, what: string): void {
    expectOk(response, repository, what, this.#page(repository), this.#settings);
  }

  #parse<T>(schema: z.ZodType<T>, text: string): T {
    const where = `${this.#settings.endpoint} answers, but not as a Hugging Face hub does`;
    return parse(schema, parseJson(text), 'HUB_UNREACHABLE', where);
  }

  #get(url: string, headers: http.OutgoingHttpHeaders, connection: Connection): Promise<http.IncomingMessage> {
    return this.#send('GET', url, headers, connection);
  }

  /**
   * Follows redirects by hand, so that no other host sees the token.
   * @param isEnough says that an answer tells what was asked, redirect or not
   */
  async #send(
    method: 'GET' | 'HEAD',
    url: string,
    headers: http.OutgoingHttpHeaders,
    connection: Connection,
    isEnough: (answer: http.IncomingMessage) => boolean = () => false,
  ): Promise<http.IncomingMessage> {
    const own = new URL(this.#settings.endpoint).origin;
    let target = new URL(url);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const token = target.origin === own ? this.#settings.token : undefined;
      const response = await send(target, {
        method,
        headers: {
          ...headers,
          'accept-encoding': 'identity',
          'user-agent': 'directed-kvcache',
          ...(token && { authorization: `Bearer ${token.reveal()}` }),
        },
        signal: connection.signal,
      });
      connection.heard();
      const { statusCode = 0, headers: answer } = response;
      if (statusCode < 300 || statusCode >= 400 || !answer.location || isEnough(response)) return response;
      response.resume();
      target = new URL(answer.location, target);
    }
    throw new DkvError('HUB_UNREACHABLE', `${shownAddress(url)}: more than ${MAX_REDIRECTS} redirects.`);
  }

  /** Repeats a request that may succeed the next time: after broken connections, silence, 429 and 5xx. */
  async #retrying<T>(
    url: string,
    signal: AbortSignal | undefined,
    attempt: (connection: Connection) => Promise<T>,
    progressed: () => boolean = () => false,
  ): Promise<T> {
    for (let failures = 0; ; ) {
      const connection = new Connection(signal);
      try {
        return await attempt(connection);
      } catch (error) {
        if (signal?.aborted) throw new DkvError('CANCELLED', 'The download was stopped; what has arrived is kept.');
        if (error instanceof DkvError) throw error;
        failures = progressed() ? 1 : failures + 1;
        const reason = connection.silent ? `no answer for ${SILENCE_MS / 1000} s` : messageOf(error);
        if (failures >= ATTEMPTS) {
          throw new DkvError(
            'HUB_UNREACHABLE',
            `${shownAddress(url)}: ${reason} (tried ${ATTEMPTS} times). Check the network and HF_ENDPOINT, or work from the cache with HF_HUB_OFFLINE=1.`,
          );
        }
        const pause = error instanceof TransientError ? error.retryAfterMs : undefined;
        await sleep(pause ?? PAUSE_MS[failures - 1] ?? 0, undefined, signal ? { signal } : {}).catch(() => undefined);
      } finally {
        connection.done();
      }
    }
  }
}

/** A failure that may pass. */
class TransientError extends Error {
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Aborts a request when nothing is heard for too long, or when the caller stops. */
class Connection {
  silent = false;
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #stop = () => this.#controller.abort();
  #timer: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer;
    outer?.addEventListener('abort', this.#stop);
    if (outer?.aborted) this.#stop();
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.silent = true;
      this.#stop();
    }, SILENCE_MS);
  }

  done(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#stop);
    // Ends a response that was not read to its end.
    this.#stop();
  }
}

/**
 * Node's plain client rather than `fetch`: in Node 20 the body of a fetched response can be cut off silently once the response object
 * itself is collected as garbage.
 */
function send(url: URL, options: http.RequestOptions): Promise<http.IncomingMessage> {
  const client = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    client.request(url, options, resolve).on('error', reject).end();
  });
}

/** The largest answer that is read. A listing of ten thousand files takes two or three megabytes. */
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;

/** @throws DkvError HUB_UNREACHABLE for what never ends */
async function readAnswer(response: http.IncomingMessage, connection: Connection): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    connection.heard();
    bytes += piece.length;
    if (bytes > LARGEST_ANSWER_BYTES) {
      throw new DkvError(
        'HUB_UNREACHABLE',
        `The hub's answer is longer than ${LARGEST_ANSWER_BYTES / 2 ** 20} MB, which no description of a repository is. Check HF_ENDPOINT.`,
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Tells whether a path leads out of its folder. Paths of a repository become paths of the cache folder, and none may leave it. */
function leadsOut(file: string): boolean {
  return file.split(/[\\/]/).includes('..') || /^[\\/]/.test(file);
}

function expectUrlOk(response: http.IncomingMessage, url: string): void {
  const { statusCode: status = 0 } = response;
  if (status >= 200 && status < 300) return;
  response.resume();
  if (status === 429 || status >= 500) throw new TransientError(`the server answers ${status}`, retryAfter(response));
  const code = status === 404 ? 'HUB_NOT_FOUND' : status === 401 || status === 403 ? 'HUB_DENIED' : 'HUB_UNREACHABLE';
  throw new DkvError(code, `${shownAddress(url)}: the server answers ${status}. Check the address.`);
}

/** @param page where the repository shows itself to people */
function expectOk(
  response: http.IncomingMessage,
  repository: string,
  what: string,
  page: string,
  settings: HubSettings,
): void {
  const { statusCode: status = 0, headers } = response;
  if (status >= 200 && status < 300) return;
  response.resume();
  const code = headers['x-error-code'];
  const asked = settings.token ? `the token from ${settings.tokenSource} was sent` : 'no token was sent';
  if (status === 429 || status >= 500) {
    throw new TransientError(`the hub answers ${status}`, retryAfter(response));
  }
  if (code === 'GatedRepo' || status === 403) {
    throw new DkvError(
      'HUB_DENIED',
      `${repository} is gated (${status}; ${asked}). Accept its licence at ${page}, then set HF_TOKEN to a token of that account that may read gated repositories.`,
    );
  }
  if (status === 401) {
    throw new DkvError(
      'HUB_DENIED',
      `${repository}: the hub does not say whether it exists or whether this account may read it (401; ${asked}). Check the name; if it is private or gated, accept its licence at ${page} and set HF_TOKEN.`,
    );
  }
  if (status === 404) {
    const missing = code === 'RepoNotFound' ? 'no such repository' : `no ${what}`;
    throw new DkvError(
      'HUB_NOT_FOUND',
      `${repository}: ${missing} at ${settings.endpoint}. Check the name and the revision.`,
    );
  }
  throw new DkvError('HUB_UNREACHABLE', `${repository}, ${what}: the hub answers ${status}.`);
}

function retryAfter({ headers }: http.IncomingMessage): number | undefined {
  const seconds = Number(headers['retry-after']);
  return seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 80);
  }
}
