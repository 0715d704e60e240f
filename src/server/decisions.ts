/**
 * The decision log: JSON lines of what was answered, without any text of it, in files of one UTC day and a bounded size. Lines are written behind the answers:
 * a write never waits and never fails, and what a slow or full disk cannot take is dropped and counted. Each start of a server has files of its own, so that servers
 * may share a folder. Lines are appended whole; a crash leaves at most the last one of a file torn.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { type FileHandle, link, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { counted } from '../base/counted.js';
import { DkvError, messageOf } from '../base/errors.js';
import { fileError, forgetPartial, makeFolder, partialName } from '../base/files.js';
import { wireObject } from '../wire/case.js';
import {
  type DecisionLine,
  type DecisionLogHead,
  decisionLineSchema,
  decisionLogHeadSchema,
  type ShadowLine,
  shadowLineSchema,
} from '../wire/http/decisions.js';
import { jsonText } from '../wire/text.js';

/** The section `decisions` of a server's settings. */
export const decisionSettingsSchema = wireObject({
  folder: z.string().min(1).describe('The folder of the log; it is made where it is missing.'),
  saltFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File of the salt of digests, made where it is missing; `salt` in the folder. Servers with one file have the same digests.',
    ),
  candidates: z
    .int()
    .nonnegative()
    .default(100)
    .describe('Ranked documents that a line has at most, unless the answer had more.'),
  retentionDays: z.int().positive().default(30).describe('Days after which files are removed.'),
  fileBytes: z.int().positive().default(64_000_000).describe('Size from which another file is begun.'),
  bufferBytes: z
    .int()
    .positive()
    .default(16_000_000)
    .describe('Bytes that may wait for the disk; further lines are dropped.'),
});

export type DecisionSettings = z.output<typeof decisionSettingsSchema>;

/** What became of lines. */
export interface DecisionCounts {
  readonly written: number;
  readonly dropped: number;
  /** Writes that failed; their lines were tried again. */
  readonly failures: number;
}

interface Options {
  readonly experiment: DecisionLogHead['experiment'];
  /** Called when the log cannot be written any more, and when it can be again: a sentence. */
  readonly onNotice: (text: string) => void;
  /** The time in milliseconds since 1970. */
  readonly now?: () => number;
  /** How long the log rests after a write that failed, in milliseconds. */
  readonly restMs?: number;
}

/** The most bytes that are written at once. */
const CHUNK_BYTES = 1_000_000;

/** The names of files of a log; gzip may have packed them. */
export const LOG_FILE = /^decisions-(\d{4}-\d{2}-\d{2})-[0-9a-f]{8}-\d+\.jsonl(?:\.gz)?$/;

export class DecisionLog {
  readonly #settings: DecisionSettings;
  readonly #options: Required<Options>;
  readonly #salt: Buffer;
  readonly #server = randomBytes(4).toString('hex');
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #file: { readonly handle: FileHandle; readonly day: string; bytes: number } | undefined;
  #files = 0;
  #swept = '';
  #running: Promise<void> | undefined;
  #isFailing = false;
  #isClosed = false;
  #wake: (() => void) | undefined;
  #counts = { written: 0, dropped: 0, failures: 0 };

  private constructor(settings: DecisionSettings, options: Options, salt: Buffer) {
    this.#settings = settings;
    this.#options = { now: Date.now, restMs: 5000, ...options };
    this.#salt = salt;
  }

  /** Removes files that are too old, and begins no file yet. @throws DkvError FILES_UNUSABLE, DISK_FULL, INPUT_INVALID for a salt that is too short */
  static async open(settings: DecisionSettings, options: Options): Promise<DecisionLog> {
    await makeFolder(settings.folder);
    const salt = await readSalt(settings.saltFile ?? path.join(settings.folder, 'salt'));
    const log = new DecisionLog(settings, options, salt);
    await log.#sweep(log.#today());
    return log;
  }

  get counts(): DecisionCounts {
    return this.#counts;
  }

