/** What a request spends its time on: it is in one phase at any moment, so that the phases of a request are together the time that it took. */
import { PHASES, type Phase, type PhaseTimes } from './engine.js';

type Times = { -readonly [phase in Phase]: number };

/** Times that are all 0. */
function noTimes(): Times {
  return Object.fromEntries(PHASES.map((phase) => [phase, 0])) as Times;
}

export class PhaseMeter {
  readonly #times = noTimes();
  readonly #all: PhaseMeter | undefined;
  #phase: Phase | undefined;
  #since = 0;

  /** @param all counts the same beside those of others */
  constructor(all?: PhaseMeter) {
    this.#all = all;
  }

  get times(): PhaseTimes {
    return { ...this.#times };
  }

  add(phase: Phase, ms: number): void {
    this.#times[phase] += ms;
    this.#all?.add(phase, ms);
  }

  addAll(times: PhaseTimes): void {
    for (const phase of PHASES) this.add(phase, times[phase]);
  }

  /** Enters a phase; undefined ends the counting. */
  enter(phase: Phase | undefined): void {
    if (phase === this.#phase) return;
    const now = performance.now();
    if (this.#phase) this.add(this.#phase, now - this.#since);
    this.#phase = phase;
    this.#since = now;
  }
}
