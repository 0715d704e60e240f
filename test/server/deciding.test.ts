/** Experiments, decisions and shadows on their way through the rerank route, with the built-in model and a log on disk. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import type { Caller } from '../../src/server/caller.js';
import { readDecisionLogs } from '../../src/server/decision-reader.js';
import { armOf } from '../../src/server/experiment.js';
import { type Layer, settingsOf } from '../../src/server/settings.js';
import { prime } from '../../src/serving/prime.js';
import type { DecisionLine, ShadowLine } from '../../src/wire/http/decisions.js';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';
import { served } from '../support/server.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const DOCUMENTS = [
  { id: 'lamp', text: 'The green lamp costs 24 euros and gives warm light.' },
  { id: 'chair', text: 'The oak chair costs 80 euros.' },
  { id: 'desk', text: 'A desk of pine, 120 cm wide.' },
];
const byId = DOCUMENTS.map(({ id }) => ({ id }));
const QUERY = 'a secret wish for a warm lamp';
const CALLER: Caller = { keyId: '0f3a9c51b2de', tenant: 'shop', tenantSalt: '', scope: 'admin' };

const EXPERIMENT = {
  name: 'priming',
  arms: [
    { name: 'bare', share: 0.5, variant: 'bare' },
    { name: 'keywords', share: 0.5, variant: 'doc_kw' },
  ],
};

async function running(settings: Layer, folder: string) {
  const all = { ...settings, decisions: { folder, ...(settings.decisions as object) } };
  const server = await served(model, { settings: all, callers: () => CALLER });
  await prime(model, server.store, DOCUMENTS, { surrogates: ['doc_kw'] });
  const logged = async () => {
    await server.parts.deciding.idle();
    await server.parts.deciding.close();
    const lines: (DecisionLine | ShadowLine)[] = [];
    for await (const { line } of readDecisionLogs([folder])) if (line && line.kind !== 'log') lines.push(line);
    return {
      decisions: lines.filter((line) => line.kind === 'decision'),
      shadows: lines.filter((line) => line.kind === 'shadow'),
    };
  };
  return { ...server, logged };
}

describe('an answer', () => {
  it('is a line of the log, with the numbers that were answered and no text', async () => {
    const folder = await temporaryFolder();
    const { ask, logged } = await running({}, folder);
    const documents = [
      { id: 'lamp', first_stage_score: 2 },
      { text: 'A text that nobody may read.', first_stage_score: 1 },
      { id: 'gone', first_stage_score: 0 },
    ];
    const { body, headers } = await ask('POST', '/v1/rerank', {
      query: QUERY,
      documents,
      top_n: 1,
      unit: 'visitor 7',
      interpolate: 0.25,
    });
    const { decisions, shadows } = await logged();
    expect(shadows).toEqual([]);
    expect(decisions).toHaveLength(1);
    const [line] = decisions;
    expect(line).toMatchObject({
      decision: body.decision_id,
      arm: null,
      variant: 'bare',
      objective: 'query-likelihood',
      prior: false,
      interpolate: 0.25,
      model: model.fingerprint,
      store: 'memory:',
      generation: null,
      calibrated: false,
      degraded: null,
      key: CALLER.keyId,
      tenant: 'shop',
      answered: 1,
      leftOut: 1,
    });
    expect(headers['x-decision-id']).toBe(body.decision_id);
    const [best, other] = line!.candidates;
    expect(best).toMatchObject({
      position: 1,
      index: body.results[0].index,
      score: body.results[0].score,
      nll: body.results[0].nll,
    });
    expect(other!.position).toBe(2);
    const text = [best!, other!].find(({ id }) => id === undefined)!;
    expect(text).toMatchObject({ index: 1, firstStage: 1, digest: expect.stringMatching(/^[0-9a-f]{32}$/) });
    for (const name of await readdir(folder)) {
      expect(await readFile(path.join(folder, name), 'utf8')).not.toMatch(/secret|nobody|visitor 7/);
    }
  });

  it('in text-embeddings-inference’s form is one, too, and one that is refused is none', async () => {
    const { ask, logged } = await running({}, await temporaryFolder());
    const { headers, body } = await ask('POST', '/rerank', { query: QUERY, texts: DOCUMENTS.map(({ text }) => text) });
    expect((await ask('POST', '/rerank', { query: QUERY, texts: ['x'], colour: 1 })).status).toBe(400);
    const { decisions } = await logged();
    expect(decisions.map(({ decision, candidates }) => [decision, candidates.map(({ index }) => index)])).toEqual([
      [headers['x-decision-id'], body.map(({ index }: { index: number }) => index)],
    ]);
  });

  it('keeps in the log what it showed and so many documents behind it', async () => {
    const { ask, logged } = await running({ decisions: { candidates: 1 } }, await temporaryFolder());
    for (const top_n of [1, 2, undefined]) await ask('POST', '/v1/rerank', { query: QUERY, documents: byId, top_n });
    const { decisions } = await logged();
    expect(decisions.map(({ candidates, answered }) => [candidates.length, answered])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });
});

describe('an experiment', () => {
  it('ranks a unit by its arm, and evaluate says which arm did better', async () => {
    const folder = await temporaryFolder();
    const { ask, logged } = await running({ experiment: EXPERIMENT }, folder);
    const { experiment } = settingsOf([{ store: 'x', experiment: EXPERIMENT, decisions: { folder } }]);
    const asked = (unit: string, own = {}) =>
      ask('POST', '/v1/rerank', { query: QUERY, documents: byId, unit, ...own });
    const plain = await Promise.all(
      ['bare', 'doc_kw'].map(
        async (variant) => (await ask('POST', '/v1/rerank', { query: QUERY, documents: byId, variant })).body.results,
      ),
    );
    const outcomes: string[] = [];
    for (let n = 0; n < 24; n++) {
      const unit = `v${n % 12}`;
      const { body } = await asked(unit);
      const arm = armOf(experiment!, 'shop', unit).name;
      expect(body.results).toEqual(plain[arm === 'bare' ? 0 : 1]);
      if (arm === 'bare' || n % 3 === 0)
        outcomes.push(JSON.stringify({ decision_id: body.decision_id, document_id: 'lamp', reward: 1 }));
    }
    const { decisions } = await logged();
    // Those that named their variant themselves are in no arm.
    expect(decisions.slice(0, 2).map(({ arm }) => arm)).toEqual([null, null]);
    const units = new Map(decisions.slice(2).map(({ unit, arm }) => [unit, arm]));
    expect(units.size).toBe(12);
    for (const { unit, arm, variant } of decisions.slice(2)) {
      expect(units.get(unit)).toBe(arm);
      expect(variant).toBe(arm === 'bare' ? 'bare' : 'doc_kw');
    }
    const file = path.join(folder, 'outcomes');
    await writeFile(file, outcomes.join('\n'));
    const { stdout, stderr } = await dkv(['evaluate', '--log', folder, '--outcomes', file, '--json']);
    const { arms, outside, units: counted } = JSON.parse(stdout || stderr);
    expect({ outside, counted }).toEqual({ outside: 2, counted: 12 });
    expect(arms.map(({ name, share }: { name: string; share: number }) => [name, share])).toEqual([
      ['bare', 0.5],
      ['keywords', 0.5],
    ]);
    expect(arms[0].reward.value).toBe(1);
    expect(arms[1].reward.value).toBeLessThan(1);
  });

  it('leaves alone what one of its arms could not rank', async () => {
    const arms = [
      { name: 'plain', share: 0.5 },
      { name: 'mixed', share: 0.5, interpolate: 0.5 },
    ];
    const { ask, logged } = await running({ experiment: { name: 'mix', arms } }, await temporaryFolder());
    for (let n = 0; n < 4; n++) {
      const unscored = await ask('POST', '/v1/rerank', { query: QUERY, documents: byId, unit: `u${n}` });
      expect(unscored.status).toBe(200);
    }
    for (let n = 0; n < 8; n++) {
      const documents = byId.map((own, at) => ({ ...own, first_stage_score: at }));
      await ask('POST', '/v1/rerank', { query: QUERY, documents, unit: `u${n}` });
    }
    const { decisions } = await logged();
    expect(decisions.slice(0, 4).map(({ arm }) => arm)).toEqual([null, null, null, null]);
    expect(new Set(decisions.slice(4).map(({ arm, interpolate }) => `${arm} ${interpolate}`))).toEqual(
      new Set(['plain null', 'mixed 0.5']),
    );
  });

  it('is refused without a log', () => {
    expect(() => settingsOf([{ store: 'x', experiment: EXPERIMENT }])).toThrow(
      /experiment: without the section "decisions" nobody would learn of it/,
    );
    expect(() => settingsOf([{ store: 'x', shadow: { variant: 'bare' } }])).toThrow(
      /shadow: without the section "decisions"/,
    );
  });
});

describe('a shadow', () => {
  it('ranks the same documents behind the answer, and is logged and never answered', async () => {
    const { ask, logged } = await running({ shadow: { variant: 'doc_kw' } }, await temporaryFolder());
    const documents = [...byId, { id: 'gone' }];
    const shown = await ask('POST', '/v1/rerank', { query: QUERY, documents });
    const own = await ask('POST', '/v1/rerank', { query: QUERY, documents, variant: 'doc_kw' });
    const { decisions, shadows } = await logged();
    expect(shadows.map(({ decision }) => decision)).toEqual(decisions.map(({ decision }) => decision));
    const [first] = shadows;
    expect(first).toMatchObject({ variant: 'doc_kw', dropped: null, model: model.fingerprint });
    expect(decisions[0]).toMatchObject({ variant: 'bare' });
    const orderOf = ({ body }: typeof shown) => body.results.map(({ index }: { index: number }) => index);
    expect(first!.candidates.map(({ index }) => index)).toEqual(orderOf(own));
    expect(first!.candidates.map(({ nll }) => nll)).toEqual(own.body.results.map(({ nll }: { nll: number }) => nll));
    for (const { index, shown: place } of first!.candidates) expect(orderOf(shown)[place - 1]).toBe(index);
  });

  it('is dropped, and logged as that, where too many wait or it fails', async () => {
    const { ask, logged } = await running({ shadow: { variant: 'doc_kw', waiting: 1 } }, await temporaryFolder());
    await Promise.all(Array.from({ length: 6 }, () => ask('POST', '/v1/rerank', { query: QUERY, documents: byId })));
    const { shadows } = await logged();
    expect(shadows).toHaveLength(6);
    const dropped = shadows.filter((line) => line.dropped !== null);
    expect(dropped.length).toBeGreaterThan(0);
    for (const line of dropped) expect(line).toMatchObject({ dropped: 'SERVER_BUSY', candidates: [] });
  });
});
