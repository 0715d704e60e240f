/** Lines of a stream of bytes, each with a largest size of its own. What is wrong with one line says nothing of the others. */
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
