/**
 * Records in which every number, word and yes or no is another one, drawn anew for each copy. What an expression says in all of them (`x - x`, `claim: x = x`) does not
 * come from the record that it names.
 */
import { Random } from '../../src/base/random.js';
import type { Records, Value } from './language.js';

/** Objects and lists of altered records, with what they are copies of. */
const originals = new WeakMap<object, Value>();

/** Elements are chosen by what the record itself says of them, whether a copy is read or not. */
export function originalOf(value: Value): Value {
  return (typeof value === 'object' && value !== null && originals.get(value)) || value;
}

function alteredCopy(value: Value, random: Random): Value {
  // Powers of two keep arithmetic exact, so that what is equal by algebra stays equal.
  if (typeof value === 'number') return (random.chance(0.5) ? 1 : -1) * 2 ** random.between(-8, 8);
  if (typeof value === 'boolean') return random.chance(0.5);
  if (typeof value === 'string') return random.chance(0.5) ? value : `${value} altered`;
  if (value === null) return null;
  const entries = Object.entries(value).map(([name, each]) => [name, alteredCopy(each, random)] as const);
  const copy = Array.isArray(value) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
  originals.set(copy, value);
  return copy;
}

/** By record, the copies made so far. */
const copies = new WeakMap<object, Value[]>();

/** @param number which of the copies */
export function alteredRecords(records: Records, number: number): Records {
  return (name) => {
    const record = records(name);
    if (typeof record !== 'object' || record === null) return record;
    const made = copies.get(record) ?? [];
    copies.set(record, made);
    made[number] ??= alteredCopy(record, new Random('altered records', name, number));
    return made[number];
  };
}
