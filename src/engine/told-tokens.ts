/** What a caller has been told of its texts while they were written: each token once, also where a batch is tried again. */
import { DkvError } from '../base/errors.js';
import type { ChosenTokens, Generated, GenerateOptions } from './engine.js';
import type { TellTokens } from './runner.js';

/** A request whose caller may follow its texts. */
interface Followed {
  readonly options: Pick<GenerateOptions, 'onTokens'>;
  readonly told: ToldTokens;
  readonly isSettled: boolean;
}

interface Part<Request extends Followed> {
  readonly request: Request;
  /** The places in the request of the items that are in the batch. */
  readonly places: readonly number[];
}

export class ToldTokens {
  /** The token ids that were told, by the item's place in the request. */
  readonly #told = new Map<number, number[]>();

  /**
   * Takes the tokens of one item for told.
   * @param before the number of tokens that this try of the batch had chosen for the item already
   * @returns those that are to be told now; undefined where all of them were
   */
  next(item: number, before: number, { tokenIds, logProbabilities }: ChosenTokens): ChosenTokens | undefined {
    const told = this.#told.get(item) ?? [];
    this.#told.set(item, told);
    const known = told.length - before;
    if (known >= tokenIds.length) return undefined;
    const [ids, probabilities] =
      known > 0 ? [tokenIds.subarray(known), logProbabilities.subarray(known)] : [tokenIds, logProbabilities];
    told.push(...ids);
    return { item, tokenIds: ids, logProbabilities: probabilities };
  }

  /** Tells whether these are the tokens that were told of the item. Another try in other company may choose otherwise where two are about as likely. */
  are(item: number, tokenIds: Int32Array): boolean {
    const told = this.#told.get(item) ?? [];
    return told.length === tokenIds.length && told.every((id, at) => id === tokenIds[at]);
  }
}

/** Lists the places in the batch of the items whose callers are told their tokens. */
export function toldOf(parts: readonly Part<Followed>[]): number[] {
  const isTold = parts.flatMap(({ request, places }) => places.map(() => request.options.onTokens !== undefined));
  return [...isTold.keys()].filter((at) => isTold[at]);
}

/**
 * Makes the function that tells the callers of a batch, each for its own items, which tokens were chosen.
 * @param reject ends a request whose caller's function has thrown something
 * @returns undefined where nobody is told anything
 */
export function tellingOf<Request extends Followed>(
  parts: readonly Part<Request>[],
  reject: (request: Request, error: unknown) => void,
): TellTokens | undefined {
  if (parts.every(({ request }) => !request.options.onTokens)) return undefined;
  const items = parts.flatMap(({ request, places }) => places.map((place) => ({ request, place, chosen: 0 })));
  return (all) => {
    for (const own of all) {
      const item = items[own.item]!;
      const { request, place, chosen } = item;
      item.chosen += own.tokenIds.length;
      // What an item before it was told may have ended the request.
      if (request.isSettled) continue;
      try {
        const next = request.told.next(place, chosen, own);
        if (next) request.options.onTokens?.(next);
      } catch (error) {
        reject(request, error);
      }
    }
  };
}

/** The result of an item of a text, or an error where its tokens are not the ones that the caller was told. */
export function asTold({ options, told }: Followed, place: number, result: unknown): unknown {
  if (!options.onTokens || result instanceof DkvError || told.are(place, (result as Generated).tokenIds)) return result;
  return new DkvError(
    'ENGINE_FAILED',
    'A batch of texts failed, and when this text was written again its tokens differed from those that were told already. Ask again.',
  );
}
