/**
 * The moment after which a request that was not begun is dropped, with the number by which its caller knows it. It is plain data, and it is told by the
 * machine's monotonic clock, which its processes share: whatever held a request on its way to another process counts.
 */
import { DkvError } from '../base/errors.js';

export interface Deadline {
  /** What the caller gave. */
  readonly ms: number;
  /** Milliseconds of the machine's clock. */
  readonly at: number;
}

/** So many milliseconds from now; none where none are given. */
export function deadlineOf(ms: number | undefined): Deadline | undefined {
  return ms === undefined ? undefined : { ms, at: now() + ms };
}

/** Not above 0 once it has passed. */
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

/** `performance.now` begins anew in every process. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
