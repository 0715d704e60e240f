/**
 * Many callers of one model: each asks, waits for its answer and asks again. Single scores of stored documents, and ranks of 20 and of 100 of them, by 1, 8 and
 * 32 callers, with the engine in a thread and in a process; then eight callers of single scores beside documents that are primed in bulk.
 *
 *     npx tsx bench/callers.ts [--callers 1,8,32] [--calls score,20,100] [--host thread,process] [--precision int8] [--seconds 5]
 *                              [--batch-ms 50] [--json] [--quick]
 *
 * By weights of google/t5gemma-2-270m-270m's shape drawn at random, Gemma's tokenizer, and AdWorld's advertisements and queries in a store in a folder that
 * the system has in memory. `--quick` takes the built-in model for a second each: to see that it works. Rates count finished pairs over the time until the last
 * answer, and no caller asks anew once its seconds are over; percentiles are of whole calls. Leaves out HTTP, loading, compiling and cold disks.
 *
 * Copied into a working copy of an earlier version it measures that one, as far as it goes: what it does not have is left out, and said.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { adworldSamples } from '../src/adworld/adworld.js';
import { adworldPools } from '../src/adworld/pools.js';
import { Random } from '../src/base/random.js';
import { BUILT_IN_MODEL, loadModel, type Model } from '../src/scoring/load-model.js';
import { prime } from '../src/serving/prime.js';
import { rank } from '../src/serving/rank.js';
import { score } from '../src/serving/score.js';
import { openStore } from '../src/store/open.js';
import type { Store } from '../src/store/store.js';
import { tokenizedCheckpoint, WORK } from './checkpoint.js';
import { table } from './sections.js';

const { values: options } = parseArgs({
  options: {
    callers: { type: 'string', default: '1,8,32' },
    calls: { type: 'string', default: 'score,20,100' },
    host: { type: 'string', default: 'thread,process' },
    precision: { type: 'string', default: 'int8' },
    seconds: { type: 'string' },
    'batch-ms': { type: 'string', default: '50' },
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});

const CALLERS = options.callers.split(',').map(Number);
const SECONDS = Number(options.seconds ?? (options.quick ? 1 : 5));
const BATCH_MS = Number(options['batch-ms']);
const [DOCUMENTS, QUERIES] = [200, 50];
/** Beside bulk work there are so many. */
const BESIDE = 8;

const documents = adworldSamples({ split: 'test', count: DOCUMENTS }).map(({ id, document }) => ({
  id,
  text: document,
}));
const queries = adworldPools({ split: 'test', count: QUERIES }).map(({ query }) => query);

/** One call, until its answer is there, and how many pairs of query and document it is of. */
interface Workload {
  readonly name: string;
  readonly pairs: number;
  call(model: Model, store: Store, random: Random): Promise<void>;
}

const single: Workload = {
  name: 'score',
  pairs: 1,
  async call(model, store, random) {
    const { id } = documents[random.below(DOCUMENTS)]!;
    const [answer] = await score(model, store, [{ id, target: queries[random.below(QUERIES)]! }]);
    if (answer instanceof Error) throw answer;
  },
};

const ranking = (pairs: number): Workload => ({
  name: `rank ${pairs}`,
  pairs,
  async call(model, store, random) {
    const candidates = random.sample(documents, pairs).map(({ id }) => ({ id }));
    const query = { id: 'q', text: queries[random.below(QUERIES)]!, candidates };
    for await (const ranked of rank(model, store, [query])) {
      if (ranked.documents.length < pairs) throw new Error(`${ranked.documents.length} of ${pairs} were ranked`);
    }
  },
});

/** By what `--calls` names. */
const WORKLOADS = options.calls.split(',').map((name) => (name === 'score' ? single : ranking(Number(name))));

