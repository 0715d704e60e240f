/** Texts from stored documents and from texts, with the built-in model; pieces of text on tokenizers that have bytes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adworldPools } from '../../src/adworld/pools.js';
import { DkvError, isResult } from '../../src/base/errors.js';
import type { PhaseTimes } from '../../src/engine/engine.js';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { type GeneratedText, generate, generateTexts, type WrittenPart } from '../../src/serving/generate.js';
import { BARE } from '../../src/serving/variants.js';
import { TextPieces, WrittenText } from '../../src/serving/written-text.js';
import { keyOfVariant } from '../../src/store/records/entry.js';
import type { DocumentEntry } from '../../src/store/store.js';
import { documentsOf, primedStore } from '../support/primed-store.js';
import { type Family, tokenizerFixture } from '../support/tokenizers.js';

const documents = documentsOf(adworldPools({ split: 'test', count: 2 })).slice(0, 3);
const surrogates = ['static:What is it?'];
/** Hot enough that a text goes on to its largest number of tokens. */
const sampling = { temperature: 20, topP: 1, seed: 7 };

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const sound = (own: GeneratedText | DkvError | undefined) => {
  if (!isResult(own!)) throw own;
  return own as GeneratedText;
};

describe('generate', () => {
  it('writes from stored documents what the engine writes, and the same from their texts', async () => {
    const store = await primedStore(model, documents);
    const wanted = documents.map(({ id }, i) => ({
      ...{ id, prompt: i === 1 ? 'a' : '', maxTokens: 12 + i },
      ...(i === 2 && { sampling }),
    }));
    const texts = (await generate(model, store, wanted)).map(sound);
    const again = await generateTexts(
      model,
      wanted.map(({ id, ...own }, i) => ({ ...own, document: documents[i]!.text })),
      { maxTokens: 2048 },
    );
    for (const [i, { text, tokenIds, logProbabilities, pieces, promptTokens, finish }] of texts.entries()) {
      const prompt = model.tokenizer.encode(wanted[i]!.prompt);
      const [entry] = await store.entries([wanted[i]!.id]);
      const key = keyOfVariant(entry as DocumentEntry, BARE)!;
      const memory = { source: store, key: store.namedStates(key), fingerprints: [model.fingerprint] };
      const [own] = await model.engine.generate([{ ...wanted[i]!, prompt, memory }]);
      expect([...tokenIds]).toEqual([...own!.tokenIds]);
      expect(text).toBe(model.tokenizer.decode(own!.tokenIds));
      expect(pieces.join('')).toBe(text);
      expect(pieces).toHaveLength(tokenIds.length);
      expect(logProbabilities).toHaveLength(tokenIds.length);
      expect(promptTokens).toBe(prompt.length);
      expect(finish).toBe(own!.stop === 'end' ? 'stop' : 'length');
      expect(sound(again[i])).toMatchObject({ text, finish, promptTokens });
      // What it says of its tokens is what scoring says of them.
      expect(text.length).toBeGreaterThan(0);
    }
  });

  it('reads the variant that is asked for, and says which items have no text', async () => {
    const store = await primedStore(model, documents.slice(0, 1), { surrogates, bare: true });
    const { id } = documents[0]!;
    const found = await generate(model, store, [
      { id, variant: surrogates[0], maxTokens: 4 },
      { id: 'nothing', maxTokens: 4 },
      { id, maxTokens: 0 },
      { id, maxTokens: 4, stop: ['a', 'b', 'c', 'd', 'e'] },
      { id, maxTokens: 4, stop: [''] },
      { id, maxTokens: 4, sampling: { ...sampling, topP: 0 } },
    ]);
    expect(sound(found[0]).tokenIds.length).toBeGreaterThan(0);
    expect(found.slice(1).map((own) => (own as DkvError).code)).toEqual([
      'DOCUMENT_MISSING',
      ...Array(4).fill('INPUT_INVALID'),
    ]);
    expect(await generateTexts(model, [{ document: ' ', maxTokens: 2 }], { maxTokens: 64 })).toMatchObject([
      { code: 'INPUT_INVALID' },
    ]);
    await expect(generate(model, store, [], { onTexts: () => {} } as object)).rejects.toThrow('Did you mean "onText"?');
    const late = generate(model, store, [{ id, maxTokens: 4 }], { deadlineMs: 1e-6 });
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_PASSED' });
  });

  it.each(['thread', 'process'] as const)(
    'ends at the first stop string, wherever tokens end, in a %s',
    async (host) => {
      const own = await loadModel(undefined, { host });
      const store = await primedStore(own, documents);
      const item = { id: documents[0]!.id, maxTokens: 48, sampling };
      const [whole] = (await generate(own, store, [item])).map(sound);
      const { text } = whole!;
      expect(text.length).toBeGreaterThan(20);
      const middle = Math.floor(text.length / 3);
      const stop = text.slice(middle, middle + 5);
      const at = text.indexOf(stop);
      const parts: WrittenPart[] = [];
      const phases: PhaseTimes[] = [];
      const asked = [
        { ...item, stop: ['never written', stop] },
        { ...item, maxTokens: 9 },
      ];
      const options = {
        onText: (part: WrittenPart) => parts.push(part),
        onPhases: (own: PhaseTimes) => phases.push(own),
      };
      const [cut, short] = (await generate(own, store, asked, options)).map(sound);
      expect(cut).toMatchObject({ text: text.slice(0, at), finish: 'stop' });
      expect(cut!.pieces.join('')).toBe(cut!.text);
      // Of the tokens those are there up to the one that completed the stop string.
      expect([...whole!.tokenIds].slice(0, cut!.tokenIds.length)).toEqual([...cut!.tokenIds]);
      const before = model.tokenizer.decode(cut!.tokenIds.slice(0, -1));
      expect([before.includes(stop), model.tokenizer.decode(cut!.tokenIds).includes(stop)]).toEqual([false, true]);
      expect(short!.finish).toBe('length');
      for (const [item, { text, tokenIds }] of [cut!, short!].entries()) {
        const told = parts.filter((part) => part.item === item);
        expect(told.map((part) => part.text).join('')).toBe(text);
        expect(told.flatMap((part) => [...part.tokenIds])).toEqual([...tokenIds]);
        for (const part of told) expect(part.pieces.join('')).toBe(part.text);
        // Nothing is told that a stop string takes back.
        expect(told.length).toBeGreaterThan(1);
      }
      expect(phases).toHaveLength(1);
      expect(phases[0]!.decoding).toBeGreaterThan(0);
      const controller = new AbortController();
      const stopped = generate(own, store, [{ ...item, maxTokens: 4000 }], {
        signal: controller.signal,
        onText: () => controller.abort(),
      });
      await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
      const broken = generate(own, store, [item], {
        onText: () => {
          throw new Error('the caller is wrong');
        },
      });
      await expect(broken).rejects.toThrow('the caller is wrong');
      await own.close();
    },
  );

  it('gives the log probabilities that scoring gives', async () => {
    const document = documents[0]!.text;
    const [made] = (await generateTexts(model, [{ document, maxTokens: 6 }], { maxTokens: 2048 })).map(sound);
    const ids = model.tokenizer.encode(made!.text);
    expect([...ids]).toEqual([...made!.tokenIds]);
    const [scored] = await scoreTexts(model, [{ document, target: made!.text }], { maxTokens: 2048 });
    if (scored instanceof DkvError || !scored) throw scored;
    for (const [i, nll] of scored.tokenNlls.entries()) expect(-made!.logProbabilities[i]!).toBeCloseTo(nll, 4);
  });
});

