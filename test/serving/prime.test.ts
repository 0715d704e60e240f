/** Priming with the built-in model into real stores. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { generateAd } from '../../src/adworld/adworld.js';
import { DkvError } from '../../src/base/errors.js';
import { EndpointWriter } from '../../src/llm/endpoint-writer.js';
import { selfWriter } from '../../src/llm/self-writer.js';
import type { Visibility } from '../../src/priming/input.js';
import { scoreTexts, type TextScore } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { parseDocumentMetadata, rowDigestOf } from '../../src/serving/document-metadata.js';
import { prime as primeByDefault } from '../../src/serving/prime.js';
import type { DocumentToPrime, PrimeOptions, RejectedDocument } from '../../src/serving/prime-options.js';
import { expectProvenance, readProvenance } from '../../src/serving/provenance.js';
import { readReferenceQueries } from '../../src/serving/reference-queries.js';
import { BARE } from '../../src/serving/variants.js';
import { openStore } from '../../src/store/open.js';
import { memoryOf } from '../../src/store/records/identity.js';
import { STATES_PRECISIONS, type Store } from '../../src/store/store.js';
import { ChatEndpoint } from '../support/chat-endpoint.js';
import { countingModel, total } from '../support/counting-model.js';
import { flipped, lmdbDamager } from '../support/damage.js';
import { temporaryFolder } from '../support/fixtures.js';

/** With a variant, so that there is something to keep apart. */
const prime: typeof primeByDefault = (model, store, documents, options) =>
  primeByDefault(model, store, documents, { surrogates: ['doc_kw'], ...options });

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const opened: Store[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

async function memoryStore(): Promise<Store> {
  const store = await openStore('memory:');
  opened.push(store);
  return store;
}

const ADS = Array.from({ length: 6 }, (_, index) => generateAd({ split: 'test', index }));
const DOCUMENTS: DocumentToPrime[] = ADS.map(({ id, title, text, category }) => ({
  id,
  title,
  text,
  fields: { category },
}));
const short = (id: string, text = `The ${id} lamp costs 24 euros.`): DocumentToPrime => ({ id, text });

async function idsOf(store: Store): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of store.ids()) ids.push(id);
  return ids.sort();
}

async function* asStream<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) yield item;
}

async function rejectionsOf(
  documents: Iterable<unknown>,
  options: PrimeOptions = {},
): Promise<{ rejections: RejectedDocument[]; store: Store }> {
  const store = await memoryStore();
  const rejections: RejectedDocument[] = [];
  await prime(model, store, documents as Iterable<DocumentToPrime>, {
    surrogates: [],
    ...options,
    onRejected: (rejection) => rejections.push(rejection),
  });
  return { rejections, store };
}

/**
 * Nats a token. float32 states are the encoder's own, and the same arithmetic follows. For the others three times the largest
 * difference seen over 216 queries of AdWorld and four visibilities (6.5e-4 and 0.018).
 */
const TOLERANCE = { float32: 1e-6, float16: 2e-3, int8: 0.055 } as const;
const VISIBILITIES: Visibility[] = ['exact', 'published', 'full', ['bos', 'document']];

/** What scores from stores are compared with, each text alone, once for all stores. */
const fromTexts = new Map<string, Promise<number>>();

async function nllFromText(document: string, prefix: string | undefined, visibility: Visibility, target: string) {
  const [score] = await scoreTexts(model, [{ document, prefix, visibility, target }], { maxTokens: 2048 });
  return (score as TextScore).nll;
}

function fromText(...input: Parameters<typeof nllFromText>): Promise<number> {
  const key = JSON.stringify(input);
  const found = fromTexts.get(key) ?? nllFromText(...input);
  fromTexts.set(key, found);
  return found;
}

