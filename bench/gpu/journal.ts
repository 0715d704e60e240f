/** What a run on a device has come to, line by line in a file: a run that is cut off loses nothing, and the next one goes on from there. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

interface Entry {
  readonly step: string;
  /** Of a step that is whole. */
  readonly result?: unknown;
  /** A part of a step, for one that was cut off. */
  readonly part?: unknown;
  /** Why it is not whole. */
  readonly problem?: string;
}

export class Journal {
  readonly #file: string;
  readonly #entries: Entry[];

  constructor(file: string) {
    this.#file = file;
    mkdirSync(path.dirname(file), { recursive: true });
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // The line that a killed run was writing.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole.length < text.length) writeFileSync(file, whole);
    const lines = whole.split('\n').slice(0, -1);
    this.#entries = lines.map((line) => JSON.parse(line) as Entry);
  }

  add(entry: Entry): void {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
    this.#entries.push(entry);
  }

  /** Undefined where the step is not whole. */
  result<T>(step: string): T | undefined {
    return this.#entries.findLast((entry) => entry.step === step && entry.result !== undefined)?.result as
      | T
      | undefined;
  }

  /** Of the last try of a step. */
  parts<T>(step: string): T[] {
    const own = this.#entries.filter((entry) => entry.step === step);
    const tries = own.findLastIndex(({ problem }, at) => problem !== undefined && at < own.length - 1);
    return own.slice(tries + 1).flatMap(({ part }) => (part === undefined ? [] : [part as T]));
  }

  problem(step: string): string | undefined {
    const last = this.#entries.findLast((entry) => entry.step === step && entry.part === undefined);
    return last?.problem;
  }
}
