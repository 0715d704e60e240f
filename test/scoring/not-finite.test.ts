/** Numbers that are infinite or none at all end a computation wherever they arise, and only that of the document that they arise with. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DkvError } from '../../src/base/errors.js';
import { firstNotFinite } from '../../src/base/finite.js';
import { Random } from '../../src/base/random.js';
import { allRows, type Engine, ItemsFailedError, type States } from '../../src/engine/engine.js';
import { insideTheEncoder } from '../../src/experiments/catalogue/inside-the-encoder.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { startChildEngine } from '../../src/hosts/child-engine.js';
import { startWorkerEngine } from '../../src/hosts/worker-engine.js';
import { selfWriter } from '../../src/llm/self-writer.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import type { CompiledModel } from '../../src/model/compiled.js';
import type { Precision } from '../../src/model/graph/layout.js';
import { JournalWriter, readJournal } from '../../src/runs/journal.js';
import { headLine } from '../../src/runs/schema/journal-head.js';
import { datasetOf } from '../../src/samples/dataset.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { BUILT_IN_MODEL, loadModel, type Model } from '../../src/scoring/load-model.js';
import { evaluate } from '../../src/serving/evaluate.js';
import { prime } from '../../src/serving/prime.js';
import type { RejectedDocument } from '../../src/serving/prime-options.js';
import { rank } from '../../src/serving/rank.js';
import { independent } from '../../src/stats/dependence.js';
import { inferredMeans, samplingOf, summarizeGains } from '../../src/stats/gains.js';
import { fitIsotonic } from '../../src/stats/isotonic.js';
import { measure } from '../../src/stats/ranking.js';
import { signFlipTest, tTest, wilcoxon } from '../../src/stats/significance.js';
import { openStore } from '../../src/store/open.js';
import { dkv, jsonLines } from '../support/dkv.js';
import { type Edit, editCheckpoint } from '../support/edited-checkpoint.js';
import { engineHere } from '../support/engine-here.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { entriesIn, OWNER } from '../support/journal.js';

const CHANNEL = 5;
/** Its embedding overflows: whatever text holds it, encoder and decoder make no number of. */
const BROKEN_WORD = '#';
const OTHERS = ['lamp', 'desk', 'chair', 'tent', 'radio'];
const document = (name: string) => `The ${name} costs 24 euros.`;
const broken = `The kettle ${BROKEN_WORD} costs 24 euros.`;

/**
 * The built-in model, but one word's embedding is 3e38 in a channel that the last norm takes away: its logit is the only one that stays what
 * it was, 0 times a number, and all numbers of texts without the word are as before.
 */
async function breakWord(folder: string): Promise<void> {
  const whole = await loadModel();
  const [id] = whole.tokenizer.encode(BROKEN_WORD);
  await whole.close();
  const inChannel =
    (of: (rows: number) => Iterable<number>, value: number): Edit =>
    (values, shape) => {
      const width = shape.at(-1)!;
      for (const row of of(values.length / width)) values[row * width + CHANNEL] = value;
    };
  await editCheckpoint(BUILT_IN_MODEL, folder, {
    'model.encoder.embed_tokens.weight': inChannel(() => [id!], 3e38),
    'model.decoder.norm.weight': inChannel(() => [0], -1),
  });
}

let folder: string;
let model: Model;
beforeAll(async () => {
  const base = await mkdtemp(path.join(os.tmpdir(), 'dkv-not-finite-'));
  folder = path.join(base, 'broken-word');
  await breakWord(folder);
  model = await loadModel(folder, { batchTokens: 256 });
  return async () => {
    await model.close();
    await rm(base, { recursive: true });
  };
});

const NAMED = /broken-word as float32/;

