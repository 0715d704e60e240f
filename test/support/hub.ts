/**
 * A stand-in for the Hugging Face hub on loopback: the same paths, headers, redirects and errors, and faults on demand. Small files
 * come from the hub itself, large ones (LFS) after a redirect from a second server, the content host.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

export interface Fault {
  /** Answer with this status instead. */
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Cut the connection after so many bytes of the body. */
  readonly cutAfterBytes?: number;
  /** Announce a length that is off by so many bytes. */
  readonly lengthOffBytes?: number;
  /** Flip a bit in the middle of the body. */
  readonly damaged?: boolean;
  /** Send the whole file although a range was asked for. */
  readonly ignoreRange?: boolean;
  /** Answer with blanks and never end. */
  readonly endless?: boolean;
  /** Never answer. */
  readonly silent?: boolean;
  /** Wait between pieces of the body, so that there is something to interrupt. */
  readonly millisecondsPerPiece?: number;
}

export interface SeenRequest {
  readonly host: 'hub' | 'content';
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  /** How much of a body was sent, so far. */
  sentBytes: number;
}

interface Commit {
  readonly commit: string;
  readonly files: ReadonlyMap<string, Buffer>;
}

interface Repository {
  /** By branch or pull request (`refs/pr/4`). */
  readonly revisions: Map<string, Commit>;
  /** Who may read it: anybody, or holders of a token that accepted the licence. */
  readonly access: 'open' | 'gated' | 'private';
}

const LARGE_BYTES = 20_000;
const PIECE_BYTES = 8192;

export class HubStandIn {
  readonly requests: SeenRequest[] = [];
  url = '';
  /** Decides the fault of each request; none by default. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  /** The only token that opens gated and private repositories. */
  readonly token = 'hf_standInTokenOfNoAccountAtAll0000000';
  /** How many entries a listing gives at once. */
  listingPage = 1000;
  /** Some mirrors name a repository's files and say neither sizes nor digests. */
  listsNamesOnly = false;
  /** The tag of a file's content, digests by default; none where it is undefined. */
  etag: (bytes: Buffer) => string | undefined = (bytes) => (isLarge(bytes) ? sha256(bytes) : gitDigest(bytes));
  readonly #repositories = new Map<string, Repository>();
  readonly #hub = http.createServer((request, response) => this.#answer('hub', request, response));
  readonly #content = http.createServer((request, response) => this.#answer('content', request, response));

