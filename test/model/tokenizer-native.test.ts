/** The native tokenizers package for pipelines that this program does not run itself; and what is said where it is not there. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readConfig } from '../../src/model/families/families.js';
import { descriptionSchema } from '../../src/model/tokenizer/description.js';
import { LiteralTokens } from '../../src/model/tokenizer/literal-tokens.js';
import * as native from '../../src/model/tokenizer/native.js';
import { runPipeline } from '../../src/model/tokenizer/pipeline.js';
import { provenPipeline } from '../../src/model/tokenizer/pipelines.js';
import { type ControlTokens, loadTokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { copyOfFixture } from '../support/fixtures.js';
import { type Family, tokenizerFixture } from '../support/tokenizers.js';

// biome-ignore lint/suspicious/noExplicitAny: a file of any form
type Json = any;

async function changed(change: (json: Json) => void): Promise<string> {
  const folder = await copyOfFixture('text');
  const file = path.join(folder, 'tokenizer.json');
  const json = JSON.parse(await readFile(file, 'utf8'));
  change(json);
  await writeFile(file, JSON.stringify(json));
  return folder;
}

async function load(folder: string, controlTokens?: ControlTokens) {
  const tokenizer = await loadTokenizer(folder, await readConfig(folder), controlTokens);
  onTestFinished(() => tokenizer.close());
  return tokenizer;
}

describe('the native package', () => {
  it('gives, called in the midst of other work, what this program gives where both run', async () => {
    const strings = tokenizerFixture<string[]>('strings');
    for (const family of ['byte-fallback', 'byte-level']) {
      const { tokenizer, pipelines } = tokenizerFixture<Family>(family);
      const flagged = pipelines.find(({ name }) => name === 'added tokens with all flags')!;
      const json = { ...tokenizer, ...flagged.changes } as Record<string, unknown>;
      const description = descriptionSchema.parse(json);
      const own = provenPipeline(description);
      if ('refused' in own) throw new Error(own.refused);
      const codec = runPipeline(own, description.added_tokens);
      const beside = (await native.nativeCodec(json, description.added_tokens))!;
      onTestFinished(() => beside.codec.close());
      for (const text of strings) {
        for (const split of [true, false]) {
          const ids = codec.encode(text, split);
          expect(beside.codec.encode(text, split), text).toEqual(ids);
          expect(beside.codec.decode(ids), text).toBe(codec.decode(ids));
        }
      }
      expect(beside.codec.highestId).toBe(codec.highestId);
      expect(beside.frame).toEqual({ before: family === 'byte-level' ? [] : [2], after: [] });
    }
  });

  it('answers nothing after it was closed, and is not asked by who tells what texts held', async () => {
    const folder = await changed((json) => {
      json.normalizer = { type: 'Sequence', normalizers: [{ type: 'Lowercase' }, json.normalizer] };
    });
    const tokenizer = await load(folder);
    const literals = new LiteralTokens(tokenizer);
    literals.see('what <eos> ends');
    await tokenizer.close();
    expect(literals.described('texts')).toMatch(/^1 texts with control tokens as they are written \(<eos>\)/);
    expect(() => tokenizer.encode('lamp')).toThrowError(expect.objectContaining({ code: 'ENGINE_CLOSED' }));
  });

  it('refuses a text that it cannot read, and reads the next', async () => {
    const { tokenizer, pipelines } = tokenizerFixture<Family>('t5');
    const json: Json = { ...tokenizer, ...pipelines[0]!.changes, normalizer: null };
    json.model = { ...json.model, unk_id: null };
    const description = descriptionSchema.parse({ ...json, model: { ...json.model, unk_id: 0 } });
    const { codec } = (await native.nativeCodec(json, description.added_tokens))!;
    onTestFinished(() => codec.close());
    expect(() => codec.encode('\u{13000}', false)).toThrowError(expect.objectContaining({ code: 'INPUT_INVALID' }));
    expect(codec.encode('a', false)).not.toEqual([]);
  });

  it('runs what this program does not: Lowercase, and a token that is a word of its own', async () => {
    const folder = await changed((json) => {
      json.normalizer = { type: 'Sequence', normalizers: [{ type: 'Lowercase' }, json.normalizer] };
      Object.assign(json.added_tokens.at(-1), { content: 'lamp', single_word: true });
    });
    const tokenizer = await load(folder);
    expect([...tokenizer.encode('a LAMP ΟΔΟΣ')]).toEqual([...tokenizer.encode('a LAMP οδος'.replace('ς', 'σ'))]);
    expect([...tokenizer.encode('lamp')]).toEqual([511]);
    expect([...tokenizer.encode('lamps')]).not.toContain(511);
    expect(tokenizer.decode(tokenizer.encode('A <bos> Chair'))).toBe('a <bos> chair');
    expect([...(await load(folder, 'keep')).encodeFramed('<bos>')]).toEqual([2, 2]);
    expect(tokenizer.controlTokensIn('<bos>')).toEqual(['<bos>']);
  });

  it('runs no dropout, with which a text has other tokens every time', async () => {
    const folder = await changed((json) => {
      json.model.dropout = 0.1;
    });
    await expect(load(folder)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('dropout'),
    });
  });

  it('says what is wrong with a file', async () => {
    const damaged = await changed((json) => {
      json.normalizer = { type: 'NoSuchNormalizer' };
    });
    await expect(load(damaged)).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining('not a usable tokenizer: data did not match'),
    });
    const overlapping = await changed((json) => {
      json.normalizer = { type: 'Lowercase' };
      json.added_tokens.push({ ...json.added_tokens.at(-1), id: 512, content: 's>' });
    });
    await expect(load(overlapping)).rejects.toThrow('the added token "s>" overlaps with the control token "<eos>"');
    const shifted = await changed((json) => {
      json.normalizer = { type: 'Lowercase' };
      json.added_tokens.at(-1).id = 600;
    });
    await expect(load(shifted)).rejects.toThrow('has the id 600, and gets 511');
  });
});

/** Of the fixture's tokenizer.json other parts, or options of its own parts. */
type Change = Readonly<Record<string, object | null>>;