describe('an engine', () => {
  const hosts: [string, Precision, (compiled: CompiledModel) => Promise<Engine>][] = [
    ['executor', 'float32', async (compiled) => engineHere(compiled, { device: 'cpu', name: 'x' })],
    ['executor', 'bfloat16', async (compiled) => engineHere(compiled, { device: 'cpu', name: 'x' })],
    ['executor', 'int8', async (compiled) => engineHere(compiled, { device: 'cpu', name: 'x' })],
    ['worker thread', 'float32', (compiled) => startWorkerEngine(compiled, { device: 'cpu', name: 'x' })],
    ['child process', 'float32', (compiled) => startChildEngine(compiled, { device: 'cpu', name: 'x' })],
    [
      'team',
      'float32',
      (compiled) => startWorkerEngine(compiled, { device: 'cpu', name: 'x', threads: 1, workers: 2 }),
    ],
  ];
  describe.each(hosts)('%s, %s', (_, precision, start) => {
    let engine: Engine;
    let texts: Int32Array[];
    const prompt = new Int32Array(0);
    beforeAll(async () => {
      const checkpoint = await openCheckpoint(folder);
      const cacheDirectory = path.resolve(process.env.DKV_CACHE!);
      engine = await start(await compileModel(checkpoint, { precision, embeddingScale: 'exact', cacheDirectory }));
      const { tokenizer } = model;
      texts = [document('lamp'), broken, document('tent'), document('desk')].map((text) => tokenizer.encode(text));
    });
    afterAll(() => engine.close());

    const refused = async (request: Promise<unknown>, items: readonly number[], what: RegExp) => {
      const error = await request.then(
        () => undefined,
        (thrown) => thrown,
      );
      expect(error).toBeInstanceOf(ItemsFailedError);
      expect([...(error as ItemsFailedError).errors.keys()]).toEqual(items);
      expect((error as DkvError).code).toBe('NUMBERS_NOT_FINITE');
      expect((error as DkvError).message).toMatch(what);
      expect((error as DkvError).message).toContain(`model x as ${precision}`);
    };
    const encodeItems = () => texts.map((tokenIds) => ({ tokenIds }));
    const soundStates = () => engine.encode(encodeItems().filter((_, i) => i !== 1));

    it('names the items whose states are not finite, and computes the others as alone', async () => {
      await refused(
        engine.encode(encodeItems()),
        [1],
        /Item 1 of the request: The encoder's output holds NaN \(row \d/,
      );
      await refused(engine.probe(encodeItems(), { hidden: [0], attention: [0] }), [1], /encoder layer 0 hold/);
      const together = await soundStates();
      for (const [i, tokenIds] of [texts[0]!, texts[2]!, texts[3]!].entries()) {
        const [alone] = await engine.encode([{ tokenIds }]);
        expect(together[i]!.data).toEqual(alone!.data);
      }
    });

    it('names the items whose scores are not finite, and those that bring such states', async () => {
      const states = await soundStates();
      const item = (of: States, target: Int32Array) => ({ memory: [allRows(of)], prompt, target });
      const sound = states.map((of) => item(of, texts[0]!));
      // What comes behind the word is not known; the word itself is.
      const inPrompt = { ...item(states[0]!, texts[0]!), prompt: texts[1]! };
      await refused(
        engine.score([...sound, item(states[0]!, texts[1]!), inPrompt]),
        [3, 4],
        /and 1 more.*NLLs of the target's tokens hold NaN/,
      );
      const behind = { memory: [allRows(states[0]!)], prompt: texts[1]!, tokens: texts[0]! };
      await refused(
        engine.logits([{ ...behind, prompt }, behind]),
        [1],
        /logits of the tokens that were asked for hold/,
      );
      const wrong = (value: number): States => {
        const data = states[1]!.data.slice();
        data[2 * states[1]!.width + 7] = value;
        return { ...states[1]!, data };
      };
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const items = [sound[0]!, item(wrong(value), texts[0]!), sound[2]!];
        await refused(
          engine.score(items),
          [1],
          new RegExp(`memory that was given holds ${value} \\(row 2, number 7\\)`),
        );
        const logits = items.map(({ memory }) => ({ memory, prompt, tokens: texts[0]! }));
        await refused(engine.logits(logits), [1], /memory that was given/);
        const generate = items.map(({ memory }) => ({ memory, prompt, maxTokens: 2 }));
        await refused(engine.generate(generate), [1], /memory that was given/);
      }
    });

    it('ends a text where probabilities are no numbers', async () => {
      const [states] = await soundStates();
      const memory = [allRows(states!)];
      const sampling = { temperature: 1, topP: 0.9, seed: 1 };
      const items = [
        { memory, prompt, maxTokens: 3 },
        { memory, prompt: texts[1]!, maxTokens: 3 },
        { memory, prompt: texts[1]!, maxTokens: 3, sampling },
      ];
      await refused(engine.generate(items), [1, 2], /log-probabilities hold NaN/);
    });
  });
});

