/**
 * The inverse temperatures at which NLLs are computed: ten, from a fourth to two, in steps of a third of an octave. Each beyond the first three is
 * twice another one, so its exponentials are the squares of that one's.
 */
export const INVERSE_TEMPERATURES: readonly number[] = Array.from({ length: 10 }, (_, i) => 2 ** ((i - 6) / 3));

/** The index of the inverse temperature 1. */
export const AT_ONE = 6;
