/** Any of a model's stop tokens ends a text, and which they are is no part of what was compiled. */
import { expect, it } from 'vitest';
import { allRows } from '../../src/engine/engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { engineHere } from '../support/engine-here.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

it('ends at the first of several stop tokens', async () => {
  const cacheDirectory = await temporaryFolder();
  const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
  const folders = new Set<string>();
  const generate = async (stopTokenIds: readonly number[], temperature = 0) => {
    const options = { precision: 'float32', embeddingScale: 'exact', cacheDirectory } as const;
    const model = await compileModel({ ...checkpoint, config: { ...checkpoint.config, stopTokenIds } }, options);
    folders.add(model.directory);
    const engine = engineHere(model, { device: 'cpu' });
    const [states] = await engine.encode([{ tokenIds: Int32Array.of(2, 40, 41, 42, 43, 44) }]);
    const [made] = await engine.generate([
      {
        memory: [allRows(states!)],
        prompt: Int32Array.of(7),
        maxTokens: 24,
        ...(temperature > 0 && { sampling: { temperature, topP: 1, seed: 5 } }),
      },
    ]);
    await engine.close();
    return { tokenIds: [...made!.tokenIds], stop: made!.stop };
  };
  for (const temperature of [0, 1]) {
    // A number that no token has: nothing ends this one.
    const { tokenIds: all, stop } = await generate([319_000], temperature);
    expect([all.length, stop]).toEqual([24, 'length']);
    const [early, late] = [all[4]!, all[9]!];
    expect(all.indexOf(late)).toBeGreaterThan(all.indexOf(early));
    const until = { tokenIds: all.slice(0, all.indexOf(early)), stop: 'end' };
    expect(await generate([early], temperature)).toEqual(until);
    expect(await generate([late, early], temperature)).toEqual(until);
    expect(await generate([late], temperature)).toEqual({ tokenIds: all.slice(0, all.indexOf(late)), stop: 'end' });
  }
  expect(folders.size).toBe(1);
});
