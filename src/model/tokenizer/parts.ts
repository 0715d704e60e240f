/** What each kind of proven pipeline is made of: from a text to words, from words to ids, from tokens back to a text, and where it cuts. */
import { Bpe } from './bpe.js';
import { decodeByteFallback, decodeByteLevel, toByteCharacters } from './bytes.js';
import { CharacterMap } from './character-map.js';
import { type Cuts, cutsBeforeLoneSpaces, cutsBeforeSpaces, cutsBetweenCharacters } from './cuts.js';
import type { AddedToken } from './description.js';
import { decodeMetaspace, metaspaceWords, splitAtSpaces, strip } from './metaspace.js';
import { byteLevelPattern, knownPattern, literalPattern, MARKED_WORDS } from './patterns.js';
import type { ByteFallbackPipeline, ByteLevelPipeline, ProvenPipeline, UnigramPipeline } from './pipelines.js';
import { split } from './split.js';
import { Unigram } from './unigram.js';
import type { Vocabulary } from './vocabulary.js';

export interface Parts {
  readonly model: { readonly vocabulary: Vocabulary; encode(word: string): readonly number[] };
  normalize(text: string): string;
  /**
   * Splits a text into words, as the pre-tokenizer does.
   * @param isFirst true where the whole text begins with this part
   */
  words(text: string, isFirst: boolean): string[];
  /** Joins tokens to a text, as the decoder does. */
  assemble(tokens: readonly string[]): string;
  /** The places where texts can be cut; undefined where they are not known. */
  cuts(tokens: readonly AddedToken[]): Cuts | undefined;
}

/** @throws Error that says how the parts of the model contradict each other */
export function partsOf(pipeline: ProvenPipeline): Parts {
  switch (pipeline.kind) {
    case 'byte-fallback':
      return byteFallbackParts(pipeline);
    case 'byte-level':
      return byteLevelParts(pipeline);
    case 'unigram':
      return unigramParts(pipeline);
  }
}

/** Tells whether an added token takes white space. Such tokens, and pre-tokenizers that join words, reach across any place. */
const takesSpace = ({ lstrip, rstrip }: AddedToken) => lstrip || rstrip;
const contentsOf = (tokens: readonly AddedToken[]) => tokens.map(({ content }) => content);

function byteFallbackParts({ model: description, pre_tokenizer: before }: ByteFallbackPipeline): Parts {
  const model = new Bpe(description);
  const normalize = (text: string) => text.replaceAll(' ', '▁');
  return {
    model,
    normalize,
    words: before ? splitter(before) : (text) => [text],
    assemble: decodeByteFallback,
    cuts(tokens) {
      if (tokens.some(takesSpace)) return undefined;
      const isMarked = before && 'Regex' in before.pattern && before.pattern.Regex === MARKED_WORDS;
      // No word of this pattern has a mark but at its beginning.
      if (isMarked && before.behavior === 'Isolated') return cutsBeforeSpaces(contentsOf(tokens));
      const cutsAtCharacters = !before || ('String' in before.pattern && [...before.pattern.String].length === 1);
      if (!cutsAtCharacters || !model.knowsEveryCharacter) return undefined;
      return cutsBetweenCharacters(function* () {
        yield* model.vocabulary.tokens();
        for (const content of contentsOf(tokens)) yield normalize(content);
      }, normalize);
    },
  };
}

function byteLevelParts({ model, pre_tokenizer: before }: ByteLevelPipeline): Parts {
  const common = { model: new Bpe(model), normalize: (text: string) => text, assemble: decodeByteLevel };
  if (before.type === 'Sequence') {
    const [first] = before.pretokenizers;
    const cut = splitter(first);
    const isCuttable = first.behavior === 'Isolated' && 'Regex' in first.pattern;
    return {
      ...common,
      words: (text) => cut(text).map(toByteCharacters),
      cuts: (tokens) => (isCuttable && !tokens.some(takesSpace) ? cutsBeforeSpaces(contentsOf(tokens)) : undefined),
    };
  }
  const pattern = byteLevelPattern();
  return {
    ...common,
    words(text) {
      const spaced = before.add_prefix_space && !text.startsWith(' ') ? ` ${text}` : text;
      return split(spaced, pattern, 'Isolated', false).map(toByteCharacters);
    },
    cuts: (tokens) => (tokens.some(takesSpace) ? undefined : cutsBeforeSpaces(contentsOf(tokens))),
  };
}

function unigramParts({ model, normalizer, pre_tokenizer: before, decoder }: UnigramPipeline): Parts {
  const normalize = unigramNormalizer(normalizer);
  const strips = normalizer?.type === 'Sequence' ? normalizer.normalizers[1] : undefined;
  const splitsFirst = before.type === 'Sequence';
  const { prepend_scheme } = splitsFirst ? before.pretokenizers[1] : before;
  const prepends = (isFirst: boolean) => prepend_scheme === 'always' || (prepend_scheme === 'first' && isFirst);
  return {
    model: new Unigram(model),
    normalize,
    words(text, isFirst) {
      const parts = splitsFirst ? splitAtSpaces(text) : [text];
      return parts.flatMap((part) => metaspaceWords(part, prepends(isFirst)));
    },
    assemble: (tokens) => decodeMetaspace(tokens, decoder.prepend_scheme !== 'never'),
    cuts(tokens) {
      // What is behind a space gets its mark from that, or from the pre-tokenizer where a token or the normalizer took the space.
      if (prepend_scheme !== 'always' && (strips?.strip_left || tokens.some(takesSpace))) return undefined;
      // Spaces that become one mark would stand on both sides of a cut.
      if (strips && !strips.strip_right) return undefined;
      // In a normalized text a token may stand where the text itself shows none.
      if (tokens.some(({ content, normalized }) => normalized && /\s/.test(normalize(content)))) return undefined;
      return normalize(' ') === ' ' || splitsFirst ? cutsBeforeLoneSpaces(contentsOf(tokens)) : undefined;
    },
  };
}

function unigramNormalizer(normalizer: UnigramPipeline['normalizer']): (text: string) => string {
  if (!normalizer) return (text) => text;
  const [mapping, stripping] = normalizer.type === 'Sequence' ? normalizer.normalizers : [normalizer];
  const map = new CharacterMap(mapping.precompiled_charsmap);
  if (!stripping) return (text) => map.normalize(text);
  const { strip_left, strip_right } = stripping;
  return (text) => strip(map.normalize(text), strip_left, strip_right).replace(/ {2,}/g, '▁');
}

type Split = NonNullable<ByteFallbackPipeline['pre_tokenizer']>;

function splitter({ pattern, behavior, invert }: Split): (text: string) => string[] {
  const regex = 'Regex' in pattern ? knownPattern(pattern.Regex) : literalPattern(pattern.String);
  return (text) => split(text, regex, behavior, invert);
}
