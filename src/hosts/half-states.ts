/** States that have crossed a pipe as float16, as the float32 numbers that callers know. */
import { Breather } from '../base/breather.js';
import { fromFloat16 } from '../base/float16.js';
import { ItemsFailedError, type States } from '../engine/engine.js';
import type { HalfStates } from '../engine/runner.js';

/** @param request that gives HalfStates @throws what it throws, an ItemsFailedError with States, too */
export async function widened(request: () => Promise<unknown>): Promise<States[]> {
  try {
    return (await eachWidened((await request()) as HalfStates[])) as States[];
  } catch (error) {
    if (!(error instanceof ItemsFailedError)) throw error;
    throw new ItemsFailedError(error.errors, await eachWidened(error.results as (HalfStates | undefined)[]));
  }
}

async function eachWidened(found: readonly (HalfStates | undefined)[]): Promise<(States | undefined)[]> {
  const turns = new Breather(undefined);
  const states: (States | undefined)[] = [];
  for (const own of found) {
    states.push(own && { rows: own.rows, width: own.width, data: fromFloat16(own.halves) });
    await turns.rest();
  }
  return states;
}