describe('control tokens in documents', () => {
  const documents = [short('plain'), short('written', 'The lamp <eos>costs <pad>24 euros.')];

  it('are text, are counted, and are read in one way in a store', async () => {
    const kept = await loadModel(undefined, { controlTokens: 'keep' });
    onTestFinished(() => kept.close());
    const store = await memoryStore();
    const first = await prime(model, store, documents, { surrogates: [] });
    expect(first).toMatchObject({ primed: 2, literal: 1, literalTokens: ['<eos>', '<pad>'] });
    expect(await prime(model, store, documents, { surrogates: [] })).toMatchObject({ unchanged: 2, literal: 1 });
    await expect(prime(kept, store, documents, { surrogates: [] })).rejects.toMatchObject({
      code: 'STORE_MISMATCH',
      message: expect.stringContaining('was primed with controlTokens text; now controlTokens keep is asked for'),
    });
    // Only what has other token ids is encoded again.
    const again = await prime(kept, store, documents, { surrogates: [], replace: true });
    expect(again).toMatchObject({ primed: 1, unchanged: 1, encoded: 1 });
    await expect(expectProvenance(store, model)).rejects.toMatchObject({
      message: expect.stringContaining('was primed with controlTokens keep; now controlTokens text is asked for'),
    });
    expect((await expectProvenance(store, kept)).provenance.controlTokens).toBe('keep');
  });

  it('of a store that is older than the choice are read as text when it is primed again', async () => {
    const kept = await loadModel(undefined, { controlTokens: 'keep' });
    onTestFinished(() => kept.close());
    const store = await memoryStore();
    await prime(kept, store, documents, { surrogates: [] });
    const { controlTokens: _, ...older } = (await readProvenance(store))!;
    await store.putNote('primed', older);
    expect(await prime(model, store, documents, { surrogates: [] })).toMatchObject({ primed: 1, unchanged: 1 });
  });
});

describe('scores from the store', () => {
  const places: [string, () => Promise<string>][] = [
    ['memory', async () => 'memory:'],
    ['lmdb', temporaryFolder],
  ];
  for (const [name, place] of places) {
    for (const visibility of VISIBILITIES) {
      it.each(STATES_PRECISIONS)(`are those from the text (${name}, ${visibility}, %s)`, async (statesPrecision) => {
        const store = await openStore(await place());
        opened.push(store);
        const surrogates = ['doc_kw', 'template'];
        const summary = await prime(model, store, asStream(DOCUMENTS), { visibility, statesPrecision, surrogates });
        expect(summary).toMatchObject({ documents: 6, primed: 6, encoded: 18, variants: [BARE, ...surrogates] });
        for (const { id, text, questions } of ADS) {
          const target = questions[0]!.answer;
          for (const variant of [BARE, ...surrogates]) {
            const { record } = (await store.getDocument(id, variant, model.fingerprint))!;
            const surrogate = record.surrogate as { specification: string; text: string } | null;
            expect(surrogate?.specification ?? BARE).toBe(variant);
            expect(record.text).toBe(text);
            const [nlls] = await model.engine.score([
              { memory: memoryOf(record), prompt: new Int32Array(0), target: model.tokenizer.encode(target) },
            ]);
            const nll = total([...nlls!]) / nlls!.length;
            const expected = await fromText(text, surrogate?.text, visibility, target);
            expect(Math.abs(nll - expected)).toBeLessThanOrEqual(TOLERANCE[statesPrecision]);
          }
        }
      });
    }
  }

  it('is of documents cut at their end where they are too long', async () => {
    const store = await memoryStore();
    const document = { id: 'long', text: 'The lamp costs 24 euros. '.repeat(40) };
    const seen = countingModel(model);
    await prime(seen, store, [document], { maxTokens: 50 });
    expect(seen.rows).toEqual([50, 50]);
    const { record } = (await store.getDocument('long', BARE))!;
    expect(record.states.rows).toBe(49);
    expect(record.metadata.cutTokens).toBeGreaterThan(0);
  });
});

