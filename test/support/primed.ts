/** Documents primed into a store, by the model that comes with this package. */
import { onTestFinished } from 'vitest';
import type { Pool } from '../../src/datasets/sample.js';
import type { Model } from '../../src/load-model.js';
import { present } from '../../src/priming/condition.js';
import { BARE, documentMetadata, primedBy, writePrimed } from '../../src/serving/primed.js';
import { identityOf, visibleStates } from '../../src/store/identity.js';
import { openStore } from '../../src/store/open.js';
import type { CacheRecord, StatesPrecision, Store } from '../../src/store.js';

export interface DocumentToStore {
  readonly id: string;
  readonly text: string;
  /** By variant what stands before the document; undefined for nothing. `bare` alone when left out. */
  readonly prefixes?: Readonly<Record<string, string | undefined>>;
  readonly priors?: Readonly<Record<string, number>>;
}

/** Into a store in memory, when none is given, that closes with the test. */
export async function storeOf(
  model: Model,
  documents: readonly DocumentToStore[],
  {
    store,
    precision = 'float32',
    withText = true,
  }: { store?: Store; precision?: StatesPrecision; withText?: boolean } = {},
): Promise<Store> {
  const target = store ?? (await openStore('memory:'));
  if (!store) onTestFinished(() => target.close());
  const options = { statesPrecision: precision, visibility: 'exact', maxTokens: 2048 } as const;
  await writePrimed(target, primedBy(model, options));
  const by = { fingerprint: model.fingerprint, modelPrecision: model.engine.info.precision };
  for (const { id, text, prefixes = { [BARE]: undefined }, priors } of documents) {
    const records: Record<string, CacheRecord> = {};
    for (const [variant, prefix] of Object.entries(prefixes)) {
      const presented = present(model.tokenizer, { visibility: 'exact' }, text, prefix, options);
      const [states] = await model.engine.encode([presented.item]);
      records[variant] = {
        ...identityOf(presented, 'exact', by, precision),
        states: visibleStates(states!, presented.visible),
        surrogate: prefix ?? null,
        metadata: {},
        ...(withText && { text }),
      };
    }
    const metadata = documentMetadata({ fields: {}, ...(priors && { priors }) });
    await target.putDocument(id, records, { metadata });
  }
  return target;
}

/** The candidates of pools as documents, each once. */
export function documentsOf(pools: readonly Pool[]): DocumentToStore[] {
  const documents = new Map<string, DocumentToStore>();
  for (const { candidates } of pools)
    for (const { id, document } of candidates) documents.set(id, { id, text: document });
  return [...documents.values()];
}
