/** Scores of stored documents against scores of their texts, with the built-in model. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { adworldAnswerPools } from '../../src/adworld/pools.js';
import { DkvError } from '../../src/base/errors.js';
import type { PhaseTimes } from '../../src/engine/engine.js';
import { scoreTexts, type TextScore } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import type { DocumentToPrime, PrimeOptions } from '../../src/serving/prime-options.js';
import { rank } from '../../src/serving/rank.js';
import { type StoredScore, score } from '../../src/serving/score.js';
import { InProcessBackend } from '../../src/store/backends/in-process.js';
import { DirectedStore } from '../../src/store/directed-store.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { temporaryFolder } from '../support/fixtures.js';
import { documentsOf, primedStore } from '../support/primed-store.js';

const pools = adworldAnswerPools({ split: 'test', count: 3, candidates: 4 });
const documents = documentsOf(pools);
const textOf = new Map(documents.map(({ id, text }) => [id, text]));
const PREFIX = 'What does it cost?';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const primed = (options: PrimeOptions = {}) =>
  primedStore(model, documents, { surrogates: [`static:${PREFIX}`], ...options });

const items = pools.flatMap(({ query, answer, candidates }) =>
  candidates.flatMap(({ id }) => [
    { id, target: query },
    { id, query, target: answer! },
    { id, variant: `static:${PREFIX}`, query, target: answer! },
  ]),
);

const scores = (answers: readonly (StoredScore | DkvError)[]) =>
  answers.map((answer) => {
    if (answer instanceof DkvError) throw answer;
    return answer;
  });

describe('score', () => {
  it('asks for nothing once its deadline has passed, and names it by the number that it was given', async () => {
    const store = await primed();
    const entries = store.entries.bind(store);
    const asked = vi.spyOn(model.engine, 'score');
    onTestFinished(() => asked.mockRestore());
    store.entries = async (ids) => {
      const found = await entries(ids);
      const since = performance.now();
      while (performance.now() - since < 20);
      return found;
    };
    await expect(score(model, store, items, { deadlineMs: 15 })).rejects.toMatchObject({
      code: 'DEADLINE_PASSED',
      message: expect.stringContaining('deadline of 15 ms passed'),
    });
    expect(asked).not.toHaveBeenCalled();
  });

  it('refuses options that mean nothing before anything is read', async () => {
    const store = await primed();
    const read = vi.spyOn(store, 'entries');
    for (const deadlineMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(score(model, store, items, { deadlineMs })).rejects.toThrow(`deadlineMs is ${deadlineMs};`);
    }
    const mistyped = { deadlinMs: 5 } as object;
    const meant = 'unknown option "deadlinMs". Did you mean "deadlineMs"?';
    await expect(score(model, store, items, mistyped)).rejects.toThrow(meant);
    await expect(scoreTexts(model, [], { maxTokens: 64, ...mistyped })).rejects.toThrow(meant);
    await expect(loadModel(undefined, { bathMs: 5 } as object)).rejects.toThrow('Did you mean "batchMs"?');
    await expect(openStore('memory:', { maxByte: 5 } as object)).rejects.toThrow('Did you mean "maxBytes"?');
    await expect(prime(model, store, [], { surrogate: [] } as object)).rejects.toThrow('Did you mean "surrogates"?');
    await expect(rank(model, store, [], { variants: 'bare' } as object).next()).rejects.toThrow(
      'Did you mean "variant"?',
    );
    expect(read).not.toHaveBeenCalled();
  });

  it('takes options that are undefined for left out', async () => {
    const undefinedOptions = { signal: undefined, priority: undefined, deadlineMs: undefined, onProgress: undefined };
    const loaded = await loadModel(undefined, {
      host: undefined,
      batchMs: undefined,
      hub: undefined,
      signal: undefined,
    });
    const store = await openStore('memory:', { maxBytes: undefined, onFailure: undefined });
    await prime(loaded, store, documents.slice(0, 1), { surrogates: [], visibility: undefined, maxTokens: undefined });
    const { id } = documents[0]!;
    const [own] = await score(loaded, store, [{ id, target: 'lamp' }], { ...undefinedOptions, onMissing: undefined });
    const [text] = await scoreTexts(loaded, [{ document: textOf.get(id)!, target: 'lamp' }], {
      maxTokens: 2048,
      ...undefinedOptions,
    });
    expect((own as StoredScore).nll).toBeCloseTo((text as TextScore).nll, 5);
    await loaded.close();
  });

  it('passes the options of texts on to the engine, and tells their phases once', async () => {
    const phases: PhaseTimes[] = [];
    const progress: number[][] = [];
    const texts = [
      { document: '', target: 'lamp' },
      { document: 'A red lamp.', target: 'lamp' },
    ];
    const encode = vi.spyOn(model.engine, 'encode');
    onTestFinished(() => encode.mockRestore());
    await scoreTexts(model, texts, {
      maxTokens: 64,
      priority: 'bulk',
      deadlineMs: 60_000,
      onPhases: (times) => phases.push(times),
      onProgress: (...done) => progress.push(done),
    });
    expect(encode.mock.calls[0]![1]).toMatchObject({ priority: 'bulk', deadlineMs: expect.any(Number) });
    expect(phases).toHaveLength(1);
    expect(Math.min(phases[0]!.tokenising, phases[0]!.encoding, phases[0]!.decoding)).toBeGreaterThan(0);
    expect(progress).toEqual([[2, 2]]);
    await expect(scoreTexts(model, texts, { maxTokens: 64, deadlineMs: 0.000001 })).rejects.toThrow(
      'of 0.000001 ms passed',
    );
  });

  it('gives the numbers of scoreTexts, with and without a surrogate and a query', async () => {
    const stored = scores(await score(model, await primed(), items));
    const texts = await scoreTexts(
      model,
      items.map(({ id, variant, ...said }) => ({
        document: textOf.get(id)!,
        prefix: variant && PREFIX,
        ...said,
      })),
      { maxTokens: 2048 },
    );
    for (const [i, wanted] of texts.entries()) {
      if (wanted instanceof DkvError) throw wanted;
      const { nll, nllSum, tokenNlls, key } = stored[i]!;
      expect(tokenNlls.length).toBe(wanted.tokenNlls.length);
      for (const [t, token] of wanted.tokenNlls.entries()) expect(tokenNlls[t]).toBeCloseTo(token, 5);
      expect(nll).toBeCloseTo(wanted.nll, 5);
      expect(nllSum).toBeCloseTo(nll * tokenNlls.length, 5);
      expect(key).toMatch(/^[0-9a-f]{64}$/);
    }
    // The surrogate is hidden, and still makes a difference.
    expect(Math.abs(stored[1]!.nll - stored[2]!.nll)).toBeGreaterThan(1e-4);
  });

  it.each([
    ['float16', 0.01],
    ['int8', 0.2],
  ] as const)('is near that with states as %s', async (precision, tolerance) => {
    const exact = scores(await score(model, await primed(), items));
    const rounded = scores(await score(model, await primed({ statesPrecision: precision }), items));
    const differences = exact.map(({ nll }, i) => Math.abs(nll - rounded[i]!.nll));
    expect(Math.max(...differences)).toBeLessThan(tolerance);
    expect(Math.max(...differences)).toBeGreaterThan(0);
  });

  it('reads a document once for all items that want it', async () => {
    const store = await primed();
    const { hits } = await store.stats();
    await score(model, store, [...items, ...items]);
    expect((await store.stats()).hits - hits).toBe(2 * documents.length);
  });

  it('says item by item what cannot be scored, and scores the others', async () => {
    const store = await primed();
    const { id, target } = items[0]!;
    const other = { ...model, fingerprint: 'b'.repeat(64) };
    const answers = await score(model, store, [
      { id, target },
      { id: 'nowhere', target },
      { id, variant: 'doc_kw', target },
      { id, variant: 'constructor', target },
      { id, target: '' },
      { id: 'nowhere', target: '' },
      { id, target },
    ]);
    expect(answers.map((answer) => (answer instanceof DkvError ? answer.code : answer.nll > 0))).toEqual([
      true,
      'DOCUMENT_MISSING',
      'DOCUMENT_MISSING',
      'DOCUMENT_MISSING',
      'INPUT_INVALID',
      'DOCUMENT_MISSING',
      true,
    ]);
    expect((answers[2] as DkvError).message).toMatch(/has no "doc_kw" cache of document "adworld.*Prime it/);
    const [mismatch] = await score(other, store, [{ id, target }]);
    expect(mismatch).toMatchObject({ code: 'STORE_MISMATCH' });
    expect(await score(model, store, [])).toEqual([]);
  });

  it('tells how far it is, and stops when told to', async () => {
    const store = await primed();
    const seen: number[] = [];
    await score(model, store, [...items, { id: 'nowhere', target: 'x' }], { onProgress: (done) => seen.push(done) });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(items.length + 1);
    const controller = new AbortController();
    controller.abort();
    await expect(score(model, store, items, { signal: controller.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });

  it('looks again where a document was replaced, and its record collected, between the two reads', async () => {
    const backend = new InProcessBackend(Number.POSITIVE_INFINITY);
    const store = new DirectedStore(backend, '');
    onTestFinished(() => store.close());
    const [one, other, gone] = documents as [DocumentToPrime, DocumentToPrime, DocumentToPrime];
    await prime(model, store, [one, other, gone], { surrogates: [] });
    const [target] = [items[0]!.target];
    const [before] = scores(await score(model, store, [{ id: other.id, target }]));
    const keyOf = async (id: string) => (await store.entry(id))!.variants.bare!;
    const { read } = backend;
    backend.read = async (keys, decode, signal) => {
      backend.read = read;
      await backend.remove(await keyOf(one.id));
      await backend.remove(await keyOf(gone.id));
      await store.putDocument(one.id, { bare: await keyOf(other.id) }, { metadata: { moved: true } });
      return read.call(backend, keys, decode, signal) as never;
    };
    const { hits, misses } = await store.stats();
    const [found, missing] = await score(model, store, [
      { id: one.id, target },
      { id: gone.id, target },
    ]);
    expect(found).toMatchObject({ nll: before!.nll, key: before!.key, metadata: { moved: true } });
    expect(missing).toMatchObject({ code: 'DOCUMENT_MISSING', message: expect.stringMatching(/ cache of document /) });
    expect(await store.stats()).toMatchObject({ hits: hits + 1, misses: misses + 1 });
  });

  it('gives the same where the engine’s process reads the states itself', async () => {
    const folder = await temporaryFolder();
    const store = await openStore(folder);
    onTestFinished(() => store.close());
    await prime(model, store, documents, { surrogates: [] });
    const bare = items.filter(({ variant }) => variant === undefined);
    const expected = await score(model, store, bare);
    const notices: string[] = [];
    const away = await loadModel(undefined, { host: 'process', onNotice: (notice) => notices.push(notice) });
    onTestFinished(() => away.close());
    const { hits } = await store.stats();
    const reads = vi.spyOn(store, 'statesOf');
    expect(await score(away, store, bare)).toEqual(expected);
    expect(reads).not.toHaveBeenCalled();
    expect(notices).toEqual([]);
    expect((await store.stats()).hits - hits).toBe(documents.length);
    const own = await primed();
    expect(await score(away, own, bare)).toEqual(expected);
    expect(notices).toEqual([expect.stringMatching(/slower/)]);
  });

  it('does not hide that a store is closed', async () => {
    const store: Store = await primed();
    await store.close();
    await expect(score(model, store, items)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});
