/** Load: callers that wait for their answers (closed loop), and arrivals that wait for nobody (open loop). */
import type { Random } from '../../src/base/random.js';

export interface Times {
  readonly calls: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Of a call, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** @param q between 0 and 1; the value that so much of the others do not exceed */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

function timesOf(times: readonly number[], seconds: number): Times {
  return {
    calls: times.length,
    seconds,
    perSecond: times.length / seconds,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    max: Math.max(...times),
  };
}

/** Each caller asks, waits, and asks again until the seconds are over; the time is until the last answer. */
export async function closedLoop(callers: number, seconds: number, once: () => Promise<void>): Promise<Times> {
  const times: number[] = [];
  const begun = performance.now();
  const caller = async () => {
    while (performance.now() - begun < seconds * 1000) {
      const before = performance.now();
      await once();
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return timesOf(times, (performance.now() - begun) / 1000);
}

/** Arrivals by chance (Poisson) at a rate, whatever is answered. A call's time counts from when it should have been sent. */
export async function openLoop<T>(
  perSecond: number,
  seconds: number,
  random: Random,
  once: () => Promise<T>,
): Promise<{ readonly answer: T; readonly ms: number }[]> {
  const begun = performance.now();
  const under: Promise<{ readonly answer: T; readonly ms: number }>[] = [];
  let due = begun;
  while (due - begun < seconds * 1000) {
    due += (-Math.log(1 - random.float()) / perSecond) * 1000;
    const wait = due - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    const sent = due;
    under.push(once().then((answer) => ({ answer, ms: performance.now() - sent })));
  }
  return Promise.all(under);
}