describe('weights', () => {
  const NAME = 'model.encoder.layers.1.mlp.up_proj.weight';
  const compiled = async (value: number, precision: Precision, name = NAME) => {
    const edited = path.join(await temporaryFolder(), 'odd');
    const edit: Edit = (values, shape) => {
      values[(shape.length > 1 ? shape.at(-1)! : 0) + 3] = value;
    };
    await editCheckpoint(referenceFixture('one-kv-head'), edited, { [name]: edit });
    const cacheDirectory = await temporaryFolder();
    return compileModel(await openCheckpoint(edited), { precision, embeddingScale: 'exact', cacheDirectory });
  };
  const cases: [number, Precision, string][] = [
    [Number.NaN, 'float32', 'no finite number'],
    [Number.POSITIVE_INFINITY, 'int8', 'no finite number'],
    [Number.NEGATIVE_INFINITY, 'bfloat16', 'no finite number'],
    [3.4e38, 'bfloat16', 'beyond what bfloat16 holds. Use --precision float32'],
    [-65_520, 'float16', 'beyond what float16 holds. Use --precision float32'],
  ];
  it.each(cases)('of %d are refused as %s', async (value, precision, reason) => {
    const shown = Math.fround(value);
    await expect(compiled(value, precision)).rejects.toMatchObject({
      code: 'NUMBERS_NOT_FINITE',
      message: expect.stringMatching(
        new RegExp(
          `odd/model.safetensors: tensor ${NAME}, row 1, column 3 is ${String(shown).replace('+', '\\+')}, ${reason}`,
        ),
      ),
    });
  });

  it('of norms are looked at too', async () => {
    await expect(compiled(Number.NaN, 'int8', 'model.encoder.norm.weight')).rejects.toMatchObject({
      code: 'NUMBERS_NOT_FINITE',
      message: expect.stringContaining('tensor model.encoder.norm.weight, row 0, column 3 is NaN'),
    });
  });

  it('that are just not beyond are kept', async () => {
    const float16 = await compiled(65_519, 'float16');
    expect(float16.precision).toBe('float16');
    const bfloat16 = await compiled(3.396e38, 'bfloat16');
    expect(bfloat16.precision).toBe('bfloat16');
  });
});

