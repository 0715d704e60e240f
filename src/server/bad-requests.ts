/** What is no request, or has no whole one: it gets an answer of the usual form, and its connection is closed. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { DkvError, type ErrorCode } from '../base/errors.js';
import { bodyOf } from './errors.js';

const KINDS = {
  tooLarge: {
    status: 431,
    code: 'BODY_TOO_LARGE',
    message: 'The head of the request is larger than 16 kB. Send fewer or shorter headers.',
  },
  late: {
    status: 408,
    code: 'INPUT_INVALID',
    message: 'The request did not come in time. Send it without pauses.',
  },
  malformed: {
    status: 400,
    code: 'INPUT_INVALID',
    message: 'This is no HTTP request, or a part of it is malformed.',
  },
  hostless: {
    status: 400,
    code: 'INPUT_INVALID',
    message: 'The request has no header "Host". HTTP/1.1 wants one.',
  },
  expectation: {
    status: 417,
    code: 'INPUT_INVALID',
    message: 'The header "Expect" has something else than 100-continue. Leave it out.',
  },
} as const satisfies Readonly<Record<string, { status: number; code: ErrorCode; message: string }>>;

/** A refusal of HTTP's own, whose status says more than that of its code. */
export class BadRequest extends DkvError {
  readonly #status: number;

  constructor(kind: keyof typeof KINDS) {
    const { code, message, status } = KINDS[kind];
    super(code, message);
    this.#status = status;
  }

  override get status(): number {
    return this.#status;
  }
}

const failed = new WeakMap<IncomingMessage, DkvError>();

/**
 * Gives up on the body of a request: whoever reads it is told why, and answers with that, now or when reading begins. Where the answer has begun nothing can be said,
 * and the connection is closed.
 */
export function failBody(response: ServerResponse, error: DkvError): void {
  const { req, headersSent } = response;
  response.shouldKeepAlive = false;
  if (headersSent) req.socket.destroy();
  else if (req.listenerCount('error') > 0) req.emit('error', error);
  else failed.set(req, error);
}

/** @throws what the body was given up for, before it is read */
export function expectReadable(request: IncomingMessage): void {
  const error = failed.get(request);
  if (error) throw error;
}

const PARSER: Readonly<Record<string, keyof typeof KINDS>> = {
  HPE_HEADER_OVERFLOW: 'tooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'late',
};

const answered = new WeakSet<Socket>();

/**
 * Answers what the HTTP parser refuses.
 * @param underWay the requests of the connection that have no answer yet
 * @param tell told of what was no part of a request that is told of itself
 */
export function answerBadRequest(
  { code = '' }: NodeJS.ErrnoException,
  socket: Socket,
  underWay: readonly ServerResponse[],
  tell: (refusal: BadRequest) => void,
): void {
  // Nobody is there any more, or what comes behind a refused part is refused as well.
  if (code === 'ECONNRESET' || socket.destroyed || answered.has(socket)) return;
  answered.add(socket);
  const refusal = new BadRequest(PARSER[code] ?? 'malformed');
  const cut = underWay.find(({ req }) => !req.complete);
  if (cut) {
    // A client that closes its side in the middle of a request has hung up.
    if (code === 'HPE_INVALID_EOF_STATE') socket.destroy();
    else failBody(cut, refusal);
    return;
  }
  const { status } = refusal;
  const body = bodyOf(refusal);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
  tell(refusal);
}
