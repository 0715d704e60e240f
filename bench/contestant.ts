/**
 * This project as one side of a benchmark: reads a line of JSON `{"workload"}`, runs it, and answers `{"seconds", "check", "peakBytes"}`. A process of its
 * own, so that its peak memory is its own and nothing else runs beside it. `check` is a mean that another side's can be held against; it is made when the clock
 * has stopped.
 *
 *     node --import tsx bench/contestant.ts --precision int8 --checkpoint FOLDER --work WORKLOADS.json [--workers 1] [--cache FOLDER]
 *                                           [--device cpu] [--batch-tokens 1024] [--host thread|process]
 *
 * On `cuda` the environment is that of the precision already: who starts this sees to it (contestants.ts).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { allRows, type Device, type ScoreItem, type States } from '../src/engine/engine.js';
import type { Precision } from '../src/model/graph/layout.js';
import { mean } from '../src/stats/describe.js';
import { WORK } from './checkpoint.js';
import { engineOf } from './engine-of.js';
import { BATCH_TOKENS, type WorkloadName, type Workloads } from './workloads.js';

const { values: given } = parseArgs({
  options: {
    precision: { type: 'string', default: 'float32' },
    checkpoint: { type: 'string', default: '' },
    work: { type: 'string', default: '' },
    workers: { type: 'string', default: '1' },
    cache: { type: 'string', default: path.join(WORK, 'cache') },
    device: { type: 'string', default: 'cpu' },
    'batch-tokens': { type: 'string', default: String(BATCH_TOKENS) },
    host: { type: 'string', default: 'thread' },
  },
});
const work: Workloads = JSON.parse(readFileSync(given.work, 'utf8'));
let started = 0;
const engine = await engineOf(
  {
    checkpoint: given.checkpoint,
    precision: given.precision as Precision,
    device: given.device as Device,
    batchTokens: Number(given['batch-tokens']),
    workers: Number(given.workers),
    host: given.host === 'process' ? 'process' : 'thread',
    cache: given.cache,
  },
  () => {
    started = performance.now();
  },
);

const items = (documents: readonly (readonly number[])[]) =>
  documents.map((ids) => ({ tokenIds: Int32Array.from(ids) }));
const toScore = (states: readonly States[], from = 0): ScoreItem[] =>
  states.map((of, at) => ({
    memory: [{ states: of, start: from, end: of.rows }],
    prompt: new Int32Array(0),
    target: Int32Array.from(work.targets[at % work.targets.length]!),
  }));

/** States of documents, made once and kept for what is scored from them. */
const kept = new Map<readonly unknown[], Promise<States[]>>();
function statesOf(documents: readonly (readonly number[])[]): Promise<States[]> {
  const states = kept.get(documents) ?? engine.encode(items(documents));
  kept.set(documents, states);
  return states;
}

/** Does the work, and gives what makes the check of what came of it. */
type Run = () => Promise<() => number>;

const checkOfNlls = (nlls: readonly Float32Array[]) => () => mean(nlls.map(mean));
const encode =
  (documents: readonly (readonly number[])[]): Run =>
  async () => {
    const states = await engine.encode(items(documents));
    return () => mean(states.map(({ data }) => mean(data.map(Math.abs))));
  };
const scoreText =
  (documents: readonly (readonly number[])[]): Run =>
  async () =>
    checkOfNlls(await engine.score(toScore(await engine.encode(items(documents)))));
const scoreCached =
  (documents: readonly (readonly number[])[]): Run =>
  async () =>
    checkOfNlls(await engine.score(toScore(await statesOf(documents))));
const generate =
  (count: number): Run =>
  async () => {
    const states = (await statesOf(work.prompts)).slice(0, count);
    const made = await engine.generate(
      states.map((of) => ({ memory: [allRows(of)], prompt: new Int32Array(0), maxTokens: work.generated })),
    );
    return () => mean(made.map(({ tokenIds }) => tokenIds.length));
  };

const RUNS: Record<Exclude<WorkloadName, 'experiment-loop'>, Run> = {
  encode: encode(work.documents),
  'encode-long': encode(work.long),
  'encode-128': encode(work.of128),
  'encode-512': encode(work.of512),
  'score-text': scoreText(work.documents),
  'score-cached': scoreCached(work.documents),
  'score-text-128': scoreText(work.of128),
  'score-cached-128': scoreCached(work.of128),
  'score-text-512': scoreText(work.of512),
  'score-cached-512': scoreCached(work.of512),
  experiment: async () => {
    const inputs = work.experiment.flatMap(([bos, ...document]) =>
      work.prefixes.map((prefix) => [bos!, ...prefix, ...document]),
    );
    const states = await engine.encode(items(inputs));
    const scored = states.flatMap((of, at) => {
      const hidden = 1 + work.prefixes[at % work.prefixes.length]!.length;
      const [item] = toScore([of], hidden);
      return { ...item!, target: Int32Array.from(work.targets[Math.floor(at / work.prefixes.length)]!) };
    });
    return checkOfNlls(await engine.score(scored));
  },
  'generate-1': generate(1),
  'generate-16': generate(16),
};

function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

await engine.score(toScore(await engine.encode(items(work.documents.slice(0, 2)))));
const warm = new Set<string>();
answer({ ready: true, startSeconds: (performance.now() - started) / 1000, about: `Node ${process.version.slice(1)}` });
for await (const line of createInterface({ input: process.stdin })) {
  const { workload } = JSON.parse(line) as { workload: keyof typeof RUNS };
  // Graphs that this needs are loaded, and states that are kept are made, before the clock starts.
  if (!warm.has(workload)) await RUNS[workload]();
  warm.add(workload);
  // The peak of this workload alone: Linux forgets the one before.
  writeFileSync('/proc/self/clear_refs', '5');
  started = performance.now();
  const checkOf = await RUNS[workload]();
  const seconds = (performance.now() - started) / 1000;
  const status = readFileSync('/proc/self/status', 'utf8');
  answer({ seconds, check: checkOf(), peakBytes: 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) });
}
await engine.close();
