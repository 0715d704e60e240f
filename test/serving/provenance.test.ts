/** What 16 bits on a device have made is not what the same weights make on the CPU: no store mixes them. */
import { expect, it, onTestFinished } from 'vitest';
import { computedAs, targetOf } from '../../src/model/graph/target.js';
import { loadModel } from '../../src/scoring/load-model.js';
import { expectProvenance, provenanceOf, writeProvenance } from '../../src/serving/provenance.js';
import { openStore } from '../../src/store/open.js';

it('a store that a device computed in 16 bits is refused by name', async () => {
  const model = await loadModel(undefined, { precision: 'float16' });
  const store = await openStore('memory:');
  onTestFinished(async () => {
    await Promise.all([model.close(), store.close()]);
  });
  const options = { statesPrecision: 'float32', visibility: 'full', maxTokens: 512 } as const;
  const modelPrecision = computedAs('float16', targetOf('float16', 'cuda'));
  await writeProvenance(store, { ...provenanceOf(model, options), fingerprint: '12'.repeat(32), modelPrecision });
  await expect(expectProvenance(store, model)).rejects.toMatchObject({
    code: 'STORE_MISMATCH',
    message: expect.stringMatching(/was primed with .*modelPrecision float16 on cuda; now .*modelPrecision float16 is/),
  });
  await writeProvenance(store, provenanceOf(model, options));
  expect((await expectProvenance(store, model)).provenance.modelPrecision).toBe('float16');
});