  /**
   * HMAC-SHA-256 under the log's salt, of which the first 128 bits are kept.
   * @param of what kind of thing it is, so that a query and a document of one text differ
   * @param tenant one tenant's texts say nothing of another's
   */
  digest(of: 'query' | 'document' | 'unit', tenant: string, text: string): string {
    const digest = createHmac('sha256', this.#salt)
      .update(JSON.stringify([of, tenant, text]))
      .digest('hex');
    return digest.slice(0, 32);
  }

  /** Takes a line. Returns false where it is dropped. */
  write(line: DecisionLine | ShadowLine): boolean {
    const text = line.kind === 'decision' ? jsonText(decisionLineSchema, line) : jsonText(shadowLineSchema, line);
    const bytes = Buffer.from(`${text}\n`);
    if (this.#isClosed || this.#waitingBytes + bytes.length > this.#settings.bufferBytes) {
      this.#counts.dropped++;
      return false;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#running ??= this.#run();
    return true;
  }

  /** Writes what waits, as far as the disk takes it, and closes the file. Lines that come later are dropped. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await this.#running;
    await this.#endFile();
  }

  async #run(): Promise<void> {
    // Lines of one turn of the event loop are written together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const { lines, bytes } = this.#chunk();
      try {
        await this.#append(Buffer.concat(lines, bytes));
      } catch (error) {
        this.#fail(error);
        if (this.#isClosed) break;
        await this.#rest();
        continue;
      }
      this.#waiting.splice(0, lines.length);
      this.#waitingBytes -= bytes;
      this.#counts.written += lines.length;
      this.#recover();
    }
    if (this.#isClosed && this.#waiting.length > 0) {
      this.#counts.dropped += this.#waiting.length;
      this.#options.onNotice(
        `${counted(this.#waiting.length, 'line')} of the decision log could not be written and are lost.`,
      );
      this.#waiting = [];
    }
    this.#running = undefined;
  }

  /** The lines to write next: at least one, and no more than fit in the file. */
  #chunk(): { readonly lines: readonly Buffer[]; readonly bytes: number } {
    let [count, bytes] = [0, 0];
    for (const line of this.#waiting) {
      if (count > 0 && bytes + line.length > CHUNK_BYTES) break;
      count++;
      bytes += line.length;
    }
    return { lines: this.#waiting.slice(0, count), bytes };
  }

  async #append(bytes: Buffer): Promise<void> {
    const file = await this.#fileFor(this.#today());
    try {
      await file.handle.appendFile(bytes);
      file.bytes += bytes.length;
    } catch (error) {
      // A part may be there, behind which nothing may be appended.
      await file.handle.truncate(file.bytes).catch(() => this.#endFile());
      throw error;
    }
  }

  async #fileFor(day: string): Promise<{ readonly handle: FileHandle; bytes: number }> {
    const before = this.#file;
    if (before?.day === day && before.bytes < this.#settings.fileBytes) return before;
    await this.#endFile();
    await this.#sweep(day);
    const name = path.join(this.#settings.folder, `decisions-${day}-${this.#server}-${this.#files}.jsonl`);
    const head: DecisionLogHead = {
      kind: 'log',
      version: 1,
      server: this.#server,
      startedAt: new Date(this.#options.now()).toISOString(),
      experiment: this.#options.experiment,
    };
    const bytes = Buffer.from(`${jsonText(decisionLogHeadSchema, head)}\n`);
    const handle = await open(name, 'ax', 0o600);
    this.#files++;
    try {
      await handle.appendFile(bytes);
    } catch (error) {
      await handle.close().catch(() => undefined);
      await rm(name, { force: true }).catch(() => undefined);
      throw error;
    }
    this.#file = { handle, day, bytes: bytes.length };
    return this.#file;
  }

  async #endFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close().catch(() => undefined);
  }

  /** Removes the files of days that are too long ago, once a day. Servers that share the folder may do so at the same time. */
  async #sweep(day: string): Promise<void> {
    if (this.#swept === day) return;
    this.#swept = day;
    const first = dayOf(Date.parse(day) - this.#settings.retentionDays * 86_400_000);
    for (const name of await readdir(this.#settings.folder).catch(() => [])) {
      const [, of] = LOG_FILE.exec(name) ?? [];
      if (of !== undefined && of < first) {
        await rm(path.join(this.#settings.folder, name), { force: true }).catch((error: unknown) =>
          this.#options.onNotice(`A file of the decision log cannot be removed: ${messageOf(error)}`),
        );
      }
    }
  }

  #fail(error: unknown): void {
    this.#counts.failures++;
    if (!this.#isFailing) {
      const { message } = fileError(error, this.#settings.folder) as Error;
      this.#options.onNotice(
        `The decision log cannot be written, answers go on without it, and lines are dropped once ${this.#settings.bufferBytes} bytes wait: ${message}`,
      );
    }
    this.#isFailing = true;
  }

  #recover(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#options.onNotice(
      `The decision log is written again; ${counted(this.#counts.dropped, 'line')} were dropped since the start.`,
    );
  }

  async #rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#options.restMs);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  #today(): string {
    return dayOf(this.#options.now());
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The fewest bytes of a salt. */
const SALT_BYTES = 32;

/** Servers that start together may both make the file: it appears whole, and both read the first one's. */
async function readSalt(file: string): Promise<Buffer> {
  const made = partialName(file);
  try {
    await writeFile(made, `${randomBytes(SALT_BYTES).toString('hex')}\n`, { flag: 'wx', mode: 0o600, flush: true });
    await link(made, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const text = await readFile(file, 'utf8');
    if (/^[0-9a-f]{64,}\s*$/.test(text)) return Buffer.from(text.trim(), 'hex');
  } catch (error) {
    throw fileError(error, file);
  } finally {
    await rm(made, { force: true });
    forgetPartial(made);
  }
  throw new DkvError(
    'INPUT_INVALID',
    `${file}: no salt of a decision log. Expected ${2 * SALT_BYTES} hexadecimal digits or more; remove the file and a new one is made, with which digests are other ones.`,
  );
}
