/** Every pipeline that this program runs itself against Python's tokenizers, text to ids and ids to text. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { descriptionSchema } from '../../src/model/tokenizer/description.js';
import { type Codec, type Frame, frameOf, runPipeline } from '../../src/model/tokenizer/pipeline.js';
import { provenPipeline } from '../../src/model/tokenizer/pipelines.js';
import { type Companions, resolveSettings } from '../../src/model/tokenizer/settings.js';
import { gemma3Folder } from '../support/gemma3.js';
import {
  drawnRows,
  type Expected,
  type Family,
  type TransformersText,
  tokenizerFixture,
} from '../support/tokenizers.js';

const strings = tokenizerFixture<string[]>('strings');

describe.each(['byte-fallback', 'byte-level'])('%s pipelines', (family) => {
  const { tokenizer, pipelines } = tokenizerFixture<Family>(family);

  it.each(pipelines.map((pipeline) => [pipeline.name, pipeline] as const))('%s', (_, { changes, expected }) => {
    expectPython({ ...tokenizer, ...changes }, expected);
  });
});

describe("Gemma 3's own tokenizer", () => {
  const read = (name: string) => JSON.parse(readFileSync(path.join(gemma3Folder(), name), 'utf8'));
  const { expected, texts } = tokenizerFixture<{ expected: Expected; texts: TransformersText[] }>('gemma3');

  it("is Python's on all hard strings", () => expectPython(read('tokenizer.json'), expected));

  it('is that of transformers, for which <mask> is a control token by its class', () => {
    expectTransformers(read('tokenizer.json'), { tokenizerConfig: read('tokenizer_config.json') }, texts);
  });
});

it("The built-in model's own tokenizer is Python's on all hard strings", () => {
  const { expected } = tokenizerFixture<{ expected: Expected }>('built-in');
  expectPython(JSON.parse(readFileSync('models/tiny/tokenizer.json', 'utf8')), expected);
});

interface SettingsCase {
  readonly tokenizer: object;
  readonly settings: object;
  readonly texts: readonly TransformersText[];
}

describe('tokenizer_config.json', () => {
  it.each(tokenizerFixture<SettingsCase[]>('settings').map((one) => [JSON.stringify(one.settings), one] as const))(
    '%s',
    (_, { tokenizer, settings, texts }) => expectTransformers(tokenizer, { tokenizerConfig: settings }, texts),
  );
});

function running(json: object, companions: Companions = {}): { codec: Codec; frame: Frame; splitsSpecial: boolean } {
  const description = descriptionSchema.parse(json);
  const pipeline = provenPipeline(description);
  if ('refused' in pipeline) throw new Error(pipeline.refused);
  const resolved = resolveSettings(description, companions);
  if ('refused' in resolved) throw new Error(resolved.refused);
  const codec = runPipeline(pipeline, resolved.tokens);
  return { codec, frame: frameOf(pipeline), splitsSpecial: resolved.splitsSpecial };
}

function expectPython(json: object, expected: Expected): void {
  const { codec, frame } = running(json);
  for (const mode of ['keep', 'text'] as const) {
    const rows = strings.map((text) => [...frame.before, ...codec.encode(text, mode === 'text'), ...frame.after]);
    expectSame(`ids, ${mode}`, rows.map(String), expected[mode]);
    expectSame(`decoded, ${mode}`, rows.map(codec.decode), expected[`${mode}_decoded`]);
  }
  expectSame('drawn ids decoded', drawnRows(size(codec), strings.length).map(codec.decode), expected.drawn);
}

function expectTransformers(json: object, companions: Companions, texts: readonly TransformersText[]): void {
  const { codec, frame, splitsSpecial } = running(json, companions);
  const encode = (text: string, split: boolean) => [...frame.before, ...codec.encode(text, split), ...frame.after];
  for (const { text, keep, split, decoded } of texts) {
    expect(encode(text, splitsSpecial), text).toEqual(keep);
    expect(encode(text, true), text).toEqual(split);
    expect(codec.decode(keep), text).toBe(decoded);
  }
}

function expectSame(what: string, made: readonly string[], digests: string): void {
  expect(digests).toHaveLength(4 * made.length);
  const digestOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 4);
  const wrong = made.flatMap((text, i) =>
    digestOf(text) === digests.slice(4 * i, 4 * i + 4)
      ? []
      : [{ of: strings[i]?.slice(0, 60), made: text.slice(0, 100) }],
  );
  expect(wrong, what).toEqual([]);
}

/** How many ids a tokenizer has. */
function size(codec: Codec): number {
  let count = codec.highestId + 1;
  while (codec.tokenOf(count) !== undefined) count++;
  return count;
}