interface Measured {
  readonly host: string;
  readonly workload: string;
  readonly callers: number;
  readonly calls: number;
  readonly pairsPerSecond: number;
  /** Of a call, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Of the callers' event loop, in milliseconds. */
  readonly loopP99: number;
  readonly loopMax: number;
  /** Milliseconds of a call by what the engine was at; versions without a queue do not say. */
  readonly phases: Readonly<Record<string, number>> | undefined;
}

/** Of all calls so far. */
async function phasesOf({ engine }: Model): Promise<Readonly<Record<string, number>> | undefined> {
  return 'load' in engine ? (await engine.load()).phases : undefined;
}

/** @param q between 0 and 1; the value that so much of the others do not exceed */
function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

async function measure(
  host: string,
  { name, pairs, call }: Workload,
  callers: number,
  model: Model,
  store: Store,
  seconds = SECONDS,
): Promise<Measured> {
  const resolution = 1;
  const loop = monitorEventLoopDelay({ resolution });
  const times: number[] = [];
  const before = await phasesOf(model);
  loop.enable();
  const start = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      const random = new Random('callers', name, caller);
      do {
        const asked = performance.now();
        await call(model, store, random);
        times.push(performance.now() - asked);
      } while (performance.now() - start < 1000 * seconds);
    }),
  );
  const elapsed = (performance.now() - start) / 1000;
  loop.disable();
  const phases = Object.entries((await phasesOf(model)) ?? {}).map(([phase, ms]) => [
    phase,
    (ms - before![phase]!) / times.length,
  ]);
  // What the monitor reads on an idle loop is its own interval.
  const delay = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution);
  return {
    host,
    workload: name,
    callers,
    calls: times.length,
    pairsPerSecond: (pairs * times.length) / elapsed,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    loopP99: delay(loop.percentile(99)),
    loopMax: delay(loop.max),
    phases: before && Object.fromEntries(phases),
  };
}

/** As soon as it is known: the tables come at the end. */
function tell({ host, workload, callers, pairsPerSecond, p50, p99 }: Measured): void {
  if (options.json) return;
  const [rate, ...times] = [pairsPerSecond, p50, p99].map((value) => value.toFixed(1));
  console.error(`${host}  ${workload}  ${callers} callers  ${rate} pairs/s, p50 ${times[0]} ms, p99 ${times[1]} ms`);
}

/** Primes advertisements that the store does not have until it is told to stop. */
function primeInBulk(model: Model, store: Store): () => Promise<number> {
  let goesOn = true;
  async function* endless() {
    for (let round = 0; goesOn; round++) {
      for (const { id, text } of documents) if (goesOn) yield { id: `bulk ${round} ${id}`, text: `${text} ${round}` };
    }
  }
  const primed = prime(model, store, endless(), { surrogates: [] });
  return async () => {
    goesOn = false;
    return (await primed).documentsPerSecond;
  };
}

const directory = options.quick ? BUILT_IN_MODEL : await tokenizedCheckpoint('270m');
const measured: Measured[] = [];
const beside: { host: string; alone: Measured; besideBulk: Measured; addedP99: number; primedPerSecond: number }[] = [];
const leftOut: string[] = [];

for (const host of options.host.split(',')) {
  // Given as an object of no form, since earlier versions know none of these.
  const serving: object = { host, ...(Number.isFinite(BATCH_MS) && { batchMs: BATCH_MS }) };
  const model = await loadModel(directory, {
    precision: options.precision as 'int8',
    // Random weights round badly, and what they say does not matter here.
    ignoreDrift: true,
    ...(!options.quick && { cacheDirectory: path.join(WORK, 'cache') }),
    ...serving,
  });
  // Versions with a queue can tell its load; before there was one, there was no choice of a host either.
  const hasQueue = 'load' in model.engine;
  if (!hasQueue && host !== 'thread') {
    leftOut.push(`host ${host}: this version knows only a thread`);
    await model.close();
    continue;
  }
  if (!hasQueue) leftOut.push('batchMs: this version has no queue in front of its engine');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-bench-'));
  const store = await openStore(folder);
  await prime(model, store, documents, { surrogates: [] });
  for (const workload of WORKLOADS) {
    // Graphs and pages are brought in before the clock starts.
    await measure(host, workload, 1, model, store, 0);
    for (const callers of CALLERS) {
      const one = await measure(host, workload, callers, model, store);
      measured.push(one);
      tell(one);
    }
  }
  const alone = await measure(host, single, BESIDE, model, store, 2 * SECONDS);
  const stop = primeInBulk(model, store);
  const besideBulk = await measure(host, single, BESIDE, model, store, 2 * SECONDS);
  const primedPerSecond = await stop();
  tell({ ...alone, workload: `${alone.workload}, alone` });
  tell({ ...besideBulk, workload: `${besideBulk.workload}, beside priming` });
  beside.push({ host, alone, besideBulk, addedP99: besideBulk.p99 - alone.p99, primedPerSecond });
  await store.close();
  await model.close();
  await rm(folder, { recursive: true, force: true });
}

