import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { EncodeItem } from '../../src/engine/engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { weightBytes } from '../../src/model/compiled.js';
import { familyOf } from '../../src/model/families/families.js';
import { buildEncoder } from '../../src/model/graph/encoder.js';
import { CPU } from '../../src/model/graph/target.js';
import { engineHere } from '../support/engine-here.js';
import { FAMILY_FIXTURES, referenceFixture } from '../support/fixtures.js';

const cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-token-rows-'));
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));

const items: EncodeItem[] = [1, 9, 12, 40].map((length) => ({
  tokenIds: Int32Array.from({ length }, (_, i) => 3 + ((i * 31 + length) % 90)),
}));

describe('rows of tokens that the host brings', () => {
  it.each([
    ['T5Gemma 2', 'float32', referenceFixture('one-kv-head')],
    ['T5Gemma 2', 'bfloat16', referenceFixture('several-kv-heads')],
    ['T5Gemma 2', 'float16', referenceFixture('several-kv-heads')],
    ['T5', 'bfloat16', path.join(FAMILY_FIXTURES.T5ForConditionalGeneration!, 'gated-untied')],
    ['BART', 'float32', path.join(FAMILY_FIXTURES.BartForConditionalGeneration!, 'scaled')],
  ] as const)('are those of the table, bit for bit: %s as %s', async (_, precision, directory) => {
    const checkpoint = await openCheckpoint(directory);
    const model = await compileModel(checkpoint, { precision, embeddingScale: 'exact', cacheDirectory });
    const [usual, brought] = await Promise.all(
      [false, true].map(async (givenRows) => {
        const engine = engineHere(model, { device: 'cpu', givenRows });
        const [layer] = await engine.probe(items.slice(1), { hidden: [0], attention: [] });
        const states = await engine.encode(items);
        await engine.close();
        return [...states, layer!.hidden.get(0)!].map(({ data }) => data);
      }),
    );
    expect(brought).toEqual(usual);
    const { table: named } = familyOf(model.config);
    const table = model.tensors.find(({ name }) => name === named)!;
    const held = (givenRows: boolean) => weightBytes({ ...model, target: { ...CPU, givenRows } }, buildEncoder);
    expect(held(false) - held(true)).toBe(table.sizeBytes);
  });
});
