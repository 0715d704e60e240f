/**
 * What a process with an engine writes to its standard error. Most of it is from a GPU's driver or the runtime, harmless, and not for the user; what Node itself says
 * (a warning, a notice of ours) is. The last lines are kept for the case that the process ends: then they are the only trace of why.
 */
import type { Readable } from 'node:stream';

/** The number of lines that are kept. */
const KEPT_LINES = 8;

export class RuntimeLines {
  readonly #last: string[] = [];
  #rest = '';

  /** @param onLine called with each line of driver and runtime @param onWarning with each of Node's own */
  constructor(stream: Readable, onLine: ((line: string) => void) | undefined, onWarning: (line: string) => void) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop()!;
      for (const line of lines) {
        if (/^\(node:\d+\) |^\(Use `node /.test(line)) onWarning(line);
        else if (line.trim() !== '') this.#take(line, onLine);
      }
    });
  }

  /** The last lines of driver and runtime, for an error's message; empty where there were none. */
  get last(): string {
    const lines = [...this.#last, ...(this.#rest.trim() === '' ? [] : [this.#rest])];
    return lines.map((line) => line.trim()).join(' | ');
  }

  #take(line: string, onLine: ((line: string) => void) | undefined): void {
    this.#last.push(line);
    if (this.#last.length > KEPT_LINES) this.#last.shift();
    onLine?.(line);
  }
}
