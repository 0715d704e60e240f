/**
 * What experiments 09 and 10 of v4 share: other models than the research's own, random prefixes from a list of words, and the bare document also
 * without the query in the decoder.
 */
import type { Comparison, Contrast, ContrastGroup } from '../../runs/schema/experiment.js';
import { baselineOf, design, gain, HIDDEN, type Prefixes, type Suffix, VISIBILITIES } from './design.js';

/** The suffix of conditions whose decoder does not read the query. */
const NO_QUERY = '_nq';

/** The protocol as the research ran it: MS MARCO's 500 samples, answers cut after 256 tokens. */
export const SMALL_MODELS_PROTOCOL = { samples: 500, target_tokens: 256 };

export const RANDOM_WORDS = 'common_words8';

/**
 * The prefixes with the query in the decoder, and some of them without it.
 * @param withoutQuery prefixes that are scored without the query too; the bare document always is
 */
export function withAndWithoutQuery(prefixes: Prefixes, withoutQuery: Prefixes = {}) {
  const asked = design(prefixes);
  const alone = design(withoutQuery, { prompt: 'none', at: NO_QUERY });
  // The gain of the query itself; its sign says what a model was trained to do with a text in the decoder.
  const ofQuery: Comparison[] = (['published', 'd'] as const).map((suffix) => ({
    treatment: baselineOf(suffix),
    baseline: baselineOf(suffix, NO_QUERY),
    family: 'query in the decoder',
  }));
  return {
    conditions: [...asked.conditions, ...alone.conditions],
    comparisons: [...asked.comparisons, ...alone.comparisons, ...ofQuery],
  };
}

/** What the published mask adds to the gain of the document's own rows, prefix by prefix. */
export function maskContrasts(prefixes: readonly string[]): ContrastGroup {
  const terms = (prefix: string): Contrast['terms'] => ({
    [baselineOf('published')]: 1,
    [`${prefix}_published`]: -1,
    [baselineOf('d')]: -1,
    [`${prefix}_d`]: 1,
  });
  return {
    title: 'Published gain over exact gain',
    note: 'What the mask shows and hides besides the document and the prefix: BOS, the line break, the end of text, as far as a model has them. T5 has neither BOS nor a line break; there it is the end of text alone, whose row has seen the prefix.',
    contrasts: prefixes.map((prefix) => ({ name: prefix, terms: terms(prefix) })),
    decomposition: false,
  };
}

/** The contrasts of the query in the encoder, in the decoder, and in both, for each way of hiding the prefix. */
export function whereTheQueryStands(): ContrastGroup[] {
  return HIDDEN.map((suffix: Suffix) => {
    const [none, encoder, decoder, both] = [
      baselineOf(suffix, NO_QUERY),
      `oracle_${suffix}${NO_QUERY}`,
      baselineOf(suffix),
      `oracle_${suffix}`,
    ] as const;
    const half = (better: readonly string[]): Contrast['terms'] =>
      Object.fromEntries([none, encoder, decoder, both].map((cell) => [cell, better.includes(cell) ? -0.5 : 0.5]));
    return {
      title: `Where the query stands, ${VISIBILITIES[suffix]}`,
      note: 'In the encoder, as a hidden prefix; in the decoder, before the answer; in both. Main effects are means over the other place.',
      contrasts: [
        gain('both', none, both),
        { name: 'query in the encoder', terms: half([encoder, both]), share_of: 'both' },
        { name: 'query in the decoder', terms: half([decoder, both]), share_of: 'both' },
        { name: 'interaction', terms: { [none]: -1, [encoder]: 1, [decoder]: 1, [both]: -1 } },
      ],
      decomposition: false,
    };
  });
}
