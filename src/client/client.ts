/** A typed client of `dkv serve`. It needs `fetch` and nothing else; JSON keeps its names, so that a body looks as it does for curl. */
import { type Answer, type Ask, Asker, type CallOptions, type ClientOptions } from './asking.js';
import { errorIn, refusalFrom } from './errors.js';
import { eventsOf, linesOf } from './lines.js';
import type {
  CompletionRequest,
  CompletionResponse,
  DeletedDocument,
  DocumentContent,
  DocumentLine,
  DocumentResult,
  PutDocument,
  RerankRequest,
  RerankResponse,
  ScoreRequest,
  ScoreResponse,
  ServerInfo,
  ServerReadiness,
  StoredDocument,
} from './types.js';

/** The most documents that one request of `putMany` has, and the most characters. */
const BATCH_LINES = 256;
const BATCH_CHARACTERS = 500_000;

/**
 * Every method throws `DkvApiError` for what the server refuses, and what `fetch` throws for the rest. Refusals for the moment (429, 503) are asked again as
 * the server says when, within the time of the call.
 */
export class DkvClient {
  readonly #asker: Asker;
  /** Documents that are kept primed. */
  readonly documents: DocumentsClient;

  constructor(options: ClientOptions) {
    this.#asker = new Asker(options);
    this.documents = new DocumentsClient(this.#asker);
  }

  /** Ranks documents by a query: texts, or primed documents by their ids. */
  rerank(body: RerankRequest, options?: CallOptions): Promise<RerankResponse> {
    return this.#asker.json(posted('/v1/rerank', body, options));
  }

  /** NLLs of targets given documents. An item that has none says why in its place. */
  score(body: ScoreRequest, options?: CallOptions): Promise<ScoreResponse> {
    return this.#asker.json(posted('/v1/score', body, options));
  }

  /** Writes a text that goes on with a prompt, given a document. */
  complete(body: CompletionRequest, options?: CallOptions): Promise<CompletionResponse> {
    return this.#asker.json(posted('/v1/completions', { ...body, stream: false }, options));
  }

  /** The same in parts, as they are written; the time of the call is that to the first of them. Stop reading, and the server stops writing. */
  async *completeInParts(body: CompletionRequest, options?: CallOptions): AsyncGenerator<CompletionResponse> {
    const { response, release } = await this.#asker.ask(posted('/v1/completions', { ...body, stream: true }, options));
    release();
    for await (const data of eventsOf(response)) {
      const refusal = errorIn(data);
      if (refusal) throw refusalFrom(refusal, response.status);
      yield JSON.parse(data) as CompletionResponse;
    }
  }

  /** What is served: the model, the store and the limits. */
  info(options?: CallOptions): Promise<ServerInfo> {
    return this.#asker.json({ method: 'GET', path: '/info', ...options });
  }

  /** Whether requests are answered. A server that is loading or closing says so and is no error. */
  ready(options?: CallOptions): Promise<ServerReadiness> {
    return this.#asker.json({ method: 'GET', path: '/ready', accepted: [503], ...options });
  }
}

export class DocumentsClient {
  readonly #asker: Asker;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** Primes a document, in place of the one that has its id. */
  async put(id: string, content: DocumentContent, options?: CallOptions): Promise<PutDocument> {
    return this.#asker.json({ method: 'PUT', path: pathOf(id), body: JSON.stringify(content), ...options });
  }

  /** What is known of a primed document. */
  async get(id: string, options?: CallOptions): Promise<StoredDocument> {
    return this.#asker.json({ method: 'GET', path: pathOf(id), ...options });
  }

  /** Takes a document out of every tier, or out of every generation of a catalogue. It is done when this resolves. */
  async delete(
    id: string,
    {
      sourceVersion,
      reason,
      ...options
    }: CallOptions & { readonly sourceVersion?: number; readonly reason?: string } = {},
  ): Promise<DeletedDocument> {
    const query = new URLSearchParams({
      ...(sourceVersion !== undefined && { source_version: String(sourceVersion) }),
      ...(reason !== undefined && { reason }),
    }).toString();
    return this.#asker.json({ method: 'DELETE', path: pathOf(id) + (query && `?${query}`), ...options });
  }

  /**
   * Primes many documents, as JSON lines in requests of some hundreds, and yields a result for each, in their order. One that cannot be primed has an `error` and
   * stops no other. `line` is the document's number, from 1. Documents are taken as results are read.
   */
  async *putMany(
    documents: Iterable<DocumentLine> | AsyncIterable<DocumentLine>,
    options: CallOptions = {},
  ): AsyncGenerator<DocumentResult> {
    let lines: string[] = [];
    let characters = 0;
    let before = 0;
    const send = (): AsyncGenerator<DocumentResult> => {
      const batch = lines;
      const start = before;
      before += batch.length;
      [lines, characters] = [[], 0];
      return this.#putLines(batch, start, options);
    };
    for await (const document of documents) {
      const line = JSON.stringify(document);
      if (lines.length >= BATCH_LINES || (lines.length > 0 && characters + line.length > BATCH_CHARACTERS))
        yield* send();
      lines.push(line);
      characters += line.length;
    }
    if (lines.length > 0) yield* send();
  }

  async *#putLines(lines: readonly string[], before: number, options: CallOptions): AsyncGenerator<DocumentResult> {
    const answer = await this.#asker.ask({
      method: 'POST',
      path: '/v1/documents',
      body: lines.map((line) => `${line}\n`).join(''),
      type: 'application/x-ndjson',
      ...options,
    });
    for await (const line of streamed(answer)) {
      const result = JSON.parse(line) as DocumentResult;
      yield { ...result, line: before + result.line };
    }
  }
}

function posted(path: string, body: object, options: CallOptions = {}): Ask {
  return { method: 'POST', path, body: JSON.stringify(body), ...options };
}

/** @throws TypeError for the two ids that no address can have: every program takes them for steps up */
function pathOf(id: string): string {
  if (id === '.' || id === '..')
    throw new TypeError(`A document with the id "${id}" has no address. Give it another id.`);
  return `/v1/documents/${encodeURIComponent(id)}`;
}

/** The lines of an answer that is read while it is made: its beginning has come, so the clock stops. */
function streamed({ response, release }: Answer): AsyncGenerator<string> {
  release();
  return linesOf(response);
}
