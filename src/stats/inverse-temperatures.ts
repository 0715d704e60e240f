/**
 * The inverse temperatures at which NLLs are computed: a fourth to two in steps of a third of an octave. So three of the ten are squares of none of the others,
 * and what an exponential gives for these gives the rest by squaring.
 */
export const INVERSE_TEMPERATURES: readonly number[] = Array.from({ length: 10 }, (_, i) => 2 ** ((i - 6) / 3));

/** The place of 1 among them. */
export const AT_ONE = 6;
