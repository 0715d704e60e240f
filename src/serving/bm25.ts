/**
 * BM25 over the stored texts: the first stage that needs no model. Lucene's variant (Kamphuis et al. 2020): a term's weight is
 * ln(1 + (N - n + 0.5) / (n + 0.5)) * f / (f + k1 (1 - b + b * length / mean length)); a term that the query repeats counts as often.
 *
 * Terms are runs of letters and digits, lower-case; no stemming and no stop words, so that it depends on no language.
 */

import { counted } from '../base/counted.js';
import { DkvError } from '../base/errors.js';
import { inParallel, STORE_REQUESTS } from '../base/parallel.js';
import type { RequestOptions } from '../engine/engine.js';
import type { Store } from '../store/store.js';

const K1 = 1.2;
const B = 0.75;

interface Postings {
  /** The places of the documents that have the term, and how often they have it. */
  readonly places: number[];
  readonly counts: number[];
}

export class Bm25 {
  readonly #ids: string[] = [];
  readonly #places = new Map<string, number>();
  readonly #lengths: number[] = [];
  readonly #postings = new Map<string, Postings>();
  #terms = 0;

  get size(): number {
    return this.#ids.length;
  }

  /**
   * Adds a document to the index.
   * @param id an id that is not yet in the index
   */
  add(id: string, text: string): void {
    const terms = termsOf(text);
    const place = this.#ids.push(id) - 1;
    this.#places.set(id, place);
    this.#lengths.push(terms.length);
    this.#terms += terms.length;
    const counts = new Map<string, number>();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      let postings = this.#postings.get(term);
      if (!postings) {
        postings = { places: [], counts: [] };
        this.#postings.set(term, postings);
      }
      postings.places.push(place);
      postings.counts.push(count);
    }
  }

  /** Finds the best documents that share a term with the query, at most `count`. Equal scores are ordered by id, descending. */
  search(query: string, count: number): { readonly id: string; readonly score: number }[] {
    return [...this.#scores(query)]
      .map(([place, score]) => ({ id: this.#ids[place]!, score }))
      .sort((a, b) => b.score - a.score || (a.id < b.id ? 1 : -1))
      .slice(0, count);
  }

  /** Scores these documents, in their order: 0 for a document without a common term, undefined for one that is not in the index. */
  score(query: string, ids: readonly string[]): (number | undefined)[] {
    const scores = this.#scores(query);
    return ids.map((id) => {
      const place = this.#places.get(id);
      return place === undefined ? undefined : (scores.get(place) ?? 0);
    });
  }

  /** The scores of documents, by place. */
  #scores(query: string): Map<number, number> {
    const scores = new Map<number, number>();
    const meanLength = this.#terms / this.#ids.length;
    for (const term of termsOf(query)) {
      const { places, counts } = this.#postings.get(term) ?? { places: [], counts: [] };
      const weight = Math.log(1 + (this.#ids.length - places.length + 0.5) / (places.length + 0.5));
      for (const [i, place] of places.entries()) {
        const dampening = K1 * (1 - B + (B * this.#lengths[place]!) / meanLength);
        scores.set(place, (scores.get(place) ?? 0) + (weight * counts[i]!) / (counts[i]! + dampening));
      }
    }
    return scores;
  }
}

function termsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/**
 * Indexes every document of a store, each read once. Progress is told after each document; the total is not known before the end.
 * @throws DkvError INPUT_INVALID for a document that was stored without its text; CANCELLED
 */
export async function bm25Of(store: Store, { signal, onProgress }: RequestOptions = {}): Promise<Bm25> {
  const ids: string[] = [];
  for await (const id of store.ids()) ids.push(id);
  const index = new Bm25();
  await inParallel(ids, STORE_REQUESTS, async (id) => {
    if (signal?.aborted)
      throw new DkvError('CANCELLED', `Indexing was stopped after ${counted(index.size, 'document')}.`);
    // All variants are of one text.
    const [key] = Object.values((await store.entry(id))?.variants ?? {});
    const record = key === undefined ? undefined : await store.get(key);
    // Evicted or expired: it cannot be a candidate.
    if (!record) return;
    if (record.text === undefined) {
      throw new DkvError(
        'INPUT_INVALID',
        `Document ${JSON.stringify(id)} in ${store.location} was stored without its text, and BM25 needs the texts. Prime with texts, or name the candidates in a file.`,
      );
    }
    index.add(id, record.text);
    onProgress?.(index.size, ids.length);
  });
  return index;
}
