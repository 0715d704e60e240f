/**
 * One request of a caller that takes several of an engine: all of them share the caller's deadline, and their phases are told together, once.
 */
import { DkvError } from '../base/errors.js';
import { type Deadline, deadlinePassed, expectTimeLeft, msLeft } from './deadline.js';
import type { PhaseTimes, RequestOptions } from './engine.js';
import { PhaseMeter } from './phases.js';

export type CompoundOptions = Omit<RequestOptions, 'deadlineMs' | 'tokenisingMs' | 'onProgress'> & {
  readonly deadline?: Deadline | undefined;
};

export class CompoundRequest {
  readonly #options: CompoundOptions;
  readonly #phases = new PhaseMeter();

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
    expectTimeLeft(deadline);
    try {
      return await request({
        ...own,
        tokenisingMs,
        ...(deadline && { deadlineMs: msLeft(deadline) }),
        ...(onPhases && { onPhases: (times) => this.#add(times) }),
      });
    } catch (error) {
      if (deadline && error instanceof DkvError && error.code === 'DEADLINE_PASSED') throw deadlinePassed(deadline);
      throw error;
    }
  }

  /** It is answered, or has failed. */
  end(): void {
    this.#options.onPhases?.(this.#phases.times);
  }

  #add(times: PhaseTimes): void {
    for (const [phase, ms] of Object.entries(times)) this.#phases.add(phase as keyof PhaseTimes, ms);
  }
}
