/** Which chunks a worker takes: those that it is told, or those of its index among others that a scheduler starts. */
import { DkvError } from '../base/errors.js';

/** Where schedulers say which of their processes this is: a Kubernetes Indexed Job, a Slurm array. */
const INDEX_VARIABLES = ['JOB_COMPLETION_INDEX', 'SLURM_ARRAY_TASK_ID'] as const;

export interface IndexOptions {
  /** The chunks, as numbers and ranges such as `0-9`. */
  readonly chunks?: readonly string[] | undefined;
  /** The index of this process; by default what the scheduler says. */
  readonly index?: number | undefined;
  /** The number of processes that share the chunks: this one takes every so manieth, beginning with its index. */
  readonly of?: number | undefined;
}

/**
 * The numbers of the chunks to work on, in their order.
 * @param count the chunks of the plan
 * @throws DkvError INPUT_INVALID
 */
export function chunksFor(
  { chunks, index, of }: IndexOptions,
  count: number,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): number[] {
  if (chunks !== undefined) {
    if (index !== undefined || of !== undefined) {
      throw new DkvError(
        'INPUT_INVALID',
        '--chunk names the chunks, and --index or --of choose them: give one or the other.',
      );
    }
    return [...new Set(chunks.flatMap(rangeOf))];
  }
  const own = index ?? indexIn(environment);
  if (own === undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      `Which chunks? Name them with --chunk, or give --index and --of, or let a scheduler say it in ${INDEX_VARIABLES.join(' or ')}.`,
    );
  }
  if (of === undefined) return [own];
  if (own >= of)
    throw new DkvError('INPUT_INVALID', `The index ${own} is none of ${of}: they are counted from 0 to ${of - 1}.`);
  return Array.from({ length: Math.max(0, Math.ceil((count - own) / of)) }, (_, at) => own + at * of);
}

function indexIn(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  for (const name of INDEX_VARIABLES) {
    const value = environment[name];
    if (value === undefined) continue;
    if (/^\d+$/.test(value)) return Number(value);
    throw new DkvError('INPUT_INVALID', `${name} is ${JSON.stringify(value)}, and a number from 0 was expected.`);
  }
  return undefined;
}

function rangeOf(text: string): number[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first !== undefined && from <= to && to - from < 1_000_000) {
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  }
  throw new DkvError('INPUT_INVALID', `--chunk ${text}: expected a number from 0, or a range such as 0-9.`);
}
