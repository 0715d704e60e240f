/** Functions among the surrogates of a module's experiment: each is replaced by the specification that a record holds of it. */
import { DkvError } from '../../base/errors.js';
import { functionNamed } from '../../priming/surrogate-form.js';
import {
  type DeclaredFunction,
  functionMissing,
  functionSpecification,
  isDeclaredFunction,
  makerOf,
  type SurrogateFunctions,
} from '../../priming/surrogate-function.js';
import { type Experiment, specificationsOf } from '../../runs/schema/experiment.js';

/**
 * @param declaration of whatever form; what is not as expected is left for its schema to refuse
 * @throws DkvError INPUT_INVALID for functions that a record could not tell apart
 */
export function withoutFunctions(declaration: unknown): { plain: unknown; functions: SurrogateFunctions } {
  if (!isObject(declaration)) return { plain: declaration, functions: new Map() };
  // Of an experiment that has been defined already.
  const { functions: known, ...rest } = declaration;
  const functions = new Map<string, DeclaredFunction>(known instanceof Map ? known : []);
  const encoded = (encoding: unknown, condition: string): unknown => {
    if (!isObject(encoding)) return encoding;
    const { surrogate, also } = encoding;
    return {
      ...encoding,
      ...(isDeclaredFunction(surrogate) && { surrogate: added(functions, surrogate, condition) }),
      ...(Array.isArray(also) && { also: also.map((further) => encoded(further, condition)) }),
    };
  };
  const { conditions } = rest;
  const plain = {
    ...rest,
    ...(known !== undefined && !(known instanceof Map) && { functions: known }),
    ...(Array.isArray(conditions) && {
      conditions: conditions.map((condition) => encoded(condition, String(condition?.name))),
    }),
  };
  return { plain, functions };
}

function added(functions: Map<string, DeclaredFunction>, declared: DeclaredFunction, condition: string): string {
  const specification = functionSpecification(declared, condition);
  const other = functions.get(specification);
  if (other && makerOf(other) !== makerOf(declared)) {
    throw new DkvError(
      'INPUT_INVALID',
      `Two surrogate functions are called "${functionNamed(specification)!.name}" and have the same source, so that a record could not tell them apart. Give them names of their own.`,
    );
  }
  functions.set(specification, declared);
  return specification;
}

/**
 * Checks that every specification of a function stands for one that exists.
 * @throws DkvError INPUT_INVALID
 */
export function expectFunctions(experiment: Experiment, functions: SurrogateFunctions): void {
  for (const specification of specificationsOf(experiment)) {
    const named = functionNamed(specification);
    if (named && !functions.has(specification)) throw functionMissing(named);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
