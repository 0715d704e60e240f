/**
 * Surrogates that a function of the user's makes, in experiments that are modules. A record cannot hold a function: it holds a specification with the
 * function's name and a digest of its source, so that a run goes on with the same function or not at all.
 */
import { Breather } from '../base/breather.js';
import { sha256 } from '../base/bytes.js';
import { DkvError, messageOf } from '../base/errors.js';
import type { Sample } from '../samples/sample.js';
import { type FunctionName, functionNamed } from './surrogate-form.js';

/**
 * A function that makes the text before a sample's document from the sample. If it throws, the sample is rejected with that reason; if it gives
 * anything but a string, the run ends. Its result may depend on nothing but the sample.
 */
export type SurrogateFunction = (sample: Sample) => string | Promise<string>;

/** The parts of a sample that exist before a query is asked. */
export type DocumentOfSample = Pick<Sample, 'id' | 'document' | 'title' | 'columns'>;

/** A function that is given neither query nor answer. Its text can be made beforehand, so it is called deployable. */
export interface DocumentFunction {
  readonly of: 'document';
  readonly make: (document: DocumentOfSample) => string | Promise<string>;
}

/** A function as an experiment declares it in a surrogate's place. */
export type DeclaredFunction = SurrogateFunction | DocumentFunction;

/** An experiment's functions, by the specifications that stand for them in its conditions. */
export type SurrogateFunctions = ReadonlyMap<string, DeclaredFunction>;

export function isDeclaredFunction(value: unknown): value is DeclaredFunction {
  if (typeof value === 'function') return true;
  const { of, make } = (value ?? {}) as Partial<DocumentFunction>;
  return of === 'document' && typeof make === 'function';
}

/** Names that a function gets from where it is written, and not from its author. */
const NO_NAMES = ['', 'default', 'surrogate', 'make'];
const NATIVE = /\{\s*\[native code\]\s*\}\s*$/;

/**
 * What stands for a function in a record: its name, or the condition's for one without, and the first 16 digits of its source's SHA-256.
 * @throws DkvError INPUT_INVALID for a function whose source cannot be read
 */
export function functionSpecification(declared: DeclaredFunction, condition: string): string {
  const make = makerOf(declared);
  const source = make.toString();
  const name = NO_NAMES.includes(make.name) ? condition : make.name;
  if (NATIVE.test(source)) {
    throw new DkvError(
      'INPUT_INVALID',
      `The surrogate function "${name}" is bound or built in, and has no source that a run could be known by. Write it as a function that calls it.`,
    );
  }
  const kind = typeof declared === 'function' ? 'function' : 'document_function';
  return `${kind}:${name}@${sha256(source).toString('hex').slice(0, 16)}`;
}

/** The function itself, whichever way it was declared. */
export function makerOf(declared: DeclaredFunction): SurrogateFunction | DocumentFunction['make'] {
  return typeof declared === 'function' ? declared : declared.make;
}

/**
 * Calls functions for one sample after the other, in their order.
 * @param specifications of an experiment, those of other surrogates included
 * @returns the texts of each function by the sample's id, or why a sample has none
 * @throws DkvError INPUT_INVALID for a function that is not there, or that gives something else than a string; CANCELLED
 */
export async function callFunctions(
  specifications: readonly string[],
  functions: SurrogateFunctions,
  samples: readonly Sample[],
  signal?: AbortSignal,
): Promise<Map<string, ReadonlyMap<string, string | DkvError>>> {
  const made = new Map<string, ReadonlyMap<string, string | DkvError>>();
  const turns = new Breather(signal);
  for (const specification of specifications) {
    const named = functionNamed(specification);
    if (!named) continue;
    const declared = functions.get(specification);
    if (!declared) throw functionMissing(named);
    const texts = new Map<string, string | DkvError>();
    for (const sample of samples) {
      await turns.breathe();
      texts.set(sample.id, await callFor(sample, declared, named));
    }
    made.set(specification, texts);
  }
  return made;
}

/** @throws DkvError INPUT_INVALID for anything but a string */
async function callFor(sample: Sample, declared: DeclaredFunction, { name }: FunctionName): Promise<string | DkvError> {
  let text: unknown;
  try {
    text = await (typeof declared === 'function' ? declared({ ...sample }) : declared.make(documentOf(sample)));
  } catch (error) {
    return new DkvError('INPUT_INVALID', `${failureBy(name)}threw for ${sample.id}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (typeof text !== 'string') {
    throw new DkvError(
      'INPUT_INVALID',
      `The surrogate function "${name}" gave ${described(text)} for ${sample.id}, and a string was expected. Let it throw where a sample has none: the sample is rejected with the reason.`,
    );
  }
  if (text.trim() !== '') return text;
  return new DkvError('INPUT_INVALID', `${failureBy(name)}gave an empty text for ${sample.id}.`);
}

/** What the reason begins with for which a sample without a text of this function is rejected. */
export function failureBy(name: string): string {
  return `The surrogate function "${name}" `;
}

function documentOf({ id, document, title, columns }: Sample): DocumentOfSample {
  return { id, document, ...(title !== undefined && { title }), ...(columns && { columns }) };
}

function described(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

export function functionMissing({ name }: FunctionName): DkvError {
  return new DkvError(
    'INPUT_INVALID',
    `The surrogate function "${name}" is not here: functions stand in a module (.ts, .js), in the place of a condition's surrogate, and a record holds their names alone.`,
  );
}
