/** Experiments on the document's length: the same prefixes on documents made longer with other texts. */
import { curves, design, type Prefixes } from './design.js';

export const ORIGINAL = 'orig';

/** @param lengths tokens with BOS, or `orig` for the document as it is */
export function acrossLengths(prefixes: Prefixes, lengths: readonly (number | typeof ORIGINAL)[]) {
  const at = (length: number | string) => `@${length}`;
  const designs = lengths.map((length) =>
    design(prefixes, { at: at(length), ...(length !== ORIGINAL && { document: { tokens: Number(length) } }) }),
  );
  return {
    conditions: designs.flatMap(({ conditions }) => conditions),
    comparisons: designs.flatMap(({ comparisons }) => comparisons),
    curves: curves(
      'Effect by length',
      'tokens of the document',
      Object.fromEntries(
        Object.keys(prefixes).map((name) => [name, lengths.map((length) => ({ x: length, name, at: at(length) }))]),
      ),
    ),
  };
}
