/** T5's and mT5's tokenizers against Python's, text to ids and ids to text: 5,000 strings for every form that this program runs. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { splitGraphemes } from 'unicode-segmenter/grapheme';
import { describe, expect, it } from 'vitest';
import { type Description, descriptionSchema } from '../../src/model/tokenizer/description.js';
import { frameOf, runPipeline } from '../../src/model/tokenizer/pipeline.js';
import { provenPipeline } from '../../src/model/tokenizer/pipelines.js';
import { parseAsRust, readAsRust } from '../../src/model/tokenizer/rust-numbers.js';
import { resolveSettings } from '../../src/model/tokenizer/settings.js';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { temporaryFolder } from '../support/fixtures.js';
import { drawnRows, type TransformersText, tokenizerFixture, unigramFixture } from '../support/tokenizers.js';

interface Expected {
  /** Per string the first hex digit of SHA-256, and one of all. */
  readonly keep: string;
  readonly keep_all: string;
  readonly text: string;
  readonly text_all: string;
  /** Of the texts of drawn ids. */
  readonly drawn: string;
}

interface Family {
  readonly tokenizer: object;
  readonly pipelines: readonly { readonly name: string; readonly changes: object; readonly expected: Expected }[];
}

interface SettingsCase {
  readonly pipeline: string;
  readonly settings: object;
  readonly special_tokens_map: object | null;
  readonly texts: readonly TransformersText[];
}

interface T5Family extends Family {
  readonly settings: readonly SettingsCase[];
  readonly numbers: readonly (readonly [numeral: string, read: string])[];
  readonly last_bits: {
    readonly tokenizer: object;
    readonly text: string;
    readonly as_file: readonly number[];
    readonly as_t5_tokenizer: readonly number[];
  };
}

const strings = tokenizerFixture<string[]>('unigram-strings');
const t5 = unigramFixture<T5Family>('t5');