function withChange(json: Json, change: Change): void {
  for (const [part, value] of Object.entries(change)) {
    json[part] = value === null || 'type' in value ? value : { ...json[part], ...value };
  }
}

describe('without the native package', () => {
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const unproven: [string, Change][] = [
    [
      'its normalizer Sequence of Lowercase, Replace (',
      { normalizer: { type: 'Sequence', normalizers: [{ type: 'Lowercase' }, replace] } },
    ],
    [
      'its normalizer Strip (strip_left true, strip_right true)',
      { normalizer: { type: 'Strip', strip_left: true, strip_right: true } },
    ],
    ['its pre_tokenizer Whitespace', { pre_tokenizer: { type: 'Whitespace' } }],
    ['its pre_tokenizer WhitespaceSplit', { pre_tokenizer: { type: 'WhitespaceSplit' } }],
    ['its pre_tokenizer Split (pattern {"Regex":"\\\\w+"}', { pre_tokenizer: { pattern: { Regex: '\\w+' } } }],
    [
      'its pre_tokenizer Metaspace (replacement "▁", prepend_scheme "never")',
      { pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never' } },
    ],
    ['continuing_subword_prefix "##"', { model: { continuing_subword_prefix: '##' } }],
    ['end_of_word_suffix "</w>"', { model: { end_of_word_suffix: '</w>' } }],
    ['its model WordPiece (unk_token "<unk>")', { model: { type: 'WordPiece', vocab: {}, unk_token: '<unk>' } }],
    ['its decoder WordPiece', { decoder: { type: 'WordPiece', prefix: '##', cleanup: true } }],
    ['its post_processor null', { post_processor: null }],
    [
      'its normalizer Precompiled (precompiled_charsmap "AAAA")',
      { normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } },
    ],
  ];

  it.each(unproven)('refuses by name: %s', async (message, change) => {
    await expectRefused(await changed((json) => withChange(json, change)), message);
  });

  it('refuses by name: single_word', async () => {
    const folder = await changed((json) => Object.assign(json.added_tokens.at(-1), { single_word: true }));
    await expectRefused(folder, 'the added token "\\n" with single_word');
  });

  it('refuses by name: single_word of a token that tokenizer_config.json brings', async () => {
    const folder = await copyOfFixture('text');
    const more = { __type: 'AddedToken', content: '<more>', single_word: true };
    await writeFile(path.join(folder, 'tokenizer_config.json'), JSON.stringify({ sep_token: more }));
    await expectRefused(folder, 'the added token "<more>" with single_word');
  });

  async function expectRefused(folder: string, message: string): Promise<void> {
    vi.spyOn(native, 'nativeCodec').mockResolvedValue(undefined);
    onTestFinished(() => void vi.restoreAllMocks());
    const failure = await load(folder).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'MODEL_UNSUPPORTED', message: expect.stringContaining(message) });
    expect((failure as Error).message).toContain('npm install tokenizers@0.23.2');
  }
});
