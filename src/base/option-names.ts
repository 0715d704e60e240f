/** Names of options: a mistyped one would be ignored in silence, and what it was to bring about would not happen. */
import { DkvError } from './errors.js';
import { didYouMean } from './near.js';

/**
 * @param known every name that there is, as an object's keys, so that the compiler can ask for all of them
 * @param where what the options are for: the message's beginning
 * @throws DkvError INPUT_INVALID that names the first unknown option, and the one that was probably meant
 */
export function expectKnownOptions(options: object, known: Readonly<Record<string, unknown>>, where: string): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  const names = Object.keys(known);
  throw new DkvError(
    'INPUT_INVALID',
    `${where}: unknown option ${JSON.stringify(unknown)}.${didYouMean(unknown, names) || ` There are ${names.join(', ')}.`}`,
  );
}
