/**
 * One-token relevance, as rerankers of the monoT5 kind are asked for it (Nogueira et al. 2020): how likely the decoder's first word is one that
 * means "relevant", of two words or of all. Of two, two rows of the head are read and not the vocabulary.
 */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';

/** The words by which the decoder says whether a document is relevant, and the texts that make it say them. */
export interface Relevance {
  /** A text that is one token of the model, such as `true`: the decoder's first word for a relevant document. */
  readonly relevantToken: string;
  /**
   * A text that is one token, such as `false`: the decoder's first word for an irrelevant document. With it the score is the log of the odds
   * between the two, without it the log of the first one's probability.
   */
  readonly irrelevantToken?: string | undefined;
  /** What the decoder reads of the query before that word, where the encoder has read the document alone. `{query}` stands for the query's text. */
  readonly prompt?: string | undefined;
  /** What the encoder of a cross-encoder reads. `{query}` and `{document}` stand for their texts. */
  readonly template?: string | undefined;
}

/** The template is monoT5's own, and the prompt what is left of it without the document. */
const DEFAULTS = {
  prompt: 'Query: {query} Relevant:',
  template: 'Query: {query} Document: {document} Relevant:',
} as const;

const slots = (...names: readonly string[]) =>
  z.string().refine((text) => names.every((name) => text.includes(name)), {
    error: ({ input }) => `expected a text with ${names.join(' and ')} in it, found ${JSON.stringify(input)}`,
  });

export const relevanceSchema: z.ZodType<Relevance> = z.strictObject({
  relevantToken: z.string().min(1),
  irrelevantToken: z.string().min(1).optional(),
  prompt: slots('{query}').optional(),
  template: slots('{query}', '{document}').optional(),
});

/** The words and texts with defaults filled in. */
export interface WholeRelevance extends Relevance {
  readonly prompt: string;
  readonly template: string;
}

export function wholeRelevance({ relevantToken, irrelevantToken, prompt, template }: Relevance): WholeRelevance {
  return {
    relevantToken,
    ...(irrelevantToken !== undefined && { irrelevantToken }),
    prompt: prompt ?? DEFAULTS.prompt,
    template: template ?? DEFAULTS.template,
  };
}

/** What is asked for, with the tokens of a model that it means. */
export interface RelevanceTokens {
  readonly said: WholeRelevance;
  /** The relevant token, followed by the irrelevant one where there is one. */
  readonly tokens: Int32Array;
}

/** @throws DkvError INPUT_INVALID for a text that is not one token of the model, or for one token twice */
export function relevanceTokens(tokenizer: Pick<Tokenizer, 'encode' | 'decode'>, asked: Relevance): RelevanceTokens {
  const said = wholeRelevance(asked);
  const { relevantToken, irrelevantToken } = said;
  const relevant = tokenOf(tokenizer, 'relevant', relevantToken);
  if (irrelevantToken === undefined) return { said, tokens: Int32Array.of(relevant) };
  const irrelevant = tokenOf(tokenizer, 'irrelevant', irrelevantToken);
  if (relevant === irrelevant) {
    throw new DkvError(
      'INPUT_INVALID',
      `The relevant token ${JSON.stringify(relevantToken)} and the irrelevant one ${JSON.stringify(irrelevantToken)} are the same of this model (id ${relevant}): there are no odds between them.`,
    );
  }
  return { said, tokens: Int32Array.of(relevant, irrelevant) };
}

function tokenOf(tokenizer: Pick<Tokenizer, 'encode' | 'decode'>, name: string, text: string): number {
  const ids = tokenizer.encode(text);
  if (ids.length === 1) return ids[0]!;
  const pieces = Array.from(ids, (id) => `${JSON.stringify(tokenizer.decode(Int32Array.of(id)))} (id ${id})`);
  throw new DkvError(
    'INPUT_INVALID',
    `The ${name} token has to be one token of this model; ${JSON.stringify(text)} is ${ids.length === 0 ? 'none' : `${ids.length}: ${pieces.join(', ')}`}. Name a word that its vocabulary has, with or without a space in front, as the model was trained to say it.`,
  );
}

/** A prompt or template with the texts in their places, as they are. */
export function filled(template: string, texts: { readonly query: string; readonly document?: string }): string {
  return template.replace(/\{(query|document)\}/g, (slot, name: 'query' | 'document') => texts[name] ?? slot);
}
