/** Records of separated text, line by line: with quotes as in RFC 4180, where a quoted field may go over several lines, or without. */
import { DkvError } from '../base/errors.js';
import { LINE_BYTES, type Line } from '../base/text-input.js';

export interface SeparatedRecord {
  /** The line on which the record begins, counted from 1. */
  readonly line: number;
  /** The record's fields, or the error that says why it cannot be read and names the lines that go with it. */
  readonly fields: readonly string[] | DkvError;
}

interface ParserOptions {
  readonly separator: string;
  readonly quotes: boolean;
  /** The input's name, for messages. */
  readonly name: string;
}

/** A record whose last field has its opening quote alone. */
interface OpenRecord {
  readonly line: number;
  readonly fields: string[];
  /** The lines of the field that is open. */
  pieces: string[];
  characters: number;
}

export class RecordParser {
  readonly #options: ParserOptions;
  #open: OpenRecord | undefined;
  #lastLine = 0;

  constructor(options: ParserOptions) {
    this.#options = options;
  }

  /** Takes the next line. Returns undefined for a blank line, and while a quoted field goes on. */
  take({ number, content }: Line): SeparatedRecord | undefined {
    const line = this.#open?.line ?? number;
    this.#lastLine = number;
    if (content instanceof DkvError) {
      const isAlone = this.#open === undefined;
      this.#open = undefined;
      return { line, fields: isAlone ? content : this.#error(line, content.message) };
    }
    if (!this.#open && content.trim() === '' && !content.includes(this.#options.separator)) return undefined;
    const fields = this.#fieldsOf(content, line);
    return fields && { line, fields };
  }

  /**
   * Ends the records. Call it after the last line.
   * @returns the error where a quoted field is still open
   */
  end(): DkvError | undefined {
    return this.#open && this.#error(this.#open.line, 'a field begins with a quote that is not closed.', true);
  }

  /** Splits a line into fields. Returns undefined where a quoted field goes on after the line. */
  #fieldsOf(line: string, first: number): string[] | DkvError | undefined {
    const { separator, quotes } = this.#options;
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (!quotes) return text.includes('\0') ? this.#error(first, NUL) : text.split(separator);
    const open = this.#open;
    const fields = open?.fields ?? [];
    this.#open = undefined;
    for (let at = 0; ; ) {
      let end: number;
      const isContinued = open !== undefined && at === 0;
      if (isContinued || text[at] === '"') {
        const start = isContinued ? 0 : at + 1;
        const record = isContinued ? open : { line: first, fields, pieces: [], characters: 0 };
        const close = closingQuote(text, start);
        takePiece(record, close < 0 ? line.slice(start) : text.slice(start, close));
        if (close < 0) {
          this.#open = record;
          return undefined;
        }
        if (record.characters > LINE_BYTES) return this.#error(first, `it has more than ${LINE_BYTES} characters.`);
        fields.push(record.pieces.join('\n').replaceAll('""', '"'));
        end = close + 1;
        if (end < text.length && !text.startsWith(separator, end)) {
          const found = JSON.stringify(text[end]);
          const reason = `after the closing quote of field ${fields.length} a separator was expected, ${found} found.`;
          return this.#error(first, reason, true);
        }
      } else {
        const next = text.indexOf(separator, at);
        end = next < 0 ? text.length : next;
        const field = text.slice(at, end);
        // Tab-separated files leave such quotes as they are (36" bed), whoever wrote them.
        if (separator !== '\t' && field.includes('"')) {
          const named = `field ${fields.length + 1}, ${JSON.stringify(field.slice(0, 40))},`;
          return this.#error(first, `${named} has a quote inside and does not begin with one.`, true);
        }
        fields.push(field);
      }
      if (end >= text.length) return fields.some((field) => field.includes('\0')) ? this.#error(first, NUL) : fields;
      at = end + separator.length;
    }
  }

  #error(line: number, reason: string, isOfQuotes = false): DkvError {
    const lines = this.#lastLine > line ? `lines ${line} to ${this.#lastLine}` : `line ${line}`;
    const advice = isOfQuotes ? ' If quotes are text in this file, give --quoting none.' : '';
    return new DkvError('INPUT_INVALID', `${this.#options.name}, ${lines}: ${reason}${advice}`);
  }
}

const NUL = 'it has a NUL character, which no text has.';

/** Keeps a piece of a field. A piece that makes the field too long is counted and not held. */
function takePiece(record: OpenRecord, piece: string): void {
  record.characters += piece.length + 1;
  if (record.characters > LINE_BYTES) record.pieces = [];
  else record.pieces.push(piece);
}

/** Finds the quote that closes a field. Two quotes stand for one inside it. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) if (text[at + 1] !== '"') return at;
  return -1;
}
