/**
 * As much of S3 as the store uses, in memory: PUT, GET, HEAD, DELETE, ListObjectsV2 with pages, ranges, If-Match and If-None-Match. Can be
 * told to fail, to be slow, to repeat itself, to cut answers off or lose them, and to know no conditions or ranges. Signatures are not checked.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Options } from '../../src/store/backends/address.js';

export interface S3Object {
  bytes: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly storedAt: Date;
}

export type RequestKind =
  | 'PUT'
  | 'PUT if-match'
  | 'PUT if-none-match'
  | 'GET'
  | 'GET range'
  | 'HEAD'
  | 'DELETE'
  | 'LIST';

/** What to do with the next requests instead of, or before, answering. */
export interface Mood {
  /** HTTP status to fail with. */
  status?: number;
  /** The name of that failure. */
  code?: string;
  /** Before answering; infinite: never. */
  delayMs?: number;
  /** Ends the connection in the middle of the answer. */
  cut?: boolean;
  /** Does what was asked for and ends the connection without an answer. */
  lost?: boolean;
  /** Takes no notice of If-Match and If-None-Match, as servers without conditional writes. */
  unconditional?: boolean;
  /** Answers whole objects to requests for ranges. */
  rangeless?: boolean;
  /** Answers with other bytes than those that were asked for, so many later. */
  shift?: number;
  /** Pages of lists name their last entry again on the next one. */
  repeat?: boolean;
  /** Pages of lists are backwards. */
  disordered?: boolean;
  /** The kinds of requests that it is for; all when left out. */
  kinds?: readonly RequestKind[];
  /** How many requests; all when left out. */
  times?: number;
}

export interface RunningS3 {
  readonly options: S3Options & { readonly endpoint: string };
  /** By `bucket/key`. */
  readonly objects: Map<string, S3Object>;
  mood: Mood;
  /** Requests so far. */
  requests: number;
  /** Requests so far of each kind; may be cleared. */
  readonly counts: Map<RequestKind, number>;
  /** For commands: where it is, and its keys. */
  readonly env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

/** Entries of a page of a list. */
const PAGE = 100;

export async function startS3(): Promise<RunningS3> {
  const server = createServer((request, response) => {
    answer(running, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const running: RunningS3 = {
    options: { endpoint, region: 'us-east-1', credentials },
    env: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    objects: new Map(),
    mood: {},
    requests: 0,
    counts: new Map(),
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return running;
}

async function answer(running: RunningS3, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const kind = kindOf(request, url);
  running.requests++;
  running.counts.set(kind, (running.counts.get(kind) ?? 0) + 1);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const mood = takeMood(running, kind);
  if (mood.delayMs === Number.POSITIVE_INFINITY) return;
  if (mood.delayMs) await new Promise((resolve) => setTimeout(resolve, mood.delayMs));
  if (mood.status) return fail(response, mood.status, mood.code ?? 'InternalError');
  const name = decodeURIComponent(url.pathname.slice(1));
  if (kind === 'LIST') return list(running, name.replace(/\/$/, ''), url, mood, response);
  const object = running.objects.get(name);
  const conditions = mood.unconditional ? {} : request.headers;
  if (request.method === 'PUT') {
    if (conditions['if-none-match'] === '*' && object) return fail(response, 412, 'PreconditionFailed');
    if (conditions['if-match'] && !object) return fail(response, 404, 'NoSuchKey');
    if (conditions['if-match'] && conditions['if-match'] !== etagOf(object!)) {
      return fail(response, 412, 'PreconditionFailed');
    }
    const stored = storedOf(Buffer.concat(chunks), request);
    running.objects.set(name, stored);
    if (mood.lost) response.destroy();
    else response.writeHead(200, { etag: etagOf(stored) }).end();
    return;
  }
  if (request.method === 'DELETE') {
    running.objects.delete(name);
    if (mood.lost) response.destroy();
    else response.writeHead(204).end();
    return;
  }
  if (!object) return fail(response, 404, 'NoSuchKey', request.method === 'HEAD');
  if (conditions['if-match'] && conditions['if-match'] !== etagOf(object)) {
    return fail(response, 412, 'PreconditionFailed');
  }
  const range = mood.rangeless ? undefined : rangeOf(request, object.bytes.length, mood.shift);
  if (range && range.start > range.last) return fail(response, 416, 'InvalidRange');
  const bytes = range ? object.bytes.subarray(range.start, range.last + 1) : object.bytes;
  response.writeHead(range ? 206 : 200, {
    ...object.metadata,
    ...(range && { 'content-range': `bytes ${range.start}-${range.last}/${object.bytes.length}` }),
    'content-length': bytes.length,
    'last-modified': object.storedAt.toUTCString(),
    etag: etagOf(object),
  });
  if (request.method === 'HEAD') response.end();
  else if (mood.cut) response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  else response.end(bytes);
}

function kindOf({ method, headers }: IncomingMessage, url: URL): RequestKind {
  if (url.searchParams.get('list-type') === '2') return 'LIST';
  if (method === 'PUT' && headers['if-match']) return 'PUT if-match';
  if (method === 'PUT' && headers['if-none-match']) return 'PUT if-none-match';
  if (method === 'GET' && headers.range) return 'GET range';
  return method as RequestKind;
}

function storedOf(bytes: Buffer, { headers }: IncomingMessage): S3Object {
  const metadata = Object.entries(headers).filter(([header]) => header.startsWith('x-amz-meta-'));
  return {
    bytes,
    metadata: Object.fromEntries(metadata.map(([header, value]) => [header, String(value)])),
    // Whole seconds, as in HTTP's dates.
    storedAt: new Date(Math.floor(Date.now() / 1000) * 1000),
  };
}

/** The bytes that are asked for, as far as there are; undefined for all of them. */
function rangeOf(
  { headers }: IncomingMessage,
  sizeBytes: number,
  shift = 0,
): { start: number; last: number } | undefined {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  if (start === undefined || Number(last) < Number(start)) return undefined;
  return { start: Number(start) + shift, last: Math.min(Number(last) + shift, sizeBytes - 1) };
}

function list({ objects }: RunningS3, bucket: string, url: URL, mood: Mood, response: ServerResponse): void {
  const start = `${bucket}/${url.searchParams.get('prefix') ?? ''}`;
  const after = url.searchParams.get('continuation-token') ?? '';
  const names = [...objects.keys()].filter((name) => name.startsWith(start) && name > after).sort();
  const page = names.slice(0, PAGE);
  const next = names.length > PAGE ? page.at(mood.repeat ? -2 : -1) : undefined;
  if (mood.disordered) page.reverse();
  const contents = page.map((name) => {
    const { bytes, storedAt } = objects.get(name)!;
    const key = name.slice(bucket.length + 1);
    return `<Contents><Key>${key}</Key><Size>${bytes.length}</Size><LastModified>${storedAt.toISOString()}</LastModified></Contents>`;
  });
  const token = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
  const body = `<IsTruncated>${next !== undefined}</IsTruncated>${token}${contents.join('')}`;
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><ListBucketResult>${body}</ListBucketResult>`);
}

function takeMood(running: RunningS3, kind: RequestKind): Mood {
  const { mood } = running;
  if (mood.kinds && !mood.kinds.includes(kind)) return {};
  if (mood.times === undefined) return mood;
  if (mood.times <= 0) return {};
  mood.times--;
  return mood;
}

function etagOf({ bytes }: S3Object): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

function fail(response: ServerResponse, status: number, code: string, bare = false): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(bare ? undefined : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
