/** What happens around a server under load: its engine is killed, its storage goes away and comes back, records are damaged, weights are swapped, the disk is full. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { BUILT_IN_MODEL, loadModel, type Model } from '../../src/scoring/load-model.js';
import { type RunningServer, startServer } from '../../src/server/serve.js';
import { type Layer, settingsOf } from '../../src/server/settings.js';
import { prime } from '../../src/serving/prime.js';
import { score } from '../../src/serving/score.js';
import { openStore } from '../../src/store/open.js';
import { flipped, lmdbDamager } from '../support/damage.js';
import { editCheckpoint } from '../support/edited-checkpoint.js';
import { temporaryFolder } from '../support/fixtures.js';
import { REDIS_SERVER, startRedis } from '../support/redis.js';

/** More with `npm run test:faults`. */
const KILLS = Number(process.env.DKV_SERVER_KILLS ?? 2);
const CALLERS = 8;

const DOCUMENTS = Array.from({ length: 12 }, (_, i) => ({
  id: `lamp-${i}`,
  text: `The lamp number ${i} costs ${i + 20} euros.`,
}));
const TARGET = '24 euros';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

/** The documents in a store, and the NLL of the target given each. */
async function primed(location: string): Promise<ReadonlyMap<string, number>> {
  const store = await openStore(location);
  await prime(model, store, DOCUMENTS);
  const scores = await score(
    model,
    store,
    DOCUMENTS.map(({ id }) => ({ id, target: TARGET })),
  );
  await store.close();
  return new Map(scores.map((own, at) => [DOCUMENTS[at]!.id, 'nll' in own ? own.nll : Number.NaN]));
}

async function started(store: string, settings: Layer = {}): Promise<RunningServer> {
  const server = await startServer(settingsOf([{ store, listen: { port: 0 } }, settings]));
  onTestFinished(() => server.close());
  return server;
}

interface Answer {
  readonly id: string;
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks at in it is asserted there
  readonly body: any;
}

