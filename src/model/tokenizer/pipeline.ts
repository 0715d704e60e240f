/** A proven pipeline at work: text to ids and back. */

import { AddedTokens } from './added-tokens.js';
import type { Cuts } from './cuts.js';
import type { AddedToken } from './description.js';
import { partsOf } from './parts.js';
import type { ProvenPipeline } from './pipelines.js';
import type { Vocabulary } from './vocabulary.js';

/** A codec turns texts into ids, with nothing added, and ids into texts. */
export interface Codec {
  /**
   * @param text well-formed UTF-16
   * @param splitSpecial read the control tokens that stand in it as text, as `split_special_tokens` of transformers does
   */
  encode(text: string, splitSpecial: boolean): number[];
  /** Decodes ids to a text. Control tokens are left out, and so are ids that no token has. */
  decode(ids: readonly number[]): string;
  /** The highest id of the model's vocabulary, added tokens aside. */
  readonly highestId: number;
  tokenOf(id: number): string | undefined;
  /** The places where texts can be cut; undefined where they are not known. */
  readonly cuts?: Cuts;
  close(): Promise<void>;
}

/** Ids that stand before and behind every text. */
export interface Frame {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * @param tokens all added tokens; the model's vocabulary may have them too
 * @throws Error that says how the parts of the model contradict each other
 */
export function runPipeline(pipeline: ProvenPipeline, tokens: readonly AddedToken[]): Codec {
  const { model, normalize, words, assemble, cuts: cutsOf } = partsOf(pipeline);
  const { vocabulary } = model;
  expectIdsOfPython(vocabulary, tokens);
  const verbatim = new AddedTokens(tokens.filter(({ normalized }) => !normalized));
  const normalized = new AddedTokens(
    tokens.filter(({ normalized }) => normalized),
    ({ content }) => normalize(content),
  );
  // A normalized token comes back as the normalizer leaves it, and is a control token only if that changes nothing: so does Python.
  const contents = new Map(
    tokens.map((token) => [token.id, token.normalized ? normalize(token.content) : token.content]),
  );
  const specials = new Set(tokens.filter(({ special }) => special).map(({ content }) => content));
  const tokenOf = (id: number) => contents.get(id) ?? vocabulary.tokenOf(id);
  const added = new Set(tokens.map(({ content }) => content));
  const cuts = cutsOf(tokens);
  return {
    ...(cuts && { cuts }),
    highestId: vocabulary.highestIdBeside(added),
    tokenOf,
    close: async () => {},
    encode(text, splitSpecial) {
      const ids: number[] = [];
      for (const [at, section] of verbatim.sections(text, splitSpecial).entries()) {
        const isFirst = at === 0;
        if (typeof section !== 'string') {
          ids.push(section.id);
          continue;
        }
        for (const part of normalized.sections(normalize(section), splitSpecial)) {
          if (typeof part !== 'string') ids.push(part.id);
          else for (const word of words(part, isFirst)) for (const id of model.encode(word)) ids.push(id);
        }
      }
      return ids;
    },
    decode(ids) {
      const kept = ids.map(tokenOf).filter((token) => token !== undefined);
      return assemble(kept.filter((token) => !specials.has(token)));
    },
  };
}

/**
 * Checks ids against those that Python's tokenizers give. They number added tokens themselves, whatever the file says, and pass over a second token
 * of the same content.
 */
function expectIdsOfPython(vocabulary: Vocabulary, tokens: readonly AddedToken[]): void {
  const seen = new Set<string>();
  let next = vocabulary.size;
  for (const { id, content } of tokens) {
    const name = JSON.stringify(content);
    if (seen.has(content)) throw new Error(`it has the added token ${name} twice`);
    seen.add(content);
    const given = vocabulary.idOf(content) ?? next;
    if (id !== given) throw new Error(`the added token ${name} has the id ${id}, and gets ${given}`);
    next = Math.max(next, id + 1);
  }
}

/**
 * The ids that the post-processor puts around a text.
 * @throws Error for a template whose token has no ids
 */
export function frameOf({ post_processor: processor }: ProvenPipeline): Frame {
  const template = processor?.type === 'Sequence' ? processor.processors[1] : processor;
  if (!template || template.type === 'ByteLevel') return { before: [], after: [] };
  if (template.type !== 'TemplateProcessing') return { before: [template.cls[1]], after: [template.sep[1]] };
  const ids = template.single.map((piece) => {
    if ('Sequence' in piece) return undefined;
    const found = template.special_tokens[piece.SpecialToken.id];
    if (!found) throw new Error(`the template's token ${piece.SpecialToken.id} has no id`);
    return found.ids;
  });
  const at = ids.indexOf(undefined);
  return {
    before: ids.slice(0, at).flatMap((some) => some ?? []),
    after: ids.slice(at + 1).flatMap((some) => some ?? []),
  };
}
