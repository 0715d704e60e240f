/** What is no request: it gets an answer of the usual form, and its connection is closed. */
import type { Socket } from 'node:net';
import type { ErrorCode } from '../base/errors.js';
import { bodyOf } from './errors.js';

const KINDS: Readonly<Record<string, { status: string; code: ErrorCode; message: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'BODY_TOO_LARGE',
    message: 'The head of the request is larger than 16 kB. Send fewer or shorter headers.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'INPUT_INVALID',
    message: 'The request did not come in time. Send it without pauses.',
  },
};

const OTHER = {
  status: '400 Bad Request',
  code: 'INPUT_INVALID' as const,
  message: 'This is no HTTP request, or a part of it is malformed.',
};

/** Answers what the HTTP parser refuses, which has no request and no route. */
export function answerBadRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // Nobody is there any more.
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { status, code, message } = KINDS[error.code ?? ''] ?? OTHER;
  const body = bodyOf({ code, message });
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}