  static async start(): Promise<HubStandIn> {
    const standIn = new HubStandIn();
    for (const server of [standIn.#hub, standIn.#content]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    standIn.url = `http://127.0.0.1:${(standIn.#hub.address() as AddressInfo).port}`;
    return standIn;
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#content]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Publishes a folder as a repository, or as a pull request of one that is there; its commit follows from its content. */
  async publish(
    name: string,
    directory: string,
    access: Repository['access'] = 'open',
    revision = 'main',
  ): Promise<string> {
    const files = new Map<string, Buffer>();
    for (const entry of (await readdir(directory)).sort())
      files.set(entry, await readFile(path.join(directory, entry)));
    return this.#publish(name, files, access, revision);
  }

  /** Publishes files, by their paths, as a repository of data. */
  publishData(
    name: string,
    files: Readonly<Record<string, Uint8Array>>,
    access: Repository['access'] = 'open',
  ): string {
    const buffers = Object.entries(files).map(([file, bytes]): [string, Buffer] => [file, Buffer.from(bytes)]);
    return this.#publish(`datasets/${name}`, new Map(buffers), access);
  }

  #publish(name: string, files: ReadonlyMap<string, Buffer>, access: Repository['access'], revision = 'main'): string {
    const hash = createHash('sha1');
    for (const [file, bytes] of files) hash.update(`${file}\0`).update(bytes);
    const commit = hash.digest('hex');
    const others = revision === 'main' ? [] : (this.#repositories.get(name)?.revisions ?? []);
    const revisions = new Map([...others, [revision, { commit, files }] as const]);
    this.#repositories.set(name, { revisions, access });
    return commit;
  }

  #answer(host: 'hub' | 'content', request: http.IncomingMessage, response: http.ServerResponse): void {
    const seen: SeenRequest = {
      host,
      method: request.method ?? '',
      url: request.url ?? '',
      authorization: request.headers.authorization,
      range: request.headers.range,
      sentBytes: 0,
    };
    this.requests.push(seen);
    const fault = this.fault(seen) ?? {};
    if (fault.silent) return;
    if (fault.endless) {
      const blanks = Buffer.alloc(1024 * 1024, ' ');
      const more = () => {
        while (!response.destroyed && response.write(blanks));
      };
      response.on('drain', more);
      more();
      return;
    }
    if (fault.status) {
      response.writeHead(fault.status, fault.headers).end('a fault');
      return;
    }
    const url = new URL(seen.url, this.url);
    if (host === 'content') {
      const [, name, commit, file] = /^\/content\/(.+?)\/blob\/([0-9a-f]+)\/(.+)$/.exec(
        decodeURIComponent(url.pathname),
      )!;
      const { files } = commitOf(this.#repositories.get(name!)!, commit!)!;
      send(response, request, files.get(file!)!, {}, fault, seen);
      return;
    }
    // Data have paths of their own: api/datasets/..., datasets/.../resolve/...
    const api = /^\/api\/(?:models\/|(?=datasets\/))((?:datasets\/)?[^/]+\/[^/]+)\/(?:revision|tree)\/(.+)$/.exec(
      url.pathname,
    );
    const refs = /^\/api\/models\/([^/]+\/[^/]+)\/refs$/.exec(url.pathname);
    const resolve = /^\/((?:datasets\/)?[^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const name = decodeURIComponent((api ?? resolve ?? refs)?.[1] ?? '');
    const repository = this.#repositories.get(name);
    const known = seen.authorization === `Bearer ${this.token}`;
    if (!repository || (repository.access === 'private' && !known)) {
      // As the hub does: who may not know gets 401 without a token, 404 with one.
      response.writeHead(seen.authorization ? 404 : 401, { 'x-error-code': 'RepoNotFound' }).end();
      return;
    }
    if (refs) {
      listRefs(response, repository, url.searchParams.has('include_prs'));
      return;
    }
    const revision = decodeURIComponent((api ?? resolve)![2]!);
    const found = commitOf(repository, revision);
    if (!found) {
      response.writeHead(404, { 'x-error-code': 'RevisionNotFound' }).end();
      return;
    }
    if (api && url.pathname.includes('/tree/')) this.#list(response, url, found);
    else if (api) this.#describe(response, name, found);
    else
      this.#resolve(
        response,
        request,
        name,
        { ...found, access: repository.access },
        decodeURIComponent(resolve![3]!),
        known,
        fault,
        seen,
      );
  }

  #describe(response: http.ServerResponse, name: string, { commit, files }: Commit): void {
    const siblings = [...files].map(([rfilename, bytes]) => ({
      rfilename,
      ...(!this.listsNamesOnly && this.#details(bytes)),
    }));
    const body = JSON.stringify({ id: name, sha: commit, siblings });
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  }

  #details(bytes: Buffer) {
    return {
      size: bytes.length,
      blobId: gitDigest(bytes),
      ...(isLarge(bytes) && { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 } }),
    };
  }

  /** The listing that Python asks for, page by page. */
  #list(response: http.ServerResponse, url: URL, { files }: Commit): void {
    const all = [...files].map(([file, bytes]) => ({
      type: 'file',
      path: file,
      size: bytes.length,
      oid: gitDigest(bytes),
      ...(isLarge(bytes) && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 } }),
    }));
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const to = from + this.listingPage;
    const next = new URL(url);
    next.searchParams.set('cursor', String(to));
    response
      .writeHead(200, {
        'content-type': 'application/json',
        ...(to < all.length && { link: `<${next.href}>; rel="next"` }),
      })
      .end(JSON.stringify(all.slice(from, to)));
  }

  #resolve(
    response: http.ServerResponse,
    request: http.IncomingMessage,
    name: string,
    { commit, files, access }: Commit & Pick<Repository, 'access'>,
    file: string,
    known: boolean,
    fault: Fault,
    seen: SeenRequest,
  ): void {
    if (access === 'gated' && !known) {
      response.writeHead(request.headers.authorization ? 403 : 401, { 'x-error-code': 'GatedRepo' }).end();
      return;
    }
    const bytes = files.get(file);
    if (!bytes) {
      response.writeHead(404, { 'x-error-code': 'EntryNotFound', 'x-repo-commit': commit }).end();
      return;
    }
    const headers: Record<string, string> = { 'x-repo-commit': commit };
    const etag = this.etag(bytes);
    if (!isLarge(bytes)) {
      send(response, request, bytes, { ...headers, ...(etag !== undefined && { etag: `"${etag}"` }) }, fault, seen);
      return;
    }
    const location = `http://127.0.0.1:${(this.#content.address() as AddressInfo).port}/content/${name}/blob/${commit}/${file}?signature=abc`;
    response
      .writeHead(302, {
        ...headers,
        location,
        ...(etag !== undefined && { 'x-linked-etag': `"${etag}"` }),
        'x-linked-size': String(bytes.length),
      })
      .end();
  }
}

