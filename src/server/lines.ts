/** Lines of a stream of bytes, each with a largest size of its own. What is wrong with one line says nothing of the others. */
import type { Readable } from 'node:stream';
import { DkvError } from '../base/errors.js';

const NEWLINE = 0x0a;

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** The line without its end, or why it cannot be taken. */
  readonly text: string | DkvError;
}

/**
 * Empty lines are left out, and counted. Of a line that is too long no more is held than fits.
 * @throws what the stream throws
 */
export async function* linesOf(stream: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  let number = 1;
  let parts: Buffer[] = [];
  let bytes = 0;
  const add = (part: Buffer) => {
    if (bytes <= maxBytes) parts.push(part);
    bytes += part.length;
  };
  const take = (): Line | undefined => {
    const text = bytes > maxBytes ? tooLong(number, bytes, maxBytes) : textOf(Buffer.concat(parts), number);
    const line = { number, text };
    number++;
    parts = [];
    bytes = 0;
    return text instanceof DkvError || text.trim() !== '' ? line : undefined;
  };
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, end));
      const line = take();
      if (line) yield line;
      from = end + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  const last = bytes > 0 ? take() : undefined;
  if (last) yield last;
}

/**
 * The chunks of a stream until the server takes nothing more; a part of a line that came by then is no line. What comes later is thrown away and the stream is not
 * destroyed, since its connection still carries the answer.
 * @throws DkvError SERVER_CLOSING
 */
export async function* untilClosing(stream: Readable, closing: AbortSignal): AsyncGenerator<Buffer> {
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  let stop = (): void => undefined;
  const onClosing = () => stop();
  closing.addEventListener('abort', onClosing);
  try {
    for (;;) {
      const next = chunks.next();
      // One of its own for each chunk: what is asked of a promise that lasts is kept as long as it.
      const over = new Promise<undefined>((resolve) => {
        stop = () => resolve(undefined);
        if (closing.aborted) stop();
      });
      const came = await Promise.race([next, over]);
      if (!came) {
        void next.then(() => throwAway(chunks)).catch(() => undefined);
        throw new DkvError(
          'SERVER_CLOSING',
          'The server is ending: this line and those after it were not taken. Send them to another one.',
        );
      }
      if (came.done) return;
      yield came.value;
    }
  } finally {
    closing.removeEventListener('abort', onClosing);
  }
}

async function throwAway(chunks: AsyncIterator<Buffer>): Promise<void> {
  while (!(await chunks.next()).done);
}

/** The lines, and, where the server takes nothing more, one that says so. @throws what they throw otherwise */
export async function* linesUntilClosing(lines: AsyncIterable<Line>): AsyncGenerator<Line> {
  let last = 0;
  try {
    for await (const line of lines) {
      last = line.number;
      yield line;
    }
  } catch (error) {
    if (!(error instanceof DkvError) || error.code !== 'SERVER_CLOSING') throw error;
    yield { number: last + 1, text: error };
  }
}

function textOf(bytes: Buffer, number: number): string | DkvError {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new DkvError('INPUT_INVALID', `Line ${number} is no UTF-8.`);
  }
}

function tooLong(number: number, bytes: number, maxBytes: number): DkvError {
  return new DkvError('BODY_TOO_LARGE', `Line ${number} has ${bytes} bytes, and one may have ${maxBytes}.`);
}
