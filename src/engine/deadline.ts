/**
 * The moment after which a request that was not begun is dropped, with the number by which its caller knows it. It is plain data, and it is told by the
 * machine's monotonic clock, which its processes share: whatever held a request on its way to another process counts.
 */
import { DkvError } from '../base/errors.js';

export interface Deadline {
  /** The caller's number, in milliseconds. */
  readonly ms: number;
  /** The moment itself, in milliseconds of the machine's clock. */
  readonly at: number;
}

/** Makes the deadline this many milliseconds from now; undefined where no number is given. */
export function deadlineOf(ms: number | undefined): Deadline | undefined {
  return ms === undefined ? undefined : { ms, at: now() + ms };
}

/** The milliseconds that are left. They are 0 or less once the deadline has passed. */
export function msLeft({ at }: Deadline): number {
  return at - now();
}

export function deadlinePassed({ ms }: Deadline): DkvError {
  return new DkvError(
    'DEADLINE_PASSED',
    `The request's deadline of ${ms} ms passed before its turn came. Give it more time, or the engine fewer requests.`,
  );
}

/** @throws DkvError DEADLINE_PASSED */
export function expectTimeLeft(deadline: Deadline | undefined): void {
  if (deadline && msLeft(deadline) <= 0) throw deadlinePassed(deadline);
}

/** The machine's clock. `performance.now` would begin anew in every process. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