function running(description: Description) {
  const pipeline = provenPipeline(description);
  if ('refused' in pipeline) throw new Error(pipeline.refused);
  const codec = runPipeline(pipeline, description.added_tokens);
  const { before, after } = frameOf(pipeline);
  const encode = (text: string, split: boolean) => [...before, ...codec.encode(text, split), ...after];
  const size = Math.max(codec.highestId, ...description.added_tokens.map(({ id }) => id)) + 1;
  return { encode, decode: codec.decode, size };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe.each([
  ['t5', t5],
  ['mt5', unigramFixture<Family>('mt5')],
] as const)('%s pipelines', (_, { tokenizer, pipelines }) => {
  it.each(pipelines.map((pipeline) => [pipeline.name, pipeline] as const))('%s', (__, { changes, expected }) => {
    const json = JSON.stringify({ ...tokenizer, ...changes });
    const { encode, decode, size } = running(descriptionSchema.parse(parseAsRust(json)));
    for (const mode of ['keep', 'text'] as const) {
      const made = strings.map((text) => {
        const ids = encode(text, mode === 'text');
        return { text, ids, decoded: decode(ids) };
      });
      const digests = made.map(({ ids, decoded }) => sha256(`${ids}\0${decoded}`));
      const wrong = made.filter((_row, i) => digests[i]![0] !== expected[mode][i]);
      expect(wrong.slice(0, 5), `${wrong.length} strings differ, ${mode}`).toEqual([]);
      expect(sha256(digests.join('')), `a string differs that its first digit does not show, ${mode}`).toBe(
        expected[`${mode}_all`],
      );
    }
    expect(sha256(drawnRows(size, 500).map(decode).join('\n'))).toBe(expected.drawn);
  });
});

describe('T5Tokenizer of transformers', () => {
  const changesOf = (name: string) => t5.pipelines.find((pipeline) => pipeline.name === name)!.changes;

  it.each(
    t5.settings.map((one) => {
      const { added_tokens_decoder, ...told } = one.settings as Record<string, unknown>;
      const title = `${one.pipeline}, ${JSON.stringify(told).slice(0, 90)}${added_tokens_decoder ? ', with its tokens' : ''}`;
      return [title, one] as const;
    }),
  )('%s', (_, { pipeline, settings, special_tokens_map, texts }) => {
    const json = JSON.stringify({ ...t5.tokenizer, ...changesOf(pipeline) });
    const resolved = resolveSettings(descriptionSchema.parse(JSON.parse(json)), {
      tokenizerConfig: settings,
      modelType: 't5',
      ...(special_tokens_map && { specialTokensMap: special_tokens_map }),
    });
    if ('refused' in resolved) throw new Error(resolved.refused);
    const { tokens, splitsSpecial, built } = resolved;
    const description = built ?? descriptionSchema.parse(parseAsRust(json));
    const { encode, decode } = running({ ...description, added_tokens: [...tokens] });
    for (const { text, keep, split, decoded } of texts) {
      expect(encode(text, splitsSpecial), text).toEqual(keep);
      expect(encode(text, true), text).toEqual(split);
      expect(decode(keep), text).toBe(decoded);
    }
  });

  it.each([
    ['extra_ids is 7 where additional_special_tokens has 1 of that name', { extra_ids: 7 }],
    ['there is no eos_token', { eos_token: null }],
  ])('is refused where transformers fails: %s', (message, settings) => {
    const resolved = resolveSettings(descriptionSchema.parse(t5.tokenizer), {
      tokenizerConfig: { tokenizer_class: 'T5Tokenizer', ...settings },
      ...('extra_ids' in settings && { specialTokensMap: { additional_special_tokens: ['<extra_id_0>'] } }),
    });
    expect(resolved).toEqual({ refused: expect.stringContaining(message) });
  });
});

describe('what has not been proven', () => {
  const metaspace = (fields: object) => ({ type: 'Metaspace', replacement: '▁', ...fields });
  const behindSplit = (part: object) => ({
    type: 'Sequence',
    pretokenizers: [{ type: 'WhitespaceSplit' }, part],
  });
  const { normalizer, model } = t5.tokenizer as { normalizer: object; model: { vocab: unknown[] } };
  const strip = (side: string) => ({
    type: 'Sequence',
    normalizers: [
      normalizer,
      { type: 'Strip', strip_left: side === 'left', strip_right: side === 'right' },
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '▁' },
    ],
  });
  const token = { id: 2000, content: 'lamp', single_word: false, lstrip: false, rstrip: false, special: false };
  const first = metaspace({ prepend_scheme: 'first' });

  it.each<[string, object]>([
    ['its pre_tokenizer Sequence of WhitespaceSplit, Metaspace', { pre_tokenizer: behindSplit(first) }],
    ['its pre_tokenizer WhitespaceSplit', { pre_tokenizer: { type: 'WhitespaceSplit' } }],
    ['its pre_tokenizer Metaspace (replacement "_"', { pre_tokenizer: metaspace({ replacement: '_' }) }],
    ['split false', { pre_tokenizer: metaspace({ split: false }) }],
    // Python refuses a file that says both.
    ['add_prefix_space false', { pre_tokenizer: metaspace({ add_prefix_space: false }) }],
    ['behind Strip (strip_left true', { pre_tokenizer: first, normalizer: strip('left') }],
    [
      'beside the added token "lamp", which is normalized',
      { pre_tokenizer: first, added_tokens: [{ ...token, normalized: true }] },
    ],
    [
      'its normalizer Sequence of Precompiled, Strip (',
      { normalizer: { ...strip('right'), normalizers: strip('right').normalizers.slice(0, 2) } },
    ],
    ['its normalizer NFKC', { normalizer: { type: 'NFKC' } }],
    ['its model Unigram (unk_id null', { model: { ...model, unk_id: null } }],
    ['alpha 0.1', { model: { ...model, alpha: 0.1 } }],
    [
      'its decoder Sequence of ByteFallback, Metaspace',
      { decoder: { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, metaspace({})] } },
    ],
    ['its decoder null', { decoder: null }],
  ])('is refused by name: %s', (message, change) => {
    const description = descriptionSchema.parse({ ...t5.tokenizer, ...change });
    expect(provenPipeline(description)).toEqual({ refused: expect.stringContaining(message) });
  });

  it.each<[string, object]>([
    ['its unk_id is 1300, in a vocabulary of 1300', { model: { ...model, unk_id: 1300 } }],
    ['its character map is not base64', { normalizer: { type: 'Precompiled', precompiled_charsmap: 'A-' } }],
    ['it points outside of itself', { normalizer: { type: 'Precompiled', precompiled_charsmap: '' } }],
    // The size of a longer array; a leaf that lies outside of it; a replacement outside of the text.
    ...[
      [8, 0],
      [4, 0x100 | (5 << 10)],
      [8, 0x100, 0x80000009],
    ].map((units): [string, object] => [
      'it points outside of itself',
      {
        normalizer: {
          type: 'Precompiled',
          precompiled_charsmap: Buffer.from(Uint32Array.from(units).buffer).toString('base64'),
        },
      },
    ]),
  ])('fails where it contradicts itself: %s, %#', (message, change) => {
    expect(() => running(descriptionSchema.parse({ ...t5.tokenizer, ...change }))).toThrow(message);
  });
});

