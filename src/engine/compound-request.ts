/**
 * One request of a caller that takes several of an engine: all of them share the caller's deadline, and their phases are told together, once.
 */
import { DkvError } from '../base/errors.js';
import { expectKnownOptions } from '../base/option-names.js';
import { type Deadline, deadlineOf, deadlinePassed, msLeft } from './deadline.js';
import { eachOf, ItemsFailedError, type RequestOptions } from './engine.js';
import { PhaseMeter } from './phases.js';
import { checkRequestOptions } from './validation.js';

export type CompoundOptions = Omit<RequestOptions, 'deadlineMs' | 'tokenisingMs' | 'onProgress'> & {
  readonly deadline?: Deadline | undefined;
};

/** The names of the options that every caller's request takes. */
const NAMES: Readonly<Record<keyof Omit<RequestOptions, 'tokenisingMs'>, true>> = {
  signal: true,
  onProgress: true,
  onPhases: true,
  priority: true,
  deadlineMs: true,
  dropLate: true,
};

/**
 * A caller's options, looked at before anything is done for it, with a deadline that counts from now.
 * @param further names that there are besides those of every request
 * @param where what the options are for: the message's beginning
 * @throws DkvError INPUT_INVALID
 */
export function checkedOptions<Options extends RequestOptions>(
  options: Options,
  further: Readonly<Record<Exclude<keyof Options, keyof typeof NAMES>, true>>,
  where: string,
): Omit<Options, 'deadlineMs'> & { readonly deadline: Deadline | undefined } {
  expectKnownOptions(options, { ...NAMES, ...further }, where);
  checkRequestOptions(options);
  const { deadlineMs, ...rest } = options;
  return { ...rest, deadline: deadlineOf(deadlineMs) };
}

export class CompoundRequest {
  readonly #options: CompoundOptions;
  readonly #phases = new PhaseMeter();
  /** True once a part that was asked item by item has been answered. */
  #isAnswered = false;

  constructor(options: CompoundOptions) {
    this.#options = options;
  }

  /**
   * Asks the engine with the time that is left.
   * @param tokenisingMs spent by the caller for this part
   * @throws DkvError DEADLINE_PASSED with the caller's number, without asking where nothing is left
   */
  async ask<Result>(request: (options: RequestOptions) => Promise<Result>, tokenisingMs = 0): Promise<Result> {
    const { deadline, onPhases, ...own } = this.#options;
    // Looked at once: it could pass between two looks.
    const deadlineMs = deadline && msLeft(deadline);
    if (deadline && deadlineMs! <= 0) throw deadlinePassed(deadline);
    try {
      return await request({
        ...own,
        tokenisingMs,
        ...(deadlineMs !== undefined && { deadlineMs }),
        ...(onPhases && { onPhases: (times) => this.#phases.addAll(times) }),
      });
    } catch (error) {
      throw deadline ? withDeadline(error, deadline) : error;
    }
  }

  /**
   * Asks for a part item by item, as `eachOf` does. With `dropLate`, a later part of which nothing was begun by the deadline takes nothing from what
   * an earlier one has answered: its items fail.
   */
  async askEach<Item, Result>(
    items: readonly Item[],
    request: (items: readonly Item[], options: RequestOptions) => Promise<readonly Result[]>,
    tokenisingMs = 0,
  ): Promise<(Result | DkvError)[]> {
    try {
      const answers = await eachOf(items, (some) => this.ask((own) => request(some, own), tokenisingMs));
      this.#isAnswered = true;
      return answers;
    } catch (error) {
      const isLate = error instanceof DkvError && error.code === 'DEADLINE_PASSED';
      if (!(isLate && this.#isAnswered && this.#options.dropLate)) throw error;
      return items.map(() => error);
    }
  }

  /** Ends the request, which is answered or has failed. */
  end(): void {
    this.#options.onPhases?.(this.#phases.times);
  }
}

/** What a part of the request has thrown, with the caller's number in place of the time that was left for the part. */
function withDeadline(error: unknown, deadline: Deadline): unknown {
  if (error instanceof ItemsFailedError) {
    const errors = [...error.errors].map(([item, own]): [number, DkvError] => [
      item,
      own.code === 'DEADLINE_PASSED' ? deadlinePassed(deadline) : own,
    ]);
    return new ItemsFailedError(new Map(errors), error.results);
  }
  return error instanceof DkvError && error.code === 'DEADLINE_PASSED' ? deadlinePassed(deadline) : error;
}