describe('one bad document', () => {
  it('is an error among scores', async () => {
    const items = [document('lamp'), broken, document('tent')].map((text) => ({ document: text, target: '24 euros' }));
    const prefixed = { document: document('desk'), prefix: broken, target: '24 euros' };
    const [first, bad, last, badPrefix] = await scoreTexts(model, [...items, prefixed], { maxTokens: 512 });
    const alone = await scoreTexts(model, [items[0]!, items[2]!], { maxTokens: 512 });
    expect([first, last]).toEqual(alone);
    for (const error of [bad, badPrefix]) {
      expect(error).toMatchObject({ code: 'NUMBERS_NOT_FINITE', message: expect.stringMatching(NAMED) });
    }
  });

  it('is an error line of dkv score, and the others are scored', async () => {
    const input = [document('lamp'), broken, document('tent')]
      .map((text, id) => `${JSON.stringify({ id, document: text, target: '24 euros' })}\n`)
      .join('');
    const { exitCode, stdout } = await dkv(['score', '--model', folder], { input });
    expect(exitCode).toBe(2);
    expect(stdout).not.toContain('null');
    const [first, bad, last] = jsonLines(stdout);
    expect(bad).toEqual({
      id: 1,
      line: 2,
      error: { code: 'NUMBERS_NOT_FINITE', message: expect.stringMatching(NAMED) },
    });
    expect([first!.nll, last!.nll]).toEqual([expect.any(Number), expect.any(Number)]);
  });

  it('is a rejected sample of a run, under all conditions or under none', async () => {
    const names = [...OTHERS, 'clock'];
    const samples = names.map((name, i) => ({
      id: name,
      document: i === 2 ? broken : document(name),
      // Breaks under the conditions that put the query in front of the document, and not under the bare one.
      query: i === 4 ? `How much is ${BROKEN_WORD}?` : `How much is the ${name}?`,
      answer: '24 euros',
    }));
    const data = datasetOf({ name: 'lamps', revision: '1', licence: 'Apache-2.0', selection: 'all' }, samples);
    const directory = await temporaryFolder();
    const options = { directory, resume: false, maxTokens: 512, ignoreCeiling: true };
    const summary = await runExperiment(truncation, data, model, options);
    expect(summary.samples.scored).toBe(4);
    expect(summary.samples.rejected).toEqual([
      { sample: 'chair', rejected: expect.stringMatching(NAMED) },
      { sample: 'radio', rejected: expect.stringMatching(/under condition oracle.*broken-word as float32/) },
    ]);
    const entries = await entriesIn(directory);
    expect(entries).toHaveLength(4 * truncation.conditions.length + 2);
    for (const { nll } of summary.conditions) expect(nll).toBeGreaterThan(0);
    // The others are what they are without the bad ones.
    const sound = datasetOf(
      { name: 'lamps', revision: '1', licence: 'Apache-2.0', selection: 'all' },
      samples.filter((_, i) => i !== 2 && i !== 4),
    );
    const alone = await runExperiment(truncation, sound, model, { ...options, directory: await temporaryFolder() });
    const bare = (of: typeof summary) => of.conditions.find(({ name }) => name === 'bare')!.nll;
    expect(bare(summary)).toBeCloseTo(bare(alone), 6);
    // Going on with it changes nothing.
    expect(await runExperiment(truncation, data, model, { ...options, resume: true })).toEqual(summary);
    const probed = await runExperiment(insideTheEncoder, data, model, {
      ...options,
      directory: await temporaryFolder(),
    });
    // One of them borrows the query that breaks.
    expect(probed.samples.scored).toBe(3);
    expect(probed.samples.rejected.map(({ sample }) => sample)).toEqual(expect.arrayContaining(['chair', 'radio']));
    for (const { rejected } of probed.samples.rejected) expect(rejected).toMatch(NAMED);
  });

  it('ends a run of nothing else with its reason', async () => {
    const samples = [{ id: 'a', document: broken, query: 'How much?', answer: '24 euros' }];
    const data = datasetOf({ name: 'lamps', revision: '1', licence: 'Apache-2.0', selection: 'all' }, samples);
    const run = runExperiment(truncation, data, model, {
      directory: await temporaryFolder(),
      resume: false,
      maxTokens: 512,
    });
    await expect(run).rejects.toThrow(/None of the 1 samples could be scored.*The first, a: .*holds NaN/);
  });

  it('is rejected while priming, by states and by priors, and is none of the store', async () => {
    const store = await openStore('memory:');
    onTestFinished(() => store.close());
    const rejections: RejectedDocument[] = [];
    const documents = [...OTHERS.map((name) => ({ id: name, text: document(name) })), { id: 'bad', text: broken }];
    const options = { surrogates: ['lead'], onRejected: (one: RejectedDocument) => rejections.push(one) };
    const summary = await prime(model, store, documents, { ...options, priorQueries: ['How much is it?'] });
    expect(summary).toMatchObject({ primed: OTHERS.length, rejected: 1 });
    expect(rejections).toEqual([
      { row: 6, id: 'bad', reason: expect.stringMatching(/^bare: .*broken-word as float32/) },
    ]);
    expect(await store.entry('bad')).toBeUndefined();
    expect((await store.entry('lamp'))?.metadata.priors).toEqual({
      bare: expect.any(Number),
      lead: expect.any(Number),
    });

    rejections.length = 0;
    const other = await openStore('memory:');
    onTestFinished(() => other.close());
    const none = await prime(model, other, documents, { ...options, priorQueries: [`${BROKEN_WORD} costs`] });
    expect(none).toMatchObject({ primed: 0, rejected: documents.length });
  });

  it('is in no ranking, by name, and its query in no evaluation', async () => {
    const store = await openStore('memory:');
    onTestFinished(() => store.close());
    await prime(
      model,
      store,
      OTHERS.map((name) => ({ id: name, text: document(name) })),
      { surrogates: ['lead'] },
    );
    const candidates = OTHERS.map((id) => ({ id }));
    const queries = [
      { id: 'q1', text: 'How much is the lamp?', candidates },
      { id: 'q2', text: `${BROKEN_WORD} how much`, candidates },
      { id: 'q3', text: 'How much is the tent?', candidates },
    ];
    const rankings = [];
    for await (const ranking of rank(model, store, queries)) rankings.push(ranking);
    expect(rankings.map(({ documents }) => documents.length)).toEqual([5, 0, 5]);
    expect(rankings[0]!.rejected).toEqual([]);
    expect(rankings[1]!.rejected).toHaveLength(5);
    expect(rankings[1]!.rejected[0]).toEqual({
      id: 'lamp',
      reason: expect.stringMatching(/^Document "lamp": .*broken-word as float32/),
    });
    const grades = new Map([['lamp', 1]]);
    const qrels = new Map(queries.map(({ id }) => [id, grades]));
    const evaluation = await evaluate(model, store, queries, qrels);
    expect(evaluation.queries).toBe(2);
    expect(new Set(evaluation.rejected.map(({ query }) => query))).toEqual(new Set(['q2']));
    await expect(evaluate(model, store, [queries[1]!], qrels)).rejects.toMatchObject({ code: 'NUMBERS_NOT_FINITE' });
  });

  it('gets no surrogate from the model at hand, and the others theirs', async () => {
    const write = selfWriter(model, { cacheDirectory: await temporaryFolder(), maxTokens: 512 });
    const [first, bad] = await write([document('lamp'), broken], {});
    expect(first).toEqual(expect.any(String));
    expect(bad).toMatchObject({ code: 'NUMBERS_NOT_FINITE' });
  });
});