const machine = `${os.cpus()[0]?.model}, ${os.availableParallelism()} cores; Node ${process.versions.node}`;
/** How much more the most callers get done than one does, by host and workload. */
const ratios = Object.fromEntries(
  measured
    .filter(({ callers }) => callers === Math.max(...CALLERS) && callers > 1)
    .flatMap((many) => {
      const one = measured.find(
        (other) => other.callers === 1 && other.host === many.host && other.workload === many.workload,
      );
      return one
        ? [
            [
              `${many.host}, ${many.workload}: ${many.callers} callers against 1`,
              many.pairsPerSecond / one.pairsPerSecond,
            ],
          ]
        : [];
    }),
);

/** A table with an empty line behind it. */
function show(head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`${table(head, rows).join('\n')}\n`);
}

if (!options.json) {
  const of = (value: number) => value.toFixed(value < 10 ? 1 : 0);
  console.log(
    `${machine}. ${options.quick ? 'The built-in model' : 'Random weights of the shape of google/t5gemma-2-270m-270m'}, ${options.precision}; ${DOCUMENTS} advertisements, ${SECONDS} s each, batches of ${BATCH_MS} ms.\n`,
  );
  for (const reason of leftOut) console.log(`Left out: ${reason}.\n`);
  show(
    ['host', 'call', 'callers', 'pairs/s', 'p50, ms', 'p99, ms', 'event loop p99, ms', 'largest, ms'],
    measured.map((one) => [
      one.host,
      one.workload,
      String(one.callers),
      of(one.pairsPerSecond),
      of(one.p50),
      of(one.p99),
      of(one.loopP99),
      of(one.loopMax),
    ]),
  );
  const [phased] = measured.filter(({ phases }) => phases);
  if (phased) {
    const names = Object.keys(phased.phases!);
    show(
      ['host', 'call', 'callers', ...names.map((name) => `${name}, ms`)],
      measured.map(({ host, workload, callers, phases }) => [
        host,
        workload,
        String(callers),
        ...names.map((name) => of(phases![name]!)),
      ]),
    );
  }
  show(
    ['ratio of rates', ''],
    Object.entries(ratios).map(([name, ratio]) => [name, ratio.toFixed(2)]),
  );
  show(
    [
      `${BESIDE} callers of single scores`,
      'p99 alone, ms',
      'p99 beside priming, ms',
      'added, ms',
      'pairs/s alone',
      'pairs/s beside',
      'primed/s',
    ],
    beside.map(({ host, alone, besideBulk, addedP99, primedPerSecond }) => [
      host,
      of(alone.p99),
      of(besideBulk.p99),
      of(addedP99),
      of(alone.pairsPerSecond),
      of(besideBulk.pairsPerSecond),
      of(primedPerSecond),
    ]),
  );
}
if (options.json) {
  const shape = { machine, quick: options.quick, precision: options.precision, batchMs: BATCH_MS };
  console.log(JSON.stringify({ ...shape, seconds: SECONDS, documents: DOCUMENTS, measured, ratios, beside, leftOut }));
}
