import { readFileSync } from 'node:fs';
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/model/families/families.js';
import { type ControlTokens, loadTokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { loadTokenizerOf } from '../../src/scoring/load-model.js';
import { copyOfFixture, referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { gemma3Folder } from '../support/gemma3.js';

describe("Gemma 3's tokenizer", () => {
  // The tokenizer that T5Gemma 2 uses; ids made by Python's tokenizers, see tools/reference/make_text_fixtures.py.
  const texts: { text: string; ids: number[] }[] = JSON.parse(
    readFileSync(new URL('../fixtures/text/gemma3-tokens.json', import.meta.url), 'utf8'),
  );

  it(`gives Python's ids for ${texts.length} texts, and decodes them`, async () => {
    const folder = await temporaryFolder();
    await copyFile(path.join(gemma3Folder(), 'tokenizer.json'), path.join(folder, 'tokenizer.json'));
    const config = { ...(await readConfig(referenceFixture('one-kv-head'))), vocabularySize: 262_208 };
    const tokenizer = await loadTokenizer(folder, config, 'keep');
    for (const { text, ids } of texts) {
      expect([...tokenizer.encodeFramed(text)], JSON.stringify(text)).toEqual(ids);
      expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(ids.slice(1));
    }
    // Gemma's image token is added beyond the 262,144 words of T5Gemma 2.
    const small = await loadTokenizer(folder, { ...config, vocabularySize: 262_144 }, 'keep');
    expect(() => small.encode('see <image_soft_token>')).toThrow('holds <image_soft_token> (id 262144)');
    const plain = 'How much does the desk lamp cost?\nIt costs 24.90 €.';
    expect(tokenizer.decode(tokenizer.encodeFramed(plain))).toBe(plain);
    expect(tokenizer.decode(tokenizer.encode(''))).toBe('');
  }, 120_000);
});

describe('control tokens in texts', () => {
  const text = '<bos>A lamp<eos>\n\nand <pad>a chair<unk>';

  it('are text, unless they are to be kept', async () => {
    const asText = await load(referenceFixture('text'));
    const kept = await load(referenceFixture('text'), 'keep');
    expect([...kept.encode(text)].filter((id) => id < 4)).toEqual([2, 1, 0, 3]);
    expect([...asText.encode(text)].filter((id) => id < 4)).toEqual([]);
    expect(asText.decode(asText.encode(text))).toBe(text);
    expect(kept.decode(kept.encode(text))).toBe('A lamp\n\nand a chair');
    // The paragraph is an added token too, but no control token.
    for (const tokenizer of [asText, kept]) expect([...tokenizer.encode('a\n\nb')]).toContain(510);
    expect([...asText.encodeFramed('<bos>')][0]).toBe(2);
    expect([asText.controlTokens, kept.controlTokens]).toEqual(['text', 'keep']);
    expect(asText.digest).toBe(kept.digest);
  });

  it('are found, each once, whatever is made of them', async () => {
    for (const mode of ['text', 'keep'] as const) {
      const tokenizer = await load(referenceFixture('text'), mode);
      expect(tokenizer.controlTokensIn(`${text}<bos>`)).toEqual(['<bos>', '<eos>', '<pad>', '<unk>']);
      expect(tokenizer.controlTokensIn('< bos> and <\n\n>')).toEqual([]);
    }
  });
});

async function load(folder: string, controlTokens?: ControlTokens) {
  return loadTokenizer(folder, await readConfig(folder), controlTokens);
}

/** A copy of the fixture with another tokenizer.json, or another file beside it. */
async function changed(change: (json: Json) => Json, files: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const folder = await copyOfFixture('text');
  const file = path.join(folder, 'tokenizer.json');
  await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')))));
  for (const [name, content] of Object.entries(files))
    await writeFile(path.join(folder, name), JSON.stringify(content));
  return folder;
}

// biome-ignore lint/suspicious/noExplicitAny: a file of any form
type Json = any;

describe('loading a tokenizer', () => {
  it('says that the file is missing', async () => {
    await expect(load(referenceFixture('one-kv-head'))).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining('tokenizer.json: no such file'),
    });
    const older = await copyOfFixture('text');
    await rename(path.join(older, 'tokenizer.json'), path.join(older, 'spiece.model'));
    await expect(load(older)).rejects.toThrow('no such file: its tokenizer stands in spiece.model alone');
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

  // Python's tokenizers take the vocabulary's id, or the next one behind everything, and only log that the file says another.
  it.each([
    ['the added token "e" has the id 512, and gets', { content: 'e', id: 512 }],
    ['the added token "<more>" has the id 600, and gets 512', { content: '<more>', id: 600 }],
    ['it has the added token "<bos>" twice', { content: '<bos>', id: 2, lstrip: true }],
  ])('refuses ids and tokens that Python passes over: %s', async (message, token) => {
    const folder = await changed((json) => {
      json.added_tokens.push({ ...json.added_tokens.at(-1), ...token });
      return json;
    });
    await expect(load(folder)).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining(message),
    });
  });

  it('refuses a tokenizer that does not put BOS, and BOS alone, in front', async () => {
    const folder = await copyOfFixture('text');
    const file = path.join(folder, 'tokenizer.json');
    const json = JSON.parse(await readFile(file, 'utf8'));
    json.post_processor.single.push({ SpecialToken: { id: '<eos>', type_id: 0 } });
    json.post_processor.special_tokens['<eos>'] = { id: '<eos>', ids: [1], tokens: ['<eos>'] };
    await writeFile(file, JSON.stringify(json));
    await expect(loadTokenizerOf({ directory: folder, config: await readConfig(folder) })).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('an empty text becomes [2,1]; expected BOS alone, [2]'),
    });
  });

  it('does without tokenizer_config.json', async () => {
    const folder = await copyOfFixture('text');
    const with_ = await load(folder);
    await rm(path.join(folder, 'tokenizer_config.json'));
    const without = await load(folder);
    const text = 'The lamp costs\n24.90 euros — naïve ☕';
    expect(without.encodeFramed(text)).toEqual(with_.encodeFramed(text));
  });
});