async function ask({ url }: RunningServer, id: string): Promise<Answer> {
  const answer = await fetch(`${url}/v1/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ items: [{ document_id: id, target: TARGET }] }),
  });
  return { id, status: answer.status, body: await answer.json() };
}

/** Callers that ask without a pause until the work is done. */
async function underLoad(
  server: RunningServer,
  work: (answers: readonly Answer[]) => Promise<void>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  let isOver = false;
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let i = caller; !isOver; i++) answers.push(await ask(server, DOCUMENTS[i % DOCUMENTS.length]!.id));
  });
  await work(answers).finally(() => {
    isOver = true;
  });
  await Promise.all(callers);
  return answers;
}

/** Of all answers those that are right; the others by status and code. */
function sorted(answers: readonly Answer[], nlls: ReadonlyMap<string, number>) {
  const others: Record<string, number> = {};
  let right = 0;
  for (const { id, status, body } of answers) {
    const [item] = body.items ?? [];
    if (status === 200 && Math.abs(item.nll - nlls.get(id)!) < 1e-5) right++;
    else {
      const name = `${status} ${body.error?.code ?? item?.error?.code ?? `nll ${item?.nll}`}`;
      others[name] = (others[name] ?? 0) + 1;
    }
  }
  return { right, others };
}

/** The processes that hold an engine of this one. */
function enginesHere(): number[] {
  const children = execFileSync('pgrep', ['-P', String(process.pid), '-f', 'hosts/child'])
    .toString()
    .trim();
  return children === '' ? [] : children.split('\n').map(Number);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

describe('a server under load', () => {
  it(`whose engine is killed ${KILLS} times answers all but what had begun, and rightly`, async () => {
    const folder = path.join(await temporaryFolder(), 'store');
    const nlls = await primed(folder);
    const server = await started(folder);
    const killed = new Set<number>();
    const answers = await underLoad(server, async (sofar) => {
      for (let kill = 0; kill < KILLS; kill++) {
        const before = sofar.filter(({ status }) => status === 200).length;
        // It has worked again.
        await until(() => sofar.filter(({ status }) => status === 200).length > before + 3 * CALLERS);
        const [engine] = enginesHere().filter((pid) => !killed.has(pid));
        killed.add(engine!);
        process.kill(engine!, 'SIGKILL');
      }
      const before = sofar.length;
      await until(() => sofar.slice(before).filter(({ status }) => status === 200).length > 2 * CALLERS);
    });
    const { right, others } = sorted(answers, nlls);
    expect(killed.size).toBe(KILLS);
    expect(Object.keys(others).filter((name) => !/^(?:500 ENGINE_FAILED|503 \w+)$/.test(name))).toEqual([]);
    expect(right).toBeGreaterThan(3 * CALLERS * KILLS);
    // No more than were in its hands, each time.
    expect(others['500 ENGINE_FAILED'] ?? 0).toBeLessThanOrEqual(KILLS * CALLERS);
    expect((await fetch(`${server.url}/ready`)).status).toBe(200);
  });

  it.skipIf(!existsSync(REDIS_SERVER))('whose Redis goes away says so, and answers when it is back', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const location = `redis://127.0.0.1:${redis.port}`;
    const nlls = await primed(location);
    const server = await started(location, { storage: { timeout_ms: 500 } });
    let again = redis;
    const answers = await underLoad(server, async (sofar) => {
      await until(() => sofar.length > 2 * CALLERS);
      await redis.stop();
      await until(() => sofar.some(({ status }) => status === 503));
      again = await startRedis(redis.port);
      await primed(location);
      const before = sofar.length;
      await until(
        () =>
          sofar.slice(before).filter(({ status, body }) => status === 200 && body.items[0].nll !== undefined).length >
          CALLERS,
      );
    });
    await again.stop();
    const { right, others } = sorted(answers, nlls);
    expect(right).toBeGreaterThan(2 * CALLERS);
    expect(others['503 STORE_UNREACHABLE']).toBeGreaterThan(0);
    // An empty one that came back has no documents.
    expect(
      Object.keys(others).filter(
        (name) => !/^(?:503 STORE_UNREACHABLE|200 (?:DOCUMENT_MISSING|STORE_UNREACHABLE))$/.test(name),
      ),
    ).toEqual([]);
  });

  it('names damaged records and answers the others, until they are primed again', async () => {
    const folder = path.join(await temporaryFolder(), 'store');
    const nlls = await primed(folder);
    const server = await started(folder);
    const store = await openStore(folder);
    const { variants } = (await store.entry('lamp-3'))!;
    await lmdbDamager(folder).record(variants.bare!, flipped);
    const answers = await Promise.all(DOCUMENTS.map(({ id }) => ask(server, id)));
    expect(sorted(answers, nlls)).toEqual({ right: DOCUMENTS.length - 1, others: { '200 STORE_DAMAGED': 1 } });
    await prime(model, store, DOCUMENTS);
    await store.close();
    expect(sorted([await ask(server, 'lamp-3')], nlls)).toEqual({ right: 1, others: {} });
  });

  it('gives the same numbers when the weights under its model are swapped, and a server of the new ones refuses the store', async () => {
    const folder = await temporaryFolder();
    const [checkpoint, other, place] = ['model', 'other', 'store'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    await cp(BUILT_IN_MODEL, checkpoint, { recursive: true });
    const norm = 'model.decoder.norm.weight';
    await editCheckpoint(checkpoint, other, {
      [norm]: (values) => {
        values[0] = values[0]! + 0.25;
      },
    });
    const nlls = await primed(place);
    const server = await started(place, { model: { name: checkpoint } });
    expect(sorted([await ask(server, 'lamp-1')], nlls)).toEqual({ right: 1, others: {} });
    await rm(checkpoint, { recursive: true });
    await cp(other, checkpoint, { recursive: true });
    for (const engine of enginesHere()) process.kill(engine, 'SIGKILL');
    // The process that comes in its place reads the compiled weights, which are named by their content.
    const answers: Answer[] = [];
    await until(async () => {
      answers.push(await ask(server, 'lamp-2'));
      return answers.at(-1)!.status === 200;
    });
    expect(sorted(answers.slice(-1), nlls)).toEqual({ right: 1, others: {} });
    const swapped = await started(place, { model: { name: checkpoint } });
    const { body } = await ask(swapped, 'lamp-1');
    expect(body.items[0].error.code).toBe('STORE_MISMATCH');
  });
});
