/** Fallbacks without a model: which of them a request has, and their orders. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { fallbackOf, fallbackScores, isForFallback, scaled } from '../../src/server/fallback.js';
import type { Candidate, Plan, RerankContext } from '../../src/server/rerank-asked.js';
import { byFallback } from '../../src/server/rerank-orders.js';
import { Bm25 } from '../../src/serving/bm25.js';
import { openStore } from '../../src/store/open.js';

const scored = [
  { id: 'a', firstStage: 1 },
  { id: 'b', firstStage: 2 },
];
const unscored = [{ id: 'a', firstStage: 1 }, { id: 'b' }];
const texts = [{ text: 'green lamp' }, { text: 'oak chair' }];

it('is what the request says, or the first stage where it is whole, and refused where it cannot be', () => {
  expect(fallbackOf(undefined, scored, true)).toBe('first_stage');
  expect(fallbackOf(undefined, unscored, true)).toBeUndefined();
  expect(fallbackOf('none', scored, true)).toBeUndefined();
  expect(fallbackOf('prior', unscored, false)).toBe('prior');
  expect(fallbackOf('bm25', unscored, true)).toBe('bm25');
  expect(fallbackOf('bm25', texts, false)).toBe('bm25');
  expect(() => fallbackOf('first_stage', unscored, true)).toThrow('documents.1 has none');
  expect(() => fallbackOf('prior', [...scored, ...texts], true)).toThrow('documents.2 is a text');
  expect(() => fallbackOf('bm25', unscored, false)).toThrow('deadline.bm25');
  expect(() => fallbackOf('bm25', [...scored, ...texts], true)).toThrow('texts alone');
});

it('scores by the first stage, by priors, or by the words of the query', () => {
  const index = new Bm25();
  index.add('a', 'oak chair');
  index.add('b', 'green lamp');
  const sources = {
    query: 'a green lamp',
    index,
    priorOf: ({ id }: { readonly id?: string | undefined }) => (id === 'a' ? 2.5 : undefined),
  };
  expect(fallbackScores('first_stage', scored, sources)).toEqual([1, 2]);
  expect(fallbackScores('prior', scored, sources)).toEqual([-2.5, undefined]);
  const [a, b, c] = fallbackScores('bm25', [...scored, { id: 'c' }], sources);
  expect([a, b! > 0, c]).toEqual([0, true, undefined]);
  expect(fallbackScores('bm25', scored, { ...sources, index: undefined })).toEqual([undefined, undefined]);
  const [first, second] = fallbackScores('bm25', [...texts, { text: 'green lamp' }], sources);
  expect([first! > 0, second]).toEqual([true, 0]);
});

it('scales scores into [0, 1], also the largest numbers, and equal ones, which say nothing, to 0', () => {
  expect(scaled([3, 1, 2])).toEqual([1, 0, 0.5]);
  expect(scaled([2, 2])).toEqual([0, 0]);
  expect(scaled([Number.MAX_VALUE, -Number.MAX_VALUE, 0])).toEqual([1, 0, 0.5]);
  expect(scaled([])).toEqual([]);
});

it('is for failures of time, engine and storage alone', () => {
  const codes = ['DEADLINE_PASSED', 'ENGINE_FAILED', 'DEVICE_LOST', 'STORE_UNREACHABLE'] as const;
  for (const code of codes) expect(isForFallback(new DkvError(code, 'x'))).toBe(true);
  for (const code of ['ENGINE_BUSY', 'STORE_MISMATCH', 'CANCELLED', 'INPUT_INVALID'] as const) {
    expect(isForFallback(new DkvError(code, 'x'))).toBe(false);
  }
  expect(isForFallback(new Error('x'))).toBe(false);
});

it('keeps what the filter refuses and what is deleted out, and says nothing of documents whose storage is away', async () => {
  const store = await openStore('memory:');
  onTestFinished(() => store.close());
  const reason = new DkvError('STORE_UNREACHABLE', 'It is away.');
  const filtered = new DkvError('FILTERED', 'Not Rome.');
  const candidates: Candidate[] = ['a', 'b', 'c'].map((id, at) => ({ id, firstStage: at }));
  const nll = { score: -2, nll: 2, nllSum: 4, tokens: 2 };
  const plan = {
    variant: 'bare',
    fallback: 'first_stage',
    metadata: new Map([
      ['a', {}],
      ['b', {}],
    ]),
    refused: new Map([['b', filtered]]),
    admit: () => undefined,
  } as unknown as Plan;
  const context = { store, index: null } as unknown as RerankContext;
  const asked = { query: 'q', candidates };
  const made = await byFallback(asked, plan, context, [nll, reason, reason], reason);
  expect(made.ranked).toEqual([{ index: 0, score: 0, relevanceScore: 0, nll: 2 }]);
  expect(made.leftOut.map(({ index, error }) => [index, error.code])).toEqual([
    [1, 'FILTERED'],
    [2, 'DOCUMENT_MISSING'],
  ]);
  vi.spyOn(store, 'entries').mockRejectedValue(reason);
  const away = await byFallback(asked, plan, context, [nll, reason, reason], reason);
  expect(away.ranked.map(({ index }) => index)).toEqual([2, 0]);
  const withFilter = byFallback({ ...asked, filter: () => undefined }, plan, context, [nll, reason, reason], reason);
  await expect(withFilter).rejects.toBe(reason);
  await expect(
    byFallback(asked, { ...plan, fallback: undefined }, context, [nll, reason, reason], reason),
  ).rejects.toBe(reason);
});