describe('what priming leaves in the store', () => {
  it('says with what, and what the documents said besides', async () => {
    const store = await memoryStore();
    await prime(model, store, DOCUMENTS, { statesPrecision: 'float16' });
    expect(await readProvenance(store)).toEqual({
      model: model.name,
      fingerprint: model.fingerprint,
      modelPrecision: 'float32',
      statesPrecision: 'float16',
      visibility: 'exact',
      maxTokens: 2048,
    });
    const { id, title, category } = ADS[0]!;
    const entry = (await store.entry(id))!;
    expect(Object.keys(entry.variants)).toEqual([BARE, 'doc_kw']);
    expect(parseDocumentMetadata(id, entry.metadata)).toEqual({
      fields: { title, category },
      rowDigest: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it('keeps texts out of it if told so, and tells how large a document is', async () => {
    const store = await memoryStore();
    const { bytesPerDocument } = await prime(model, store, DOCUMENTS, { keepText: false });
    const { record } = (await store.getDocument(DOCUMENTS[0]!.id, 'doc_kw'))!;
    expect('text' in record).toBe(false);
    const { sizeBytes, records } = await store.stats();
    // The rest is headers.
    expect(sizeBytes / 6 - bytesPerDocument!).toBeGreaterThan(0);
    expect(sizeBytes / 6 - bytesPerDocument!).toBeLessThan((1000 * records) / 6);
  });

  it('primes titles, tagged keywords, and what models write', async () => {
    const endpoint = await ChatEndpoint.start();
    endpoint.reply = () => ({ content: 'garden chair' });
    const cacheDirectory = await temporaryFolder();
    const settings = { baseUrl: endpoint.baseUrl, model: 'm', apiKey: undefined, pricePerMillionTokens: undefined };
    const sources = {
      self: selfWriter(model, { cacheDirectory, maxTokens: 512 }),
      llm: new EndpointWriter(settings, { cacheDirectory }).asked,
    };
    const surrogates = ['title', 'pos_kw5', 'self', 'llm:need', 'scramble(lead)', 'static:What, and when?'];
    surrogates.push('join(column:category, title, column:title)', 'column:category');
    const store = await memoryStore();
    await prime(model, store, DOCUMENTS, { surrogates, bare: false, sources });
    const { id, title, category } = ADS[0]!;
    const texts = new Map<string, string>();
    for (const name of surrogates) {
      const { surrogate } = (await store.getDocument(id, name))!.record;
      texts.set(name, (surrogate as { text: string }).text);
    }
    expect(texts.get('title')).toBe(title);
    expect(texts.get('llm:need')).toBe('garden chair');
    expect(texts.get('join(column:category, title, column:title)')).toBe(`${category} ${title} ${title}`);
    expect(texts.get('column:category')).toBe(category);
    expect(texts.get('static:What, and when?')).toBe('What, and when?');
    expect([...texts.values()].every((text) => text.trim() !== '')).toBe(true);
    expect(await store.getDocument(id, BARE)).toBeUndefined();
    expect(endpoint.documents.toSorted()).toEqual(DOCUMENTS.map(({ text }) => text).toSorted());
  });

  it('of a column that a document does not have, or that is no text, reject it by name', async () => {
    const documents = [
      { ...short('a'), fields: { maker: { names: ['Lumen'] } } },
      { ...short('b'), fields: { maker: { names: 'Lumen' } } },
      short('c'),
    ];
    const { rejections } = await rejectionsOf(documents, { surrogates: ['column:maker.names'] });
    expect(rejections.map(({ id, reason }) => [id, reason])).toEqual([
      ['a', expect.stringContaining('maker.names is a list, a text was expected for the surrogate')],
      ['c', 'c has nothing in the column "maker.names".'],
    ]);
  });
});

describe('a random surrogate', () => {
  it('is drawn by the document, wherever it stands', async () => {
    const lead = 'A brass lamp with a linen shade for the desk or the bedside table. ';
    const documents = ['24 euros.', '25 euros.', '26 euros.'].map((rest) => short(rest, lead + rest));
    const drawnFrom = async (stream: readonly DocumentToPrime[]) => {
      const store = await memoryStore();
      await prime(model, store, stream, { surrogates: ['scramble(lead)'], bare: false });
      const records = stream.map(async ({ id }) => [id, (await store.getDocument(id, 'scramble(lead)'))!.record]);
      const found = Object.fromEntries(await Promise.all(records)) as Record<string, { surrogate: { text: string } }>;
      return documents.map(({ id }) => found[id]!.surrogate.text);
    };
    const drawn = await drawnFrom(documents);
    expect(await drawnFrom([short('first', 'Another lamp.'), ...documents.toReversed()])).toEqual(drawn);
    expect(new Set(drawn).size).toBe(3);
  });
});

describe('a stream', () => {
  it('is never pulled further than a window ahead, and comes in order', async () => {
    const seen = countingModel(model);
    const store = await memoryStore();
    let [pulled, done, most] = [0, 0, 0];
    async function* stream(): AsyncGenerator<DocumentToPrime> {
      for (; pulled < 1200; ) {
        pulled++;
        most = Math.max(most, pulled - done);
        yield { id: `ad ${pulled}`, text: `Lamp ${pulled}.` };
      }
    }
    const summary = await prime(seen, store, stream(), {
      surrogates: [],
      onProgress: ({ primed }) => {
        done = primed;
      },
    });
    expect(summary).toMatchObject({ rows: 1200, documents: 1200, primed: 1200, rejected: 0 });
    // A window of 256, the item that closes it, and one that was asked for already.
    expect(most).toBeLessThanOrEqual(258);
    expect(Math.max(...seen.encoded)).toBeLessThanOrEqual(256);
    expect((await store.stats()).documents).toBe(1200);
  });

  it('of long documents is encoded in blocks of so many rows', async () => {
    const small = await loadModel(undefined, { batchTokens: 256 });
    try {
      const seen = countingModel(small);
      const documents = Array.from({ length: 30 }, (_, at) => short(`${at}`, `Lamp ${at}. `.repeat(20)));
      await prime(seen, await memoryStore(), documents, { surrogates: [] });
      expect(seen.encoded.length).toBeGreaterThan(1);
      // Four batches, and the document that fills them.
      expect(Math.max(...seen.encoded) * Math.max(...seen.rows)).toBeLessThan(4 * 256 + 2 * Math.max(...seen.rows));
    } finally {
      await small.close();
    }
  });

  it('that fails keeps what was primed, and its error', async () => {
    const store = await memoryStore();
    async function* stream(): AsyncGenerator<DocumentToPrime> {
      for (let at = 0; at < 300; at++) yield short(`${at}`, `Lamp ${at}.`);
      throw new Error('the disk went away');
    }
    await expect(prime(model, store, stream(), { surrogates: [] })).rejects.toThrow('the disk went away');
    expect((await store.stats()).documents).toBeGreaterThanOrEqual(256);
  });

  it('is split by ids, whatever its order', async () => {
    const ids = Array.from({ length: 60 }, (_, at) => `ad ${at}`);
    const primedIds = async (number: number, documents: DocumentToPrime[]) => {
      const store = await memoryStore();
      const { rows } = await prime(model, store, documents, { surrogates: [], shard: { number, of: 3 } });
      expect(rows).toBe(60);
      return idsOf(store);
    };
    const documents = ids.map((id) => short(id));
    const parts = await Promise.all([1, 2, 3].map((number) => primedIds(number, documents)));
    expect(parts.flat().sort()).toEqual(ids.toSorted());
    for (const part of parts) expect(part.length).toBeGreaterThan(10);
    expect(await primedIds(2, documents.toReversed())).toEqual(parts[1]);
  });

  it('may have the same id again: the later one counts', async () => {
    const store = await memoryStore();
    const texts = ['first', 'second', 'third', 'first'];
    await prime(model, store, [short('ad', 'first')], { surrogates: [] });
    const summary = await prime(
      model,
      store,
      texts.map((text) => short('ad', text)),
      { surrogates: [] },
    );
    expect(summary).toMatchObject({ documents: 4, primed: 0, unchanged: 1, replaced: 3 });
    expect((await store.getDocument('ad', BARE))!.record.text).toBe('first');
  });

  it('may have the same id in windows far apart: every id is counted once', async () => {
    const store = await memoryStore();
    const between = Array.from({ length: 300 }, (_, at) => short(`other ${at}`, 'the same'));
    const documents = [short('ad', 'first'), ...between, short('ad', 'last')];
    const summary = await prime(model, store, documents, { surrogates: [] });
    expect(summary).toMatchObject({ documents: 302, primed: 301, unchanged: 0, replaced: 1 });
    expect((await store.getDocument('ad', BARE))!.record.text).toBe('last');
  });
});

describe('priming again', () => {
  it('encodes nothing where nothing changed', async () => {
    const seen = countingModel(model);
    const store = await memoryStore();
    const first = await prime(seen, store, DOCUMENTS);
    expect(first).toMatchObject({ primed: 6, unchanged: 0, encoded: 12, tokens: total(seen.rows) });
    const before = await Promise.all(DOCUMENTS.map(({ id }) => store.entry(id)));
    const second = await prime(seen, store, DOCUMENTS);
    expect(second).toMatchObject({ primed: 0, unchanged: 6, encoded: 0, tokens: 0, bytesPerDocument: null });
    expect(total(seen.encoded)).toBe(12);
    expect(await Promise.all(DOCUMENTS.map(({ id }) => store.entry(id)))).toEqual(before);
  });

  it('stores what is said of a document without encoding it', async () => {
    const seen = countingModel(model);
    const store = await memoryStore();
    await prime(seen, store, DOCUMENTS);
    const [sold, ...others] = DOCUMENTS;
    const again = await prime(seen, store, [{ ...sold!, fields: { sold: true } }, ...others]);
    expect(again).toMatchObject({ primed: 1, unchanged: 5, encoded: 0 });
    const rowDigest = rowDigestOf({ ...sold!, fields: { sold: true } });
    expect((await store.entry(sold!.id))!.metadata).toEqual({ fields: { title: sold!.title, sold: true }, rowDigest });
    expect((await store.getDocument(sold!.id, BARE))!.record.text).toBe(sold!.text);
  });

  it('keeps what is not named, unless the store is primed anew', async () => {
    const seen = countingModel(model);
    const store = await memoryStore();
    await prime(seen, store, DOCUMENTS);
    const { id } = DOCUMENTS[0]!;
    const variants = async () => Object.keys((await store.entry(id))!.variants);
    const more = await prime(seen, store, DOCUMENTS, { surrogates: ['template'], bare: false });
    expect(more).toMatchObject({ primed: 6, encoded: 6, dropped: {} });
    expect(await variants()).toEqual([BARE, 'doc_kw', 'template']);
    expect(await primeByDefault(seen, store, DOCUMENTS)).toMatchObject({ unchanged: 6, encoded: 0, dropped: {} });
    expect((await store.stats()).records).toBe(18);
    expect(await primeByDefault(seen, store, DOCUMENTS, { replace: true })).toMatchObject({ primed: 6, encoded: 0 });
    expect(await variants()).toEqual([BARE]);
    expect(await store.getDocument(id, 'doc_kw')).toBeUndefined();
    expect(await store.gc({ minimumAgeMs: -1 })).toMatchObject({ records: 12 });
    expect((await store.stats()).records).toBe(6);
  });

  it('drops what is not named where it is of the document as it was, and says so', async () => {
    const store = await memoryStore();
    const surrogates = ['doc_kw', 'column:category'];
    await prime(model, store, DOCUMENTS, { surrogates });
    const [first, second, ...others] = DOCUMENTS;
    const changed = [
      { ...first!, text: `${first!.text} Closed.` },
      { ...second!, fields: { category: 'moved' } },
      // Without the column that a variant was made of.
      { ...others[0]!, fields: {} },
      ...others.slice(1),
    ];
    const again = await primeByDefault(model, store, changed);
    expect(again).toMatchObject({ primed: 3, unchanged: 3, encoded: 1, dropped: { doc_kw: 1, 'column:category': 3 } });
    const entries = await Promise.all(DOCUMENTS.map(({ id }) => store.entry(id)));
    expect(entries.slice(0, 4).map((entry) => Object.keys(entry!.variants))).toEqual([
      [BARE],
      [BARE, 'doc_kw'],
      [BARE, 'doc_kw'],
      [BARE, ...surrogates],
    ]);
  });

  it('keeps what a model wrote of the same document, without asking it again', async () => {
    const store = await memoryStore();
    let asked = 0;
    const self = async (documents: readonly string[]) => documents.map(() => `written ${asked++}`);
    await prime(model, store, DOCUMENTS, { surrogates: ['self'], sources: { self } });
    expect(await primeByDefault(model, store, DOCUMENTS)).toMatchObject({ unchanged: 6, dropped: {} });
    const changed = [{ ...DOCUMENTS[0]!, text: 'Sold.' }, ...DOCUMENTS.slice(1)];
    expect(await primeByDefault(model, store, changed)).toMatchObject({ primed: 1, dropped: { self: 1 } });
    expect(asked).toBe(6);
  });

  it('keeps the priors of what is not named', async () => {
    const store = await memoryStore();
    const priorQueries = ['a lamp'];
    await prime(model, store, DOCUMENTS, { priorQueries });
    const { id } = DOCUMENTS[0]!;
    const priors = async () => (await store.entry(id))!.metadata.priors as Record<string, number>;
    const before = await priors();
    await primeByDefault(model, store, DOCUMENTS, { surrogates: ['template'] });
    expect(await priors()).toEqual({ ...before, template: expect.any(Number) });
    expect(Object.keys(before)).toEqual([BARE, 'doc_kw']);
  });

  it('encodes equal inputs once', async () => {
    const seen = countingModel(model);
    const store = await memoryStore();
    const documents = Array.from({ length: 20 }, (_, at) => short(`copy ${at}`, 'The lamp costs 24 euros.'));
    const summary = await prime(seen, store, documents, { surrogates: ['static:lamp', 'static:lamp'] });
    expect(summary).toMatchObject({ primed: 20, encoded: 2 });
    expect((await store.stats()).records).toBe(2);
    for (const { id } of documents) expect(await store.getDocument(id, 'static:lamp')).toBeDefined();
    expect(await prime(seen, store, [short('late', 'The lamp costs 24 euros.')], { surrogates: [] })).toMatchObject({
      primed: 1,
      encoded: 0,
    });
  });

  it('encodes equal inputs once, in whatever block they come', async () => {
    const small = await loadModel(undefined, { batchTokens: 16 });
    onTestFinished(() => small.close());
    const seen = countingModel(small);
    const equal = 'The lamp costs 24 euros.';
    const documents = Array.from({ length: 40 }, (_, at) => short(`${at}`, at % 2 ? equal : `Lamp ${at}: 24 euros.`));
    expect(await prime(seen, await memoryStore(), documents, { surrogates: [] })).toMatchObject({ primed: 40 });
    expect(seen.encoded.length).toBeGreaterThan(2);
    expect(total(seen.encoded)).toBe(21);
  });

  it('goes on after a stop and repeats nothing that was finished', async () => {
    const small = await loadModel(undefined, { batchTokens: 64 });
    try {
      const seen = countingModel(small);
      const store = await memoryStore();
      const documents = Array.from({ length: 60 }, (_, at) => short(`${at}`, `Lamp number ${at} costs 24 euros.`));
      const controller = new AbortController();
      const stopped = prime(seen, store, documents, {
        surrogates: [],
        signal: controller.signal,
        onProgress: ({ primed }) => primed >= 20 && controller.abort(),
      });
      await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
      const done = (await store.stats()).documents;
      expect(done).toBeGreaterThanOrEqual(20);
      expect(done).toBeLessThan(60);
      expect(total(seen.encoded)).toBe(done);
      expect(await prime(seen, store, documents, { surrogates: [] })).toMatchObject({
        primed: 60 - done,
        unchanged: done,
      });
      expect(total(seen.encoded)).toBe(60);
    } finally {
      await small.close();
    }
  });

  it('mends what was lost or damaged', async () => {
    const folder = await temporaryFolder();
    const store = await openStore(folder);
    opened.push(store);
    const seen = countingModel(model);
    await prime(seen, store, DOCUMENTS, { surrogates: [] });
    const [lost, damaged] = await Promise.all(
      DOCUMENTS.map(async ({ id }) => (await store.entry(id))!.variants[BARE]!),
    );
    for (const key of [lost!, damaged!]) await lmdbDamager(folder).record(key, flipped);
    // Of one it is known, of the other not yet.
    expect((await store.verify()).damaged).toHaveLength(2);
    await expect(store.get(damaged!)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    await store.verify({ remove: true });
    expect(await prime(seen, store, DOCUMENTS, { surrogates: [] })).toMatchObject({ primed: 2, encoded: 2 });
    expect((await store.verify()).damaged).toEqual([]);
  });

  it('encodes anew instead of pointing to a damaged record', async () => {
    const folder = await temporaryFolder();
    const store = await openStore(folder);
    opened.push(store);
    await prime(model, store, DOCUMENTS, { surrogates: [] });
    const key = (await store.entry(DOCUMENTS[0]!.id))!.variants[BARE]!;
    await lmdbDamager(folder).record(key, (bytes) => bytes.subarray(1));
    const seen = countingModel(model);
    await prime(seen, store, DOCUMENTS, { surrogates: ['template'] });
    expect(total(seen.encoded)).toBe(7);
    expect((await store.verify()).damaged).toEqual([]);
  });
});

describe('time to live', () => {
  it('is the documents’, and renewed when half of it is gone', async () => {
    const store = await memoryStore();
    const seen = countingModel(model);
    const options = { surrogates: [], ttlMs: 6000 };
    await prime(seen, store, DOCUMENTS, options);
    expect(await prime(seen, store, DOCUMENTS, options)).toMatchObject({ unchanged: 6 });
    await sleep(3600);
    expect(await prime(seen, store, DOCUMENTS, options)).toMatchObject({ primed: 6, encoded: 0 });
    await sleep(3600);
    // Longer than the first six seconds: the records live on with their documents.
    expect((await store.getDocument(DOCUMENTS[0]!.id, BARE))!.record.states.rows).toBeGreaterThan(0);
    expect(await prime(seen, store, DOCUMENTS, { surrogates: [] })).toMatchObject({ primed: 6, encoded: 0 });
    expect((await store.entry(DOCUMENTS[0]!.id))!.expiresAt).toBeUndefined();
  });

  it('ends, and what expired is encoded again', async () => {
    const store = await memoryStore();
    await prime(model, store, DOCUMENTS, { surrogates: [], ttlMs: 50 });
    await sleep(100);
    expect(await store.getDocument(DOCUMENTS[0]!.id, BARE)).toBeUndefined();
    expect(await prime(model, store, DOCUMENTS, { surrogates: [] })).toMatchObject({ primed: 6, encoded: 6 });
  });
});

describe('rows that cannot be primed', () => {
  it('are named with the reason, and the others go on', async () => {
    const documents = [
      short('good'),
      { text: 'without an id' },
      { id: '', text: 'x' },
      { id: 'empty', text: ' \n' },
      { id: 'textless' },
      { id: 'seven', text: 7 },
      { id: 'fields', text: 'x', fields: { size: Number.NaN } },
      null,
      new DkvError('INPUT_INVALID', 'line 9: not JSON'),
      short('long', 'x'),
      short('better'),
    ];
    const { rejections, store } = await rejectionsOf(documents);
    expect(rejections).toEqual([
      { row: 2, reason: 'it has no id' },
      { row: 3, reason: 'it has no id' },
      { row: 4, id: 'empty', reason: 'it has no text' },
      { row: 5, id: 'textless', reason: 'it has no text' },
      { row: 6, id: 'seven', reason: 'it has no text' },
      { row: 7, id: 'fields', reason: expect.stringMatching(/^fields\.size: /) },
      { row: 8, reason: expect.stringMatching(/object/) },
      { row: 9, reason: 'line 9: not JSON' },
    ]);
    expect(await idsOf(store)).toEqual(['better', 'good', 'long']);
  });

  it('are those that have no title, no room, nothing to see, no text from a writer', async () => {
    const { rejections: title } = await rejectionsOf([short('a'), { ...short('b'), title: 'Lamp' }], {
      surrogates: ['title'],
    });
    expect(title).toEqual([{ row: 1, id: 'a', reason: expect.stringMatching(/a has no title/) }]);
    const { rejections: room } = await rejectionsOf([short('a')], { surrogates: ['kw50'], maxTokens: 5 });
    expect(room).toEqual([{ row: 1, id: 'a', reason: expect.stringMatching(/leave none for the document/) }]);
    const { rejections: hidden } = await rejectionsOf([short('a')], { visibility: ['prefix'] });
    expect(hidden[0]!.reason).toMatch(/would see nothing of it as "bare"/);
    const { rejections: unwritten } = await rejectionsOf([short('a'), short('b')], {
      surrogates: ['self'],
      sources: {
        self: async (texts) => texts.map((_, at) => (at === 0 ? 'lamp' : new DkvError('LLM_REJECTED', 'no'))),
      },
    });
    expect(unwritten).toEqual([{ row: 2, id: 'b', reason: 'no' }]);
  });
});

describe('what cannot be primed with', () => {
  it.each([
    [{ surrogates: ['oracle'] }, /"oracle" cannot be primed with: it needs the query/],
    [{ surrogates: ['scramble(random_matched)'] }, /needs the query/],
    [{ surrogates: ['random5'] }, /borrows words from another document/],
    [{ surrogates: ['wrong_kw5*2'] }, /borrows words from another document/],
    [{ surrogates: ['bare'] }, /There is no surrogate "bare"/],
    [{ surrogates: [], bare: false }, /nothing to prime/],
    [{ surrogates: ['llm:need'] }, /need a language model/],
    [{ surrogates: ['self'] }, /needs a model that writes/],
    [{ visibility: 'some' as Visibility }, /visibility: expected "full"/],
    [{ statesPrecision: 'int4' as 'int8' }, /statesPrecision/],
    [{ maxTokens: 0 }, /maxTokens/],
    [{ ttlMs: 0 }, /ttlMs/],
    [{ shard: { number: 3, of: 2 } }, /shard/],
    [{ priorQueries: [] }, /reference queries is empty/],
    [{ priorQueries: ['lamp', ''] }, /Reference query 2 is empty/],
  ])('%j is refused before anything is read', async (options: PrimeOptions, message) => {
    let pulled = 0;
    function* stream() {
      pulled++;
      yield short('a');
    }
    await expect(prime(model, await memoryStore(), stream(), options)).rejects.toThrow(message);
    expect(pulled).toBe(0);
  });
});

describe('a store that was primed otherwise', () => {
  it('is refused with the difference, and primed anew if told so', async () => {
    const store = await memoryStore();
    await prime(model, store, DOCUMENTS, { surrogates: [] });
    const other = { ...model, fingerprint: 'f'.repeat(64), name: 'swapped' };
    const [first, ...others] = DOCUMENTS;
    for (const [by, options, message] of [
      [model, { statesPrecision: 'int8' }, /statesPrecision float32; now statesPrecision int8/],
      [
        model,
        { visibility: 'full', maxTokens: 9 },
        /visibility exact, maxTokens 2048; now visibility full, maxTokens 9/,
      ],
      [other, {}, /fingerprint f{12} \(swapped\)/],
    ] as const) {
      const refused = prime(by, store, DOCUMENTS, { surrogates: [], ...options });
      await expect(refused).rejects.toMatchObject({ code: 'STORE_MISMATCH', message: expect.stringMatching(message) });
    }
    expect(await prime(other, store, [first!], { surrogates: [], replace: true })).toMatchObject({ encoded: 1 });
    expect((await readProvenance(store))!.model).toBe('swapped');
    expect(await store.getDocument(first!.id, BARE, other.fingerprint)).toBeDefined();
    // Not primed again yet: its states are no other model's.
    await expect(store.getDocument(others[0]!.id, BARE, other.fingerprint)).rejects.toMatchObject({
      code: 'STORE_MISMATCH',
    });
  });

  it('in the middle of priming ends it', async () => {
    const store = await memoryStore();
    async function* stream(): AsyncGenerator<DocumentToPrime> {
      for (let at = 0; at < 600; at++) {
        if (at === 400) await prime(model, store, [short('x')], { surrogates: [], replace: true, maxTokens: 99 });
        yield short(`${at}`, `Lamp ${at}.`);
      }
    }
    await expect(prime(model, store, stream(), { surrogates: [] })).rejects.toMatchObject({ code: 'STORE_MISMATCH' });
  });
});

describe('priors', () => {
  const priorQueries = ['garden chair', 'Where can I buy a cheap lamp?'];
  it.each(STATES_PRECISIONS)(
    'are the mean NLL of the reference queries given the stored states (%s)',
    async (statesPrecision) => {
      const store = await memoryStore();
      await prime(model, store, DOCUMENTS, { statesPrecision, priorQueries });
      for (const { id } of DOCUMENTS) {
        const { priors, priorDigest } = parseDocumentMetadata(id, (await store.entry(id))!.metadata);
        expect(priorDigest).toBe((await readReferenceQueries(store))!.digest);
        expect(Object.keys(priors!)).toEqual([BARE, 'doc_kw']);
        for (const variant of [BARE, 'doc_kw']) {
          const { record } = (await store.getDocument(id, variant))!;
          const nlls = await model.engine.score(
            priorQueries.map((query) => ({
              memory: memoryOf(record),
              prompt: new Int32Array(0),
              target: model.tokenizer.encode(query),
            })),
          );
          const means = nlls.map((tokens) => total([...tokens]) / tokens.length);
          expect(priors![variant]).toBeCloseTo(total(means) / 2, 5);
        }
      }
    },
  );

  it('belong to one set of queries, the store’s own', async () => {
    const store = await memoryStore();
    const seen = countingModel(model);
    await prime(seen, store, DOCUMENTS);
    // Now with priors: the states are there.
    expect(await prime(seen, store, DOCUMENTS, { priorQueries })).toMatchObject({ primed: 6, encoded: 0 });
    expect(await prime(seen, store, DOCUMENTS, { priorQueries })).toMatchObject({ unchanged: 6 });
    expect(await prime(seen, store, DOCUMENTS)).toMatchObject({ unchanged: 6 });
    await prime(seen, store, [short('late')]);
    const late = parseDocumentMetadata('late', (await store.entry('late'))!.metadata);
    expect(Object.keys(late.priors!)).toEqual([BARE, 'doc_kw']);
    await expect(prime(seen, store, DOCUMENTS, { priorQueries: ['other'] })).rejects.toMatchObject({
      code: 'STORE_MISMATCH',
      message: expect.stringMatching(/2 reference queries .* these 1/),
    });
    const anew = await prime(seen, store, DOCUMENTS, { priorQueries: ['other'], replace: true });
    expect(anew).toMatchObject({ primed: 6, encoded: 0 });
    expect((await readReferenceQueries(store))!.queries).toEqual(['other']);
  });
});
