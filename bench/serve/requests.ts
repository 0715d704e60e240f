/** What is asked, in both ways: over HTTP, and of the library, by the same draws. */
import { adworldSamples } from '../../src/adworld/adworld.js';
import { adworldPools } from '../../src/adworld/pools.js';
import type { Random } from '../../src/base/random.js';
import type { Tokenizer } from '../../src/model/tokenizer/tokenizer.js';

export const QUERIES = adworldPools({ split: 'test', count: 50 }).map(({ query }) => query);

/** Documents of AdWorld; those behind the first hundreds are only primed while others are asked for. */
export function documentsOf(count: number): { readonly id: string; readonly text: string }[] {
  return adworldSamples({ split: 'test', count }).map(({ id, document }) => ({ id, text: document }));
}

/** Texts of so many tokens each, put together of advertisements. */
export function textsOf(tokenizer: Tokenizer, tokens: number, count: number): string[] {
  const all = documentsOf(count * 3);
  return Array.from({ length: count }, (_, at) => {
    const text = all
      .slice(at * 3, at * 3 + 3)
      .map((own) => own.text)
      .join(' ');
    return tokenizer.decode(tokenizer.encode(text).slice(0, tokens));
  });
}

/** One request: a single score, or a ranking of so many candidates, stored ones or texts. */
export interface Call {
  readonly kind: 'score' | 'rerank' | 'rerank texts';
  readonly pairs: number;
}

export function nameOf({ kind, pairs }: Call): string {
  return kind === 'score' ? kind : `${kind} ${pairs}`;
}

export interface Drawn {
  readonly query: string;
  readonly ids: readonly string[];
  readonly texts: readonly string[];
}

export function drawn({ pairs }: Call, random: Random, ids: readonly string[], texts: readonly string[]): Drawn {
  return {
    query: QUERIES[random.below(QUERIES.length)]!,
    ids: random.sample(ids, pairs),
    texts: Array.from({ length: pairs }, () => texts[random.below(texts.length)]!),
  };
}

export function httpRequest(
  { kind }: Call,
  { query, ids, texts }: Drawn,
  deadlineMs?: number,
): { readonly path: string; readonly body: string } {
  const deadline = deadlineMs === undefined ? {} : { deadline_ms: deadlineMs };
  if (kind === 'score') {
    return {
      path: '/v1/score',
      body: JSON.stringify({ items: [{ document_id: ids[0], target: query }], ...deadline }),
    };
  }
  const documents = kind === 'rerank' ? ids.map((id) => ({ id })) : texts;
  return { path: '/v1/rerank', body: JSON.stringify({ query, documents, ...deadline }) };
}