describe('what decides token ids beside tokenizer.json', () => {
  const named = { tokenizer_class: 'PreTrainedTokenizerFast', bos_token: '<bos>' };
  const refusals: [string, (json: Json) => Json, Record<string, unknown>][] = [
    ['has auto_map', (json) => json, { 'tokenizer_config.json': { auto_map: { AutoTokenizer: ['a.B', null] } } }],
    [
      'has fast_tokenizer_files (tokenizer.4.0.0.json)',
      (json) => json,
      { 'tokenizer_config.json': { fast_tokenizer_files: ['tokenizer.4.0.0.json', 'tokenizer.json'].slice(0, 1) } },
    ],
    [
      'tokenizer_class is LlamaTokenizer',
      (json) => json,
      { 'tokenizer_config.json': { tokenizer_class: 'LlamaTokenizer' } },
    ],
    [
      'tokenizer_class is GemmaTokenizer, for which transformers builds another pre_tokenizer',
      (json) => json,
      { 'tokenizer_config.json': { tokenizer_class: 'GemmaTokenizer' } },
    ],
    [
      'the flags of "<bos>" in tokenizer_config.json are not those of tokenizer.json',
      (json) => json,
      {
        'tokenizer_config.json': {
          ...named,
          added_tokens_decoder: { 2: { content: '<bos>', lstrip: true, special: true } },
        },
      },
    ],
    [
      'added_tokens.json has "<more>"',
      (json) => json,
      { 'tokenizer_config.json': named, 'added_tokens.json': { '<more>': 700 } },
    ],
    // Transformers passes over the first and refuses the others.
    ...['image_token', 'bos_token'].map((key): (typeof refusals)[number] => [
      `${key} in tokenizer_config.json is an object without "__type"`,
      (json) => json,
      { 'tokenizer_config.json': { ...named, [key]: { content: 'lamp' } } },
    ]),
    [
      'extra_special_tokens in tokenizer_config.json is an object without "__type"',
      (json) => json,
      { 'tokenizer_config.json': { ...named, extra_special_tokens: [{ content: 'lamp' }] } },
    ],
    [
      'special_tokens_map.json has extra_special_tokens beside additional_special_tokens of tokenizer_config.json',
      (json) => json,
      {
        'tokenizer_config.json': { ...named, additional_special_tokens: ['lamp'] },
        'special_tokens_map.json': { extra_special_tokens: ['desk'] },
      },
    ],
  ];

  it.each(refusals)('refuses: %s', async (message, change, files) => {
    await expect(changed(change, files).then((folder) => load(folder))).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining(message),
    });
  });

  it('takes the class from config.json and tokens from special_tokens_map.json where tokenizer_config.json has none', async () => {
    const folder = await changed((json) => json, { 'tokenizer_config.json': {} });
    const plain = await load(folder, 'keep');
    await writeFile(path.join(folder, 'special_tokens_map.json'), JSON.stringify({ mask_token: { content: 'lamp' } }));
    const mapped = await load(folder, 'keep');
    expect(plain.controlTokensIn('a lamp')).toEqual([]);
    expect(mapped.controlTokensIn('a lamp')).toEqual(['lamp']);
    // What changes token ids changes the digest; what does not leaves it alone.
    expect(mapped.digest).not.toBe(plain.digest);
    const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8'));
    await writeFile(path.join(folder, 'config.json'), JSON.stringify({ ...config, tokenizer_class: 'LlamaTokenizer' }));
    await expect(load(folder)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it('takes the control tokens that tokenizer_config.json lists before those of special_tokens_map.json, as transformers does', async () => {
    const folder = await changed((json) => json, {
      'tokenizer_config.json': { ...named, additional_special_tokens: ['lamp'] },
      'special_tokens_map.json': { additional_special_tokens: ['desk'] },
    });
    expect((await load(folder)).controlTokensIn('lamp desk')).toEqual(['lamp']);
    await writeFile(path.join(folder, 'tokenizer_config.json'), JSON.stringify(named));
    expect((await load(folder)).controlTokensIn('lamp desk')).toEqual(['desk']);
  });

  it('takes a listed token for a control token as far as it says so, as transformers does', async () => {
    const token = { __type: 'AddedToken', content: 'lamp' };
    const folder = await changed((json) => json, {
      'tokenizer_config.json': {
        ...named,
        extra_special_tokens: [token, { ...token, content: 'desk', special: true }, 'sofa'],
      },
    });
    expect((await load(folder)).controlTokensIn('lamp desk sofa')).toEqual(['desk', 'sofa']);
    await writeFile(path.join(folder, 'tokenizer_config.json'), JSON.stringify(named));
    await writeFile(
      path.join(folder, 'special_tokens_map.json'),
      JSON.stringify({ extra_special_tokens: [{ content: 'lamp' }] }),
    );
    expect((await load(folder)).controlTokensIn('lamp desk')).toEqual(['lamp']);
  });

  it('refuses a settings file of another form, by its key', async () => {
    const folder = await changed((json) => json, { 'tokenizer_config.json': { split_special_tokens: 'yes' } });
    await expect(load(folder)).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining('split_special_tokens'),
    });
    await writeFile(path.join(folder, 'tokenizer_config.json'), '{');
    await expect(load(folder)).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
  });

  it('a named token that no model has is refused where a text holds it', async () => {
    const folder = await changed((json) => json, { 'tokenizer_config.json': { ...named, image_token: '<img>' } });
    const [kept, asText] = [await load(folder, 'keep'), await load(folder)];
    expect(() => kept.encode('see <img>')).toThrow("holds <img> (id 512), which this model's vocabulary of");
    expect(asText.decode(asText.encode('see <img>'))).toBe('see <img>');
  });

  it('reads split_special_tokens as transformers does', async () => {
    const folder = await changed((json) => json, { 'tokenizer_config.json': { ...named, split_special_tokens: true } });
    expect([...(await load(folder, 'keep')).encode('<bos>')]).toEqual([...(await load(folder)).encode('<bos>')]);
    // Stores and runs are told apart by what control tokens are, not by what was asked for.
    expect((await load(folder, 'keep')).controlTokens).toBe('text');
    expect((await load(referenceFixture('text'), 'keep')).controlTokens).toBe('keep');
  });

  it('takes the class that transformers takes for T5 where none is named', async () => {
    const folder = await changed((json) => json, { 'tokenizer_config.json': {} });
    await writeFile(path.join(folder, 'config.json'), JSON.stringify({ model_type: 't5', vocab_size: 512 }));
    await expect(loadTokenizer(folder, { vocabularySize: 512 })).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('tokenizer_class is T5Tokenizer'),
    });
  });
});

describe('text that no UTF-8 can hold', () => {
  it('is refused, with the place', async () => {
    const tokenizer = await load(referenceFixture('text'));
    for (const text of ['ab\ud800', 'ab\udc00c', 'ab\ude00\ud83d']) {
      expect(() => tokenizer.encode(text)).toThrow(/half of a surrogate pair, U\+D[8CE]00, at character 3/);
    }
    expect(tokenizer.decode(tokenizer.encode('ab😀'))).toBe('ab😀');
  });
});