describe('what is computed from scores', () => {
  const random = () => new Random('test');
  const bad = [1, 2, Number.NaN, 4];
  it.each<[string, () => unknown]>([
    ['gains', () => summarizeGains([[1, 2, 3, 4], bad], samplingOf(independent(4), random()), random())],
    ['a mean', () => inferredMeans([bad], samplingOf(independent(4), random()))],
    ['a t-test', () => tTest(bad)],
    ["Wilcoxon's test", () => wilcoxon(bad)],
    ['random signs', () => signFlipTest([1, Number.POSITIVE_INFINITY], 10, random())],
    ['an isotonic regression', () => fitIsotonic(bad, [0, 0, 1, 1])],
    ['nDCG', () => measure('nDCG@10').of(new Map([['a', Number.NaN]]), new Map([['a', 1]]))],
    [
      'AUC',
      () =>
        measure('AUC').of(
          new Map([
            ['a', Number.NaN],
            ['b', 1],
          ]),
          new Map([['a', 1]]),
        ),
    ],
  ])('%s refuses them', (_, compute) => {
    expect(compute).toThrow(/expected finite numbers|not a number that is finite/);
  });

  it('is not written into a journal, nor read from one', async () => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    const writer = await JournalWriter.open(file, OWNER);
    const trial = {
      sample: 'a',
      condition: 'bare',
      nll: 1,
      nll_sum: 2,
      num_tokens: 2,
      token_nlls: [1, Number.NaN],
      prefix_tokens: 0,
      document_tokens: 3,
      cut: false,
    };
    await expect(writer.append([trial])).rejects.toThrow('a under bare: number 3 is NaN');
    await writer.close();
    expect(await readFile(file, 'utf8')).toBe(headLine(OWNER.head));
    for (const value of ['null', '1e999', 'NaN']) {
      await writeFile(file, `${JSON.stringify(trial).replace('null', value)}\n`);
      await expect(readJournal(file, OWNER)).rejects.toMatchObject({ code: 'RUN_DAMAGED' });
    }
  });
});

it('finds the first number that is not finite, wherever it stands', () => {
  for (const length of [0, 1, 2, 3, 4, 5, 7, 8, 17]) {
    const values = new Float32Array(length).fill(3e38);
    expect(firstNotFinite(values)).toBeUndefined();
    for (let at = 0; at < length; at++) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        expect(firstNotFinite(values.with(at, value))).toBe(at);
      }
    }
  }
});
