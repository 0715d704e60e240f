/** What every implementation of the engine interface has to do; run on each of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import {
  allRows,
  type ChosenTokens,
  type Device,
  type EncodeItem,
  type Engine,
  eachOf,
  type Generated,
  type GenerateItem,
  type LogitsItem,
  type PhaseTimes,
  PRIORITIES,
  type ScoreItem,
  type StatesSource,
} from '../../src/engine/engine.js';
import type { HostOptions } from '../../src/hosts/options.js';
import type { Precision } from '../../src/model/graph/layout.js';
import { AT_ONE, INVERSE_TEMPERATURES } from '../../src/stats/inverse-temperatures.js';

export type StartEngine = (options?: Partial<HostOptions>) => Promise<Engine>;

const random = new Random('engine conformance');
const tokens = (count: number, vocabulary = 300) =>
  Int32Array.from({ length: count }, () => 3 + random.below(vocabulary - 3));
const NO_PROMPT = new Int32Array(0);

/** @param isolated does the engine live outside the caller's thread? */
export function engineConformance(
  name: string,
  start: StartEngine,
  isolated: boolean,
  { precision = 'float32', device = 'cpu' }: { readonly precision?: Precision; readonly device?: Device } = {},
): void {
  describe(`engine: ${name}`, () => {
    let engine: Engine;
    let items: EncodeItem[];
    beforeAll(async () => {
      engine = await start({ batchTokens: 512 });
      items = Array.from({ length: 60 }, () => ({ tokenIds: tokens(1 + random.below(90)) }));
    });
    afterAll(() => engine.close());

    it('says what it runs', () => {
      expect(engine.info).toMatchObject({ device, precision, batchTokens: 512 });
      expect(engine.info.shape.vocabularySize).toBe(320);
    });

    it('answers in the order of the items, whatever the batches', async () => {
      const together = await engine.encode(items);
      for (const i of [0, 17, 59]) {
        const [alone] = await engine.encode([items[i]!]);
        expect(together[i]!.rows).toBe(items[i]!.tokenIds.length);
        expect(together[i]!.data).toEqual(alone!.data);
      }
    });

    it('does nothing for no items', async () => {
      expect(await engine.encode([])).toEqual([]);
      expect(await engine.score([])).toEqual([]);
      expect(await engine.scoreTempered([])).toEqual([]);
      expect(await engine.logits([])).toEqual([]);
      expect(await engine.generate([])).toEqual([]);
      expect(await engine.probe([], { hidden: [0], attention: [] })).toEqual([]);
    });

    it('scores the same with the query in the prompt as with it in front of the target', async () => {
      const [states] = await engine.encode([items[0]!]);
      const memory = [allRows(states!)];
      const [query, target] = [tokens(5), tokens(4)];
      const [joined] = await engine.score([
        { memory, prompt: NO_PROMPT, target: Int32Array.from([...query, ...target]) },
      ]);
      const [apart] = await engine.score([{ memory, prompt: query, target }]);
      expect(apart).toHaveLength(4);
      for (let i = 0; i < 4; i++) expect(apart![i]!).toBeCloseTo(joined![5 + i]!, 5);
    });

    it('scores many targets on few memories as it scores each alone', async () => {
      const states = await engine.encode(items.slice(0, 3));
      const memories = states.flatMap((of) => [[allRows(of)], [{ ...allRows(of), masked: true }]]);
      const wanted: ScoreItem[] = Array.from({ length: 24 }, (_, i) => ({
        memory: memories[i % memories.length]!,
        prompt: NO_PROMPT,
        target: tokens(5),
      }));
      const together = await engine.score(wanted);
      for (const [i, item] of wanted.entries()) {
        const [alone] = await engine.score([item]);
        for (const [j, nll] of alone!.entries()) expect(together[i]![j], `item ${i}`).toBeCloseTo(nll, 5);
      }
    });

    it('scores at inverse temperatures what it scores at 1, and each item as alone', async () => {
      const states = await engine.encode(items.slice(0, 5));
      const wanted = Array.from(
        { length: 11 },
        (_, i): ScoreItem => ({
          memory: [allRows(states[i % 5]!)],
          prompt: tokens(i % 3),
          target: tokens(1 + (i % 4)),
        }),
      );
      const together = await engine.scoreTempered(wanted);
      const plain = await engine.score(wanted);
      for (const [i, item] of wanted.entries()) {
        const own = together[i]!;
        expect(own).toHaveLength(INVERSE_TEMPERATURES.length * item.target.length);
        const [alone] = await engine.scoreTempered([item]);
        for (const [j, nll] of alone!.entries()) expect(own[j], `item ${i}`).toBeCloseTo(nll, 5);
        const atOne = own.filter((_, j) => j % INVERSE_TEMPERATURES.length === AT_ONE);
        for (const [j, nll] of atOne.entries()) expect(nll, `item ${i}`).toBeCloseTo(plain[i]![j]!, 5);
      }
    });

    it('gives logits that differ as the NLLs of the same tokens do, whatever the batches', async () => {
      const states = await engine.encode(items.slice(0, 6));
      const wanted = Array.from({ length: 12 }, (_, i): LogitsItem => {
        const memory = [allRows(states[i % 6]!)];
        return { memory, prompt: i % 4 === 3 ? NO_PROMPT : tokens(1 + (i % 5)), tokens: tokens(1 + (i % 4)) };
      });
      const together = await engine.logits(wanted);
      for (const [i, { tokens: ids, ...item }] of wanted.entries()) {
        const nlls = await engine.score(Array.from(ids, (id) => ({ ...item, target: Int32Array.of(id) })));
        const own = together[i]!;
        expect(own).toHaveLength(ids.length);
        for (let j = 1; j < ids.length; j++) {
          expect(Math.abs(own[j]! - own[0]! - (nlls[0]![0]! - nlls[j]![0]!)), `item ${i}`).toBeLessThan(1e-4);
        }
        const [alone] = await engine.logits([wanted[i]!]);
        for (const [j, logit] of alone!.entries()) expect(own[j], `item ${i}`).toBeCloseTo(logit, 5);
      }
    });

    it('generates what it finds most likely, and scores it as it says', async () => {
      const [states] = await engine.encode([items[1]!]);
      const memory = [allRows(states!)];
      // More than one run of the graph makes.
      const [generated] = await engine.generate([{ memory, prompt: NO_PROMPT, maxTokens: 40 }]);
      expect(generated!.stop).toBe('length');
      expect(generated!.tokenIds).toHaveLength(40);
      const [nlls] = await engine.score([{ memory, prompt: NO_PROMPT, target: generated!.tokenIds }]);
      // Another last bit (other shapes) can turn a number on the edge between two 8-bit steps over; seen on one text of seven.
      const digits = precision === 'int8' ? 2 : 4;
      for (let i = 0; i < 40; i++) expect(-generated!.logProbabilities[i]!).toBeCloseTo(nlls![i]!, digits);
    });

    it('draws the most likely token when only that may be drawn, and says how likely each token was', async () => {
      const [states] = await engine.encode([{ tokenIds: tokens(12) }]);
      const item = { memory: [allRows(states!)], prompt: NO_PROMPT, maxTokens: 6 };
      const sampling = (temperature: number, topP: number) => ({ ...item, sampling: { temperature, topP, seed: 3 } });
      const [greedy, narrow, wide] = await engine.generate([item, sampling(1, 1e-6), sampling(2, 1)]);
      expect(narrow).toEqual(greedy);
      const [nlls] = await engine.score([{ ...item, target: wide!.tokenIds }]);
      for (const [i, nll] of nlls!.entries()) expect(-wide!.logProbabilities[i]!).toBeCloseTo(nll, 4);
    });

    it('generates different lengths of prompt and memory in one request as in many', async () => {
      const states = await engine.encode(items.slice(0, 12));
      const wanted: GenerateItem[] = states.map((s, i) => ({
        memory: [{ states: s, start: 0, end: Math.min(s.rows, i * 3) }],
        prompt: tokens(i % 5),
        maxTokens: i % 6 === 5 ? 35 : 3 + (i % 4),
      }));
      const together = await engine.generate(wanted);
      for (const [i, item] of wanted.entries()) {
        const [alone] = await engine.generate([item]);
        expect([...together[i]!.tokenIds], `item ${i}`).toEqual([...alone!.tokenIds]);
        expect(together[i]!.tokenIds.length).toBeLessThanOrEqual(item.maxTokens);
      }
    });

    it('tells the tokens of texts while they are written, which are those that it returns', async () => {
      const states = await engine.encode(items.slice(0, 4));
      const wanted = states.map(
        (own, i): GenerateItem => ({
          ...{ memory: [allRows(own)], prompt: tokens(i), maxTokens: 33 + i },
          ...(i % 2 === 1 && { sampling: { temperature: 1, topP: 0.9, seed: i } }),
        }),
      );
      const told = wanted.map(() => ({ tokenIds: [] as number[], logProbabilities: [] as number[], times: 0 }));
      const onTokens = ({ item, tokenIds, logProbabilities }: ChosenTokens) => {
        told[item]!.tokenIds.push(...tokenIds);
        told[item]!.logProbabilities.push(...logProbabilities);
        told[item]!.times++;
      };
      // Others share their batches and are told nothing.
      const [texts, others] = await Promise.all([engine.generate(wanted, { onTokens }), engine.generate(wanted)]);
      for (const [i, { tokenIds, logProbabilities }] of texts.entries()) {
        expect(told[i]!.tokenIds, `item ${i}`).toEqual([...tokenIds]);
        expect(told[i]!.logProbabilities, `item ${i}`).toEqual([...logProbabilities]);
        expect(told[i]!.times, `item ${i}`).toBeGreaterThan(3);
        expect([...others[i]!.tokenIds]).toEqual([...tokenIds]);
      }
    });

    it('ends a text in the middle when who is told its tokens says so, and rejects what they throw', async () => {
      const [states] = await engine.encode([items[1]!]);
      const long: GenerateItem = { memory: [allRows(states!)], prompt: NO_PROMPT, maxTokens: 4000 };
      const controller = new AbortController();
      let told = 0;
      const stopped = engine.generate([long], {
        signal: controller.signal,
        onTokens: ({ tokenIds }) => {
          told += tokenIds.length;
          controller.abort();
        },
      });
      await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(told).toBeGreaterThan(0);
      const broken = engine.generate([long], {
        onTokens: () => {
          throw new Error('the caller is wrong');
        },
      });
      await expect(broken).rejects.toThrow('the caller is wrong');
      // Neither is written to its end.
      expect(await engine.generate([{ ...long, maxTokens: 2 }])).toHaveLength(1);
      expect(told).toBeLessThan(100);
    });

    it('samples the same for the same seed, in any company, and something else for another', async () => {
      const [states] = await engine.encode([items[2]!]);
      const memory = [allRows(states!)];
      const item = (seed: number): GenerateItem => ({
        memory,
        prompt: NO_PROMPT,
        maxTokens: 12,
        sampling: { temperature: 3, topP: 0.95, seed },
      });
      const [first] = await engine.generate([item(1)]);
      const [again, other] = await engine.generate([item(1), item(2)]);
      expect([...again!.tokenIds]).toEqual([...first!.tokenIds]);
      expect([...other!.tokenIds]).not.toEqual([...first!.tokenIds]);
    });

    it('finds states by name, once each, and says for which items there are none', async () => {
      const states = await engine.encode(items.slice(0, 3));
      const reads: (readonly string[])[] = [];
      const source: StatesSource = {
        address: undefined,
        statesOf: async (keys) => {
          reads.push(keys);
          return keys.map((key) => states[Number(key)] ?? new DkvError('DOCUMENT_MISSING', `There is no ${key}.`));
        },
      };
      const named = ['2', '7', '0', '2'].map((key): ScoreItem & LogitsItem & GenerateItem => ({
        memory: { source, key, fingerprints: ['f'] },
        prompt: tokens(3),
        target: tokens(4),
        tokens: tokens(2),
        maxTokens: 3,
      }));
      const held = named.map(({ memory, ...item }) => {
        const own = 'key' in memory ? states[Number(memory.key)] : undefined;
        return { ...item, memory: own ? [allRows(own)] : [] };
      });
      const missing = { code: 'DOCUMENT_MISSING', message: 'There is no 7.' };
      const scored = await eachOf(named, (some) => engine.score(some));
      const nlls = await engine.score(held);
      const odds = await eachOf(named, (some) => engine.logits(some));
      const logits = await engine.logits(held);
      const generated = await eachOf(named, (some) => engine.generate(some));
      const texts = await engine.generate(held);
      for (const [i, { target }] of named.entries()) {
        if (i === 1) {
          for (const found of [scored, odds, generated]) expect(found[i]).toMatchObject(missing);
          continue;
        }
        for (const j of target.keys()) expect((scored[i] as Float32Array)[j]).toBeCloseTo(nlls[i]![j]!, 5);
        for (const j of [0, 1]) expect((odds[i] as Float32Array)[j]).toBeCloseTo(logits[i]![j]!, 5);
        expect((generated[i] as Generated).tokenIds).toEqual(texts[i]!.tokenIds);
      }
      expect(reads.map((keys) => [...keys].sort())).toEqual([
        ['0', '2', '7'],
        ['0', '2', '7'],
        ['0', '2', '7'],
      ]);
    });

    it('reports progress', async () => {
      const seen: [number, number][] = [];
      await engine.encode(items, { onProgress: (done, total) => seen.push([done, total]) });
      expect(seen.length).toBeGreaterThan(3);
      expect(seen.at(-1)).toEqual([60, 60]);
    });

    it('answers many callers at once as each of them alone', async () => {
      const states = await engine.encode(items.slice(0, 12));
      const wanted = states.map((of, i): ScoreItem & GenerateItem => ({
        memory: [allRows(of)],
        prompt: tokens(i % 3),
        target: tokens(2 + (i % 4)),
        maxTokens: 2 + (i % 5),
      }));
      const priority = (i: number) => PRIORITIES[i % 2]!;
      const [encoded, scored, generated] = await Promise.all([
        Promise.all(items.map((item, i) => engine.encode([item, items[59 - i]!], { priority: priority(i) }))),
        Promise.all(wanted.map((item, i) => engine.score([item, wanted[11 - i]!], { priority: priority(i) }))),
        Promise.all(wanted.map((item, i) => engine.generate([item], { priority: priority(i) }))),
      ]);
      for (const [i, item] of items.entries()) {
        const [alone] = await engine.encode([item]);
        expect(encoded[i]![0]!.data).toEqual(alone!.data);
        expect(encoded[59 - i]![1]!.data).toEqual(alone!.data);
      }
      for (const [i, item] of wanted.entries()) {
        const [[nlls], [text]] = [await engine.score([item]), await engine.generate([item])];
        for (const own of [scored[i]![0]!, scored[11 - i]![1]!]) {
          for (const [j, nll] of nlls!.entries()) expect(own[j], `item ${i}`).toBeCloseTo(nll, 5);
        }
        expect([...generated[i]![0]!.tokenIds], `item ${i}`).toEqual([...text!.tokenIds]);
      }
      const { waitingItems, runningBatches, phases } = await engine.load();
      expect({ waitingItems, runningBatches }).toEqual({
        waitingItems: { interactive: 0, bulk: 0 },
        runningBatches: 0,
      });
      expect(Math.min(phases.waiting, phases.encoding, phases.decoding)).toBeGreaterThan(0);
    });

    it('drops requests after their deadline, and answers those of others', async () => {
      const busy = engine.encode([...items, ...items]);
      const late = engine.encode([items[0]!], { deadlineMs: 0.001 });
      const other = engine.encode([items[1]!], { priority: 'interactive' });
      await expect(late).rejects.toMatchObject({ code: 'DEADLINE_PASSED' });
      expect(await other).toHaveLength(1);
      expect(await busy).toHaveLength(120);
    });

    it('drops the items alone that are in no batch at the deadline, where it is told to', async () => {
      const states = await engine.encode(items.slice(0, 2));
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const source: StatesSource = {
        address: undefined,
        statesOf: async (keys) => {
          await released;
          return keys.map((key) => states[Number(key)]!);
        },
      };
      const rest = { prompt: tokens(2), target: tokens(3) };
      const held = [0, 1].map((at): ScoreItem => ({ memory: [allRows(states[at]!)], ...rest }));
      // The states of the second and the fourth come when the deadline is over.
      const named = [0, 1].map((at): ScoreItem => ({ memory: { source, key: `${at}`, fingerprints: ['f'] }, ...rest }));
      const mixed = [held[0]!, named[0]!, held[1]!, named[1]!];
      const within = { deadlineMs: 1000, dropLate: true };
      const told: [number, number][] = [];
      const onProgress = (done: number, total: number) => told.push([done, total]);
      const some = await eachOf(mixed, (asked) => engine.score(asked, { ...within, onProgress }));
      const nlls = await engine.score(held);
      for (const [i, own] of some.entries()) {
        if (i % 2 === 1) {
          expect(own).toMatchObject({
            code: 'DEADLINE_PASSED',
            message: expect.stringContaining('deadline of 1000 ms'),
          });
          continue;
        }
        for (const [j, nll] of nlls[i / 2]!.entries()) expect((own as Float32Array)[j]).toBeCloseTo(nll, 5);
      }
      expect(told.at(-1)).toEqual([2, 4]);
      // Of a request that nothing has begun of, all of it is dropped, as without the option.
      const none = engine.score(named, { ...within, deadlineMs: 5 });
      await expect(none).rejects.toMatchObject({
        code: 'DEADLINE_PASSED',
        message: expect.not.stringContaining('Item'),
      });
      release();
      expect(await engine.score(named, within)).toHaveLength(2);
      expect((await engine.load()).waitingItems).toEqual({ interactive: 0, bulk: 0 });
    });

    it('counts against a deadline what held the caller’s thread', async () => {
      const late = engine.encode([items[0]!], { deadlineMs: 10 });
      const since = performance.now();
      while (performance.now() - since < 30);
      await expect(late).rejects.toThrow('deadline of 10 ms passed');
    });

    it('says how long a request was in each phase', async () => {
      const seen: PhaseTimes[] = [];
      await engine.encode(items, { tokenisingMs: 5, onPhases: (times) => seen.push(times) });
      expect(seen).toEqual([expect.objectContaining({ tokenising: 5, decoding: 0, reading: 0 })]);
      expect(seen[0]!.encoding).toBeGreaterThan(0);
    });

    it('refuses more than may wait', async () => {
      const small = await start({ batchTokens: 1, queueItems: 10 });
      const first = small.encode(items);
      const second = small.encode(items);
      await expect(second).rejects.toMatchObject({ code: 'ENGINE_BUSY' });
      expect(await first).toHaveLength(60);
      await small.close();
    });

    it('does not run what is cancelled before it starts', async () => {
      const signal = AbortSignal.abort();
      await expect(engine.encode(items, { signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    });

    it('stops between batches when cancelled, and goes on with other requests', async () => {
      const controller = new AbortController();
      let batches = 0;
      const onProgress = () => {
        batches++;
        controller.abort();
      };
      const small = await start({ batchTokens: 1 });
      const stopped = small.encode([...items, ...items, ...items], { signal: controller.signal, onProgress });
      const other = small.encode([items[0]!]);
      await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(batches).toBeLessThan(100);
      expect(await other).toHaveLength(1);
      await small.close();
    });

    it('takes many requests on one signal without a warning, and one word stops them all', async () => {
      const warnings: string[] = [];
      const onWarning = ({ name }: Error) => warnings.push(name);
      process.on('warning', onWarning);
      const controller = new AbortController();
      const many = Array.from({ length: 1000 }, () => engine.encode([items[0]!], { signal: controller.signal }));
      await many[0];
      controller.abort();
      const ends = await Promise.allSettled(many);
      // In this thread they may all have been done before the word came.
      if (isolated) expect(ends.some(({ status }) => status === 'rejected')).toBe(true);
      for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'CANCELLED' });
      expect(await engine.encode([items[0]!], {})).toHaveLength(1);
      process.off('warning', onWarning);
      expect(warnings).toEqual([]);
    });

    it('leaves the caller its thread', async () => {
      let ticks = 0;
      const timer = setInterval(() => ticks++, 5);
      await engine.encode([...items, ...items, ...items]);
      clearInterval(timer);
      if (isolated) expect(ticks).toBeGreaterThan(3);
      else expect(ticks).toBeGreaterThanOrEqual(0);
    });

    describe('refuses, and says what it found', () => {
      const encode = (item: EncodeItem) => () => engine.encode([items[0]!, item]);
      const score = (item: Partial<ScoreItem>) => () =>
        engine.score([{ memory: [], prompt: NO_PROMPT, target: tokens(1), ...item }]);
      const logits = (item: Partial<LogitsItem>) => () =>
        engine.logits([{ memory: [], prompt: NO_PROMPT, tokens: tokens(1), ...item }]);
      const generate = (item: Partial<GenerateItem>) => () =>
        engine.generate([{ memory: [], prompt: NO_PROMPT, maxTokens: 1, ...item }]);
      const states = (rows: number, width: number) => ({ rows, width, data: new Float32Array(rows * width) });
      const sampling = { temperature: 1, topP: 1, seed: 0 };
      const cases: [string, () => Promise<unknown>][] = [
        ['encode item 1: tokenIds is empty', encode({ tokenIds: new Int32Array(0) })],
        [
          "encode item 1: tokenIds holds 320; this model's vocabulary has ids 0 to 319",
          encode({ tokenIds: Int32Array.of(5, 320) }),
        ],
        ['holds -1', encode({ tokenIds: Int32Array.of(-1) })],
        ['2 positions for 3 tokens', encode({ tokenIds: tokens(3), positions: Int32Array.of(0, 1) })],
        ['pairMask has 3 entries, expected 2 x 2', encode({ tokenIds: tokens(2), pairMask: Uint8Array.of(1, 1, 1) })],
        ['row 1 of pairMask sees nothing', encode({ tokenIds: tokens(2), pairMask: Uint8Array.of(1, 1, 0, 0) })],
        ['score item 0: target is empty', score({ target: NO_PROMPT })],
        ['target holds 999', score({ target: Int32Array.of(999) })],
        ['prompt holds 320', score({ prompt: Int32Array.of(320) })],
        ["states are 2 x 31 in 62 numbers; this model's rows have 32", score({ memory: [allRows(states(2, 31))] })],
        [
          'rows 1 to 3 are asked for, the states have 2',
          score({ memory: [{ states: states(2, 32), start: 1, end: 3 }] }),
        ],
        ['logits item 0: tokens is empty', logits({ tokens: NO_PROMPT })],
        ['logits item 0: tokens holds 320', logits({ tokens: Int32Array.of(5, 320) })],
        ['maxTokens is 0', generate({ maxTokens: 0 })],
        ['topP is 0', generate({ sampling: { ...sampling, topP: 0 } })],
        ['temperature is -1', generate({ sampling: { ...sampling, temperature: -1 } })],
        [
          'Encoder layer 6 was asked for; this model has layers 0 to 5',
          () => engine.probe(items, { hidden: [6], attention: [] }),
        ],
      ];
      it.each(cases)('%s', async (message, request) => {
        await expect(request()).rejects.toMatchObject({
          code: 'INPUT_INVALID',
          message: expect.stringContaining(message),
        });
        await expect(request()).rejects.toBeInstanceOf(DkvError);
      });
    });

    it('says that a device is missing', async () => {
      await expect(start({ device: 'coreml' })).rejects.toMatchObject({
        code: 'DEVICE_UNAVAILABLE',
        message: expect.stringMatching(/"coreml".*available: cpu/),
      });
    });

    it('refuses requests once it is closed', async () => {
      const closed = await start();
      await closed.close();
      await expect(closed.encode(items)).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
    });
  });
}