describe('pieces of text', () => {
  const tokenizers = new Map<string, Tokenizer>();
  beforeAll(async () => {
    for (const name of ['byte-fallback', 'byte-level']) {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-pieces-'));
      await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizerFixture<Family>(name).tokenizer));
      tokenizers.set(name, await loadTokenizer(folder, { vocabularySize: 100_000 }));
      await rm(folder, { recursive: true });
    }
  });
  const hard = ['A lamp, grün und hell.', '你好 世界 🙂🙃 ok', 'x\u0301 ﬁ ½', '👩‍👩‍👧 family'];

  it.each(['byte-fallback', 'byte-level'])('are whole characters, and together the text: %s', (name) => {
    const tokenizer = tokenizers.get(name)!;
    let held = 0;
    for (const text of hard) {
      const ids = tokenizer.encode(text);
      const decoded = new TextPieces(tokenizer);
      const pieces = [...ids].map((id) => decoded.next(id));
      held += pieces.filter((piece) => piece === '').length;
      expect(pieces.every((piece) => piece.isWellFormed() && !piece.includes('\ufffd'))).toBe(true);
      expect(pieces.join('') + decoded.end()).toBe(tokenizer.decode(ids));
    }
    expect(held).toBeGreaterThan(5);
  });

  it.each(['byte-fallback', 'byte-level'])('keep what is out where a character is never completed: %s', (name) => {
    const tokenizer = tokenizers.get(name)!;
    const ids = tokenizer.encode('a你好').slice(0, -1);
    const decoded = new TextPieces(tokenizer);
    const out = [...ids].map((id) => decoded.next(id)).join('');
    const rest = decoded.end();
    expect(out).toBe('a你');
    expect(rest).toMatch(/^\ufffd+$/);
    const written = new WrittenText(tokenizer, []);
    written.take(ids, new Float32Array(ids.length));
    written.end();
    expect(written.whole.text).toBe(out + rest);
    expect(written.whole.pieces.join('')).toBe(out + rest);
  });

  it('hold back what a stop string may begin with, and let it go when it does not', () => {
    const spell = { decode: (ids: Int32Array) => [...ids].map((id) => String.fromCharCode(id)).join('') };
    const written = new WrittenText(spell, ['END', '.\n\n']);
    const told: string[] = [];
    const write = (text: string) => {
      for (const character of text) {
        written.take(Int32Array.of(character.charCodeAt(0)), Float32Array.of(-1));
        told.push(written.next(false)?.text ?? '');
      }
    };
    write('aENx.\n');
    expect(told).toEqual(['a', '', '', 'ENx', '', '']);
    write('bE');
    expect(told.slice(6)).toEqual(['.\nb', '']);
    write('NDless');
    expect(written.isStopped).toBe(true);
    expect(written.whole.text).toBe('aENx.\nb');
    expect(written.tokens).toBe(10);
    expect(written.next(true)).toMatchObject({ text: '', pieces: ['', '', ''] });
  });
});