it("grapheme clusters begin and end where Python's tokenizers see that", () => {
  type Ranges = readonly (readonly [from: number, to: number])[];
  const expected = tokenizerFixture<Record<'joining' | 'controls' | 'prepended' | 'pictures', Ranges>>('graphemes');
  const isOne = (text: string) => [...splitGraphemes(text)].length === 1;
  const found = { joining: [], controls: [], prepended: [], pictures: [] } as Record<string, number[][]>;
  const note = (name: string, code: number) => {
    const last = found[name]!.at(-1);
    if (last?.[1] === code - 1) last[1] = code;
    else found[name]!.push([code, code]);
  };
  for (let code = 1; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    if (isOne(`X${character}`)) {
      note('joining', code);
      continue;
    }
    if (isOne(`\u00a9\u200d${character}`)) note('pictures', code);
    // What is longer than five bytes with its neighbour is never looked up as one.
    if (code >= 0x10000) continue;
    if (!isOne(`${character}\u0301`)) note('controls', code);
    else if (isOne(`${character}a`)) note('prepended', code);
  }
  expect(found).toEqual(expected);
});

it("numbers are read as Rust's parser of JSON reads them, which rounds twice", () => {
  for (const [numeral, read] of t5.numbers) expect(readAsRust(numeral), numeral).toBe(Number(read));
  expect(t5.numbers.filter(([numeral]) => readAsRust(numeral) !== Number(numeral)).length).toBeGreaterThan(20);
});

it("a score's last bit decides as it does in Python: as Rust reads it from a file, as Python reads it for T5Tokenizer", async () => {
  const { tokenizer, text, as_file, as_t5_tokenizer } = t5.last_bits;
  const load = async (settings: object) => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
    await writeFile(path.join(folder, 'tokenizer_config.json'), JSON.stringify(settings));
    return loadTokenizer(folder, { vocabularySize: 100 });
  };
  const asFile = await load({ tokenizer_class: 'PreTrainedTokenizerFast' });
  const asBuilt = await load({ tokenizer_class: 'T5Tokenizer', extra_ids: 0 });
  expect([...asFile.encodeFramed(text)]).toEqual(as_file);
  expect([...asBuilt.encodeFramed(text)]).toEqual(as_t5_tokenizer);
  // Stores and runs are told apart by it.
  expect(asFile.digest).not.toBe(asBuilt.digest);
});
