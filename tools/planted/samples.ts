/** AdWorld's samples as plants take them: rows of the document, prefixes of `bos`, the answer to score. */
import { openDataset } from '../../src/datasets/open.js';
import { hiddenBos } from '../../src/experiments/catalogue/hidden-bos.js';
import { planOf } from '../../src/experiments/plan/plan.js';
import { unitsOf } from '../../src/experiments/plan/unit.js';
import type { Sample } from '../../src/samples/sample.js';
import type { Model } from '../../src/scoring/load-model.js';
import { PREFIXES, type Prefix, type Prepared } from './cells.js';
import { chanceOf, documentsRows, framed, joined } from './engine.js';

export interface Source {
  readonly samples: readonly Sample[];
  /** Of samples by their places: encodes them. */
  prepared(places: readonly number[]): Promise<Prepared[]>;
}

export async function sourceOf({ engine, tokenizer }: Model, count: number): Promise<Source> {
  const data = await openDataset('adworld', { seed: hiddenBos.seed, count, rule: 'standard', padding: 0, columns: [] });
  const scored = unitsOf(data);
  const plan = planOf(hiddenBos, scored, tokenizer);
  const frame = framed(tokenizer);
  return {
    samples: data.samples,
    async prepared(places) {
      const texts = places.map((place) => {
        const unit = scored.units[place]!;
        const { document, query, answer } = unit.sample;
        const ids = { document: tokenizer.encode(document), query: tokenizer.encode(query) };
        const prefixes = Object.fromEntries(
          PREFIXES.map((prefix) => {
            const own = tokenizer.encode(plan.prefix(prefix, unit));
            const tokenIds = joined(frame.bos, own, frame.line, ids.document);
            return [prefix, { isQuery: own.join() === ids.query.join(), chance: () => chanceOf(tokenIds) }];
          }),
        ) as unknown as Record<Prefix, Prepared['prefixes'][Prefix]>;
        return { ids, prefixes, target: tokenizer.encode(answer) };
      });
      const rows = await documentsRows(
        engine,
        frame,
        texts.map(({ ids }) => ids),
      );
      return texts.map(({ prefixes, target }, i) => ({ rows: rows[i]!, prefixes, target }));
    },
  };
}
