/** Numbers of an item that are not finite: what broke, before it is known whose it is. */
import { DkvError } from '../base/errors.js';
import { firstNotFinite } from '../base/finite.js';
import { LARGEST_FLOAT16, toFloat16 } from '../base/float16.js';
import type { EngineInfo, Memory, States } from './engine.js';
import type { HalfStates } from './runner.js';

const ADVICE = 'Are its weights sound, and small enough for the precision? float32 has the widest range.';
const HALF_ADVICE = `float16 holds finite numbers up to ${LARGEST_FLOAT16}; store them as float32 or int8.`;

export class Problem extends Error {
  readonly #advice: string;

  constructor(found: string, advice = ADVICE) {
    super(found);
    this.#advice = advice;
  }

  errorOf({ name, computedAs: precision }: EngineInfo): DkvError {
    return new DkvError(
      'NUMBERS_NOT_FINITE',
      `${this.message}, computed by model ${name} as ${precision}. ${this.#advice}`,
    );
  }
}

export function numbersProblem(values: Float32Array, what: string): Problem | undefined {
  const at = firstNotFinite(values);
  return at === undefined ? undefined : new Problem(`${what} hold ${values[at]} (number ${at})`);
}

export function rowsProblem({ data, width }: States, what: string): Problem | undefined {
  const at = firstNotFinite(data);
  if (at === undefined) return undefined;
  return new Problem(`${what} holds ${data[at]} (row ${Math.floor(at / width)}, number ${at % width})`);
}

export const statesProblem = (states: States) => rowsProblem(states, "The encoder's output");

const INFINITE_HALF = 0x7c00;

/** The problem of states that were rounded to float16, in which a number that is too large has become an infinity. */
export function halfStatesProblem({ halves, width }: HalfStates): Problem | undefined {
  const at = halves.findIndex((half) => (half & INFINITE_HALF) === INFINITE_HALF);
  if (at < 0) return undefined;
  return halfProblem(
    (halves[at]! & 0x7fff) === INFINITE_HALF ? `a number beyond ${LARGEST_FLOAT16}` : 'NaN',
    at,
    width,
  );
}

/** Rounds states as a device does. @param states finite */
export function roundedStates({ rows, width, data }: States): HalfStates | Problem {
  try {
    const halves = toFloat16(data, (value, at) => {
      throw halfProblem(`${value}`, at, width);
    });
    return { rows, width, halves };
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function halfProblem(found: string, at: number, width: number): Problem {
  const where = `row ${Math.floor(at / width)}, number ${at % width}`;
  return new Problem(`The encoder's output, asked for as float16, holds ${found} (${where})`, HALF_ADVICE);
}

/**
 * Finds, for each memory, what is wrong with the states that it brings. They are looked at before anything is concluded from scores, since 8-bit
 * rounding makes a finite number of a NaN.
 */
export function memoryProblems(memories: readonly Memory[]): (Problem | undefined)[] {
  return memories.map((memory) => {
    for (const { states, start, end } of memory) {
      const { rows, width, data } = states;
      const seen = start === 0 && end === rows ? data : data.subarray(start * width, end * width);
      const problem = rowsProblem({ rows, width, data: seen }, 'The memory that was given');
      if (problem) return problem;
    }
    return undefined;
  });
}
