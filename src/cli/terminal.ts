/** What the command line does on a terminal: what may reach it, colour, a progress line, Ctrl-C. */
import { randomBytes } from 'node:crypto';
import { styleText } from 'node:util';
import { NOTICE } from '../base/environment.js';
import { fileError, removePartials } from '../base/files.js';
import { printable } from '../base/printable.js';
import { withoutSecrets } from '../base/redact.js';

type Stream = NodeJS.WriteStream;
type Colour = Parameters<typeof styleText>[0];

/** Tells the control sequences of this program from those in texts, which nobody could write who does not know it. */
const OURS = `\u{10fffd}${randomBytes(8).toString('hex')}`;
const REWRITE_LINE = `${OURS}\r\x1b[2K${OURS}`;

/**
 * From now on no control character of a text reaches the standard streams: ids, file names and documents may hold anything. Strings
 * are made printable, which leaves JSON exact; what goes to standard error also loses its secrets. Bytes are data, and pass.
 */
export function guardTerminal(): void {
  guard(process.stdout, (text) => text);
  guard(process.stderr, withoutSecrets);
  const others = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === NOTICE) process.stderr.write(`${warning.message}\n`);
    else for (const other of others) other(warning);
  });
}

function guard(stream: Stream, shown: (text: string) => string): void {
  const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
  const guarded = (text: string) =>
    shown(text)
      .split(OURS)
      .map((part, at) => (at % 2 === 0 ? printable(part) : part))
      .join('');
  stream.write = (chunk: unknown, ...rest: unknown[]) =>
    write(typeof chunk === 'string' ? guarded(chunk) : chunk, ...rest);
}

/** The first thing that went wrong with the standard output, such as a full disk behind `> file`. */
let outputError: unknown;

/**
 * A reader that went away (`| head`) ends the process quietly: there is nobody to tell. Whatever else goes wrong is kept for those who
 * write, and for the end. Called once.
 */
export function hearStandardOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') endAtOnce('SIGPIPE');
    else outputError ??= fileError(error, 'standard output');
  });
}

/** @throws DkvError DISK_FULL, FILES_UNUSABLE when something that was written before did not arrive */
export function expectStandardOutput(): void {
  if (outputError !== undefined) throw outputError;
}

/**
 * Resolves when everything written to the standard output has arrived.
 * @throws as `expectStandardOutput`
 */
export async function standardOutputWritten(): Promise<void> {
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  expectStandardOutput();
}

/** Colours a text on a terminal, unless NO_COLOR says otherwise. */
export function paint(colour: Colour, text: string, stream: Stream = process.stdout): string {
  if (!stream.isTTY || process.env.NO_COLOR) return text;
  const [before, after] = styleText(colour, '\n', { validateStream: false }).split('\n') as [string, string];
  return `${OURS}${before}${OURS}${text}${OURS}${after}${OURS}`;
}

/** The label of the statistics that take longest. */
export const TEMPERATURES = 'statistics of temperatures';

/** The shortest pause between two progress lines where lines stay, but for the last. */
const QUIET_MS = 30_000;

/**
 * A line on standard error that says how far a long job is and when it will be done: rewritten in place on a terminal. Elsewhere it is a line at the start, one
 * at the end and at most two a minute between them.
 */
export class Progress {
  readonly #label: string;
  readonly #unit: string;
  readonly #stream: Stream;
  #startedAt: number | undefined;
  #startedWith = 0;
  #lastShare = -1;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(label: string, unit: string, stream: Stream = process.stderr) {
    this.#label = label;
    this.#unit = unit;
    this.#stream = stream;
  }

  /**
   * @param already part of `done` that was there before this job and says nothing of its speed
   * @param detail stands behind, such as a speed
   */
  update(done: number, total: number, already = 0, detail = ''): void {
    this.#startedAt ??= performance.now();
    this.#startedWith = Math.max(this.#startedWith, already);
    const share = total > 0 ? done / total : 1;
    const line = `${this.#label}  ${done.toLocaleString('en')}/${total.toLocaleString('en')} ${this.#unit}  ${Math.floor(share * 100)}%${this.#eta(done, total)}${detail && `  ${detail}`}`;
    this.#show(line, share >= 1 && this.#lastShare < 1);
    this.#lastShare = share;
  }

  /** Shows the progress of a job of unknown length. */
  count(done: number, detail = ''): void {
    const line = `${this.#label}  ${done.toLocaleString('en')} ${this.#unit}${detail && `  ${detail}`}`;
    this.#lastShare = 0;
    this.#show(line, false);
  }

  #show(line: string, isLast: boolean): void {
    if (this.#stream.isTTY) {
      this.#stream.write(`${REWRITE_LINE}${line}`);
    } else if (isLast || performance.now() - this.#lastAt >= QUIET_MS) {
      this.#stream.write(`${line}\n`);
      this.#lastAt = performance.now();
    }
  }

  /** Ends the progress line, so that the next output starts on a line of its own. */
  end(): void {
    if (this.#stream.isTTY && this.#lastShare >= 0) this.#stream.write(REWRITE_LINE);
  }

  #eta(done: number, total: number): string {
    const fresh = done - this.#startedWith;
    const elapsedMs = performance.now() - this.#startedAt!;
    if (fresh <= 0 || done >= total || elapsedMs < 1000) return '';
    const seconds = Math.ceil(((elapsedMs / fresh) * (total - done)) / 1000);
    const minutes = Math.floor(seconds / 60);
    return `  ETA ${minutes}:${String(seconds % 60).padStart(2, '0')}`;
  }
}

type Ending = 'SIGINT' | 'SIGTERM' | 'SIGHUP';
const ENDINGS: readonly Ending[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The controller of the running command, once it has said that it can be stopped. */
let interrupted: AbortController | undefined;

/**
 * Hears Ctrl-C, a termination and a terminal that is closed: a command that asked for `interruptSignal` stops after the batch in hand, any
 * other ends on the spot, and so does everything at the second time; journals and stores stand that. Called once.
 */
export function hearSignals(): void {
  for (const name of ENDINGS) {
    process.on(name, () => {
      if (!interrupted || interrupted.signal.aborted) return endAtOnce(name);
      process.stderr.write('\nStopping after the batch in hand. Once more to quit at once.\n');
      interrupted.abort();
    });
  }
}

/** Does something at each SIGHUP, which then ends nothing. */
export function hearHangUp(work: () => void): void {
  process.removeAllListeners('SIGHUP');
  process.on('SIGHUP', work);
}

/** A signal that Ctrl-C, a termination or a closed terminal sets. */
export function interruptSignal(): AbortSignal {
  interrupted ??= new AbortController();
  return interrupted.signal;
}

/** Prints a line on standard error. */
export function sayNotice(notice: string): void {
  process.stderr.write(`${notice}\n`);
}

/** Does work that holds the thread, so that no signal could be heard. Meanwhile Ctrl-C ends the process at once. */
export function whileBlocked<T>(work: () => T): T {
  for (const name of ENDINGS) process.removeAllListeners(name);
  try {
    return work();
  } finally {
    hearSignals();
  }
}

/**
 * Ends the process as the signal would if nobody heard it; what is half written is removed. `process.exit` in the middle of a native
 * computation aborts with a crash report instead.
 */
function endAtOnce(name: Ending | 'SIGPIPE'): void {
  removePartials();
  // Node ignores SIGPIPE until somebody has listened for it.
  process.on(name, () => undefined);
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}