function commitOf({ revisions }: Repository, revision: string): Commit | undefined {
  return revisions.get(revision) ?? [...revisions.values()].find(({ commit }) => commit === revision);
}

/** Branches, and pull requests where they are asked for. */
function listRefs(response: http.ServerResponse, { revisions }: Repository, withRequests: boolean): void {
  const all = [...revisions].map(([name, { commit }]) => ({
    name,
    ref: name.startsWith('refs/') ? name : `refs/heads/${name}`,
    targetCommit: commit,
  }));
  const requests = all.filter(({ ref }) => ref.startsWith('refs/pr/'));
  const branches = all.filter((ref) => !requests.includes(ref));
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ tags: [], branches, converts: [], ...(withRequests && { pullRequests: requests }) }));
}

function send(
  response: http.ServerResponse,
  request: http.IncomingMessage,
  file: Buffer,
  headers: Record<string, string>,
  fault: Fault,
  seen: SeenRequest,
): void {
  const [, from, last] = /^bytes=(\d+)-(\d*)$/.exec((!fault.ignoreRange && request.headers.range) || '') ?? [];
  const end = from && last ? Math.min(Number(last) + 1, file.length) : file.length;
  const body = Buffer.from(file.subarray(Number(from ?? 0), end));
  if (fault.damaged) body[body.length >> 1]! ^= 1;
  const range = from && { 'content-range': `bytes ${from}-${end - 1}/${file.length}` };
  const length = body.length + (fault.lengthOffBytes ?? 0);
  response.writeHead(from ? 206 : 200, {
    ...headers,
    ...range,
    'content-length': String(length),
    'accept-ranges': 'bytes',
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  let sent = 0;
  const pump = () => {
    const end = Math.min(sent + PIECE_BYTES, body.length, fault.cutAfterBytes ?? body.length);
    if (response.destroyed) return;
    response.write(body.subarray(sent, end));
    seen.sentBytes += end - sent;
    sent = end;
    if (fault.cutAfterBytes !== undefined && sent >= fault.cutAfterBytes && sent < body.length) {
      response.socket?.destroySoon();
    } else if (sent >= body.length) {
      if (length > body.length) response.socket?.destroySoon();
      else response.end();
    } else {
      setTimeout(pump, fault.millisecondsPerPiece ?? 0);
    }
  };
  pump();
}

function isLarge(bytes: Buffer): boolean {
  return bytes.length > LARGE_BYTES;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function gitDigest(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
