/**
 * A corpus of AdWorld's ads by several worker processes that are killed (-9) at random, once by xargs, once by indices as an Indexed Job and a Slurm array start them,
 * once by BullMQ: each time the generation of one machine, by the digests of its shards, and the same scores. Prints a line of JSON a way. What is finished in the folder
 * is not done again.
 *
 *     npx tsx tools/fleet/proof.ts --count 50000 --workers 4 --kill-every 30 --folder /tmp/fleet-proof
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../../src/base/random.js';
import { readGeneration } from '../../src/store/generations/catalogue.js';
import { FolderFiles } from '../../src/store/generations/folder-files.js';
import { startRedis } from '../../test/support/redis.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    workers: { type: 'string', default: '4' },
    'chunk-rows': { type: 'string', default: '1000' },
    'kill-every': { type: 'string', default: '30' },
    folder: { type: 'string', default: '/tmp/fleet-proof' },
    ways: { type: 'string', default: 'xargs,indices,bullmq' },
  },
});
const count = Number(values.count);
const workers = Number(values.workers);
const killEveryMs = Number(values['kill-every']) * 1000;
const folder = path.resolve(values.folder);
const random = new Random('fleet proof', count);
const DKV = [process.execPath, path.resolve(import.meta.dirname, '../../dist/cli/main.js')] as const;
const HOW = ['--surrogate', 'doc_kw', '--states', 'int8'];
/** Four workers of one machine: each has its own thread. */
const OWN = ['--threads', '1'];

mkdirSync(path.join(folder, 'bin'), { recursive: true });
writeFileSync(path.join(folder, 'bin', 'dkv'), `#!/bin/sh\nexec ${DKV.join(' ')} "$@"\n`, { mode: 0o755 });
const environment = { ...process.env, PATH: `${path.join(folder, 'bin')}:${process.env.PATH}` };

function dkv(...args: string[]): string {
  const log = openSync(path.join(folder, 'log.txt'), 'a');
  try {
    return execFileSync(DKV[0], [DKV[1], ...args], {
      cwd: folder,
      env: environment,
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
      stdio: ['ignore', 'pipe', log],
    });
  } finally {
    closeSync(log);
  }
}

/** What the log of a process says of its end is not asked here: the catalogue says what is done. */
function start(command: readonly string[], own: Record<string, string> = {}): ChildProcess {
  const log = openSync(path.join(folder, 'log.txt'), 'a');
  const child = spawn(command[0]!, command.slice(1), {
    cwd: folder,
    env: { ...environment, ...own },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}

/** The numbers of the worker processes at a catalogue, which has a name of its own: none but these are killed. */
function workersAt(catalogue: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      const isWorker =
        words[0] === process.execPath && words[2] === 'fleet' && /^(?:work|serve-queue)$/.test(words[3]!);
      return isWorker && words[4] === catalogue ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Runs `work` while workers are killed. @returns the number of kills */
async function killing(catalogue: string, work: () => Promise<void>): Promise<number> {
  let kills = 0;
  let isOver = false;
  const killer = (async () => {
    let next = performance.now() + killEveryMs * (0.5 + random.float());
    while (!isOver) {
      await sleep(200);
      if (performance.now() < next) continue;
      const found = workersAt(catalogue);
      if (found.length === 0) continue;
      try {
        process.kill(found[random.below(found.length)]!, 'SIGKILL');
        kills++;
      } catch {
        // It has just ended.
      }
      next = performance.now() + killEveryMs * (0.5 + random.float());
    }
  })();
  try {
    await work();
  } finally {
    isOver = true;
    await killer;
  }
  return kills;
}

const isLeft = (catalogue: string, plan: string) =>
  dkv('fleet', 'status', catalogue, '--plan', plan, '--missing') !== '';

const WAYS: Record<string, (catalogue: string, plan: string) => Promise<void>> = {
  async xargs(catalogue, plan) {
    const options = OWN.map((word) => `--work=${word}`);
    const tasks = ['--tasks', String(workers)];
    const script = dkv('fleet', 'script', catalogue, '--plan', plan, '--for', 'xargs', ...tasks, ...options);
    // Finishing is timed by itself.
    writeFileSync(path.join(folder, 'work.sh'), script.replace(/^dkv fleet finish.*$/m, ''));
    while (isLeft(catalogue, plan)) await once(start(['sh', 'work.sh']), 'exit');
  },
  async indices(catalogue, plan) {
    const index = async (own: number) => {
      const command = ['dkv', 'fleet', 'work', catalogue, '--plan', plan, '--of', String(workers), ...OWN];
      // Half as a Job's controller starts them, half as Slurm's.
      const name = own % 2 === 0 ? 'JOB_COMPLETION_INDEX' : 'SLURM_ARRAY_TASK_ID';
      for (;;) if ((await once(start(command, { [name]: String(own) }), 'exit'))[0] === 0) return;
    };
    await Promise.all(Array.from({ length: workers }, (_, own) => index(own)));
  },
  async bullmq(catalogue, plan) {
    const redis = await startRedis();
    try {
      const queue = ['--plan', plan, '--redis', `redis://127.0.0.1:${redis.port}`];
      dkv('fleet', 'queue', catalogue, ...queue);
      const worker = async () => {
        // One that was killed is replaced, as a Deployment does; chunks that were killed too often are put back by hand.
        for (;;) {
          const [status] = await once(start(['dkv', 'fleet', 'serve-queue', catalogue, ...queue, ...OWN]), 'exit');
          if (status === 0) return;
          if (status === 1) dkv('fleet', 'queue', catalogue, ...queue, '--retry');
        }
      };
      await Promise.all(Array.from({ length: workers }, worker));
    } finally {
      await redis.stop();
    }
  },
};

async function layersOf(catalogue: string, generation: string) {
  const found = await readGeneration(new FolderFiles(path.join(folder, catalogue)), generation);
  return found!.manifest.layers;
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 100) / 10;
}

/** The result of a step, from the folder where it is there. */
async function kept(name: string, make: () => Promise<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const file = path.join(folder, `${name}.json`);
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify({ way: name, ...(await make()) })}\n`);
  const text = readFileSync(file, 'utf8');
  process.stdout.write(text);
  return JSON.parse(text) as Record<string, unknown>;
}

if (!existsSync(path.join(folder, 'ads.jsonl'))) {
  writeFileSync(path.join(folder, 'ads.jsonl'), dkv('data', 'adworld', '--count', String(count)));
  const queries = readFileSync(path.join(folder, 'ads.jsonl'), 'utf8').split('\n').slice(0, 5);
  const lines = queries.map((line, at) => JSON.stringify({ id: `q${at}`, text: JSON.parse(line).questions[0].query }));
  writeFileSync(path.join(folder, 'queries.jsonl'), `${lines.join('\n')}\n`);
}

const RANKED = ['--queries', 'queries.jsonl', '--candidates', 'bm25:50'];
const rank = (catalogue: string) => dkv('rank', '--store', `packed:${catalogue}`, ...RANKED, '--output', '-');

const planOf = (catalogue: string) =>
  JSON.parse(
    dkv('fleet', 'plan', catalogue, '--input', 'ads.jsonl', ...HOW, '--chunk-rows', values['chunk-rows'], '--json'),
  ) as { readonly plan: string; readonly chunks: number };

const alone = await kept('alone', async () => {
  const begun = performance.now();
  dkv('prime', '--input', 'ads.jsonl', '--store', 'alone-store', ...HOW);
  const primed = seconds(begun);
  const { plan } = planOf('alone-plan');
  const { bits } = JSON.parse(readFileSync(path.join(folder, 'alone-plan', 'fleet', plan, 'plan.json'), 'utf8'));
  const { size_bytes: size } = JSON.parse(dkv('store', 'stats', 'alone-store', '--json'));
  const shardSize = ['--shard-size', String(Math.ceil(size / 2 ** bits))];
  const packing = performance.now();
  const { generation } = JSON.parse(dkv('store', 'pack', 'alone-store', 'alone', '--activate', ...shardSize, '--json'));
  const packed = seconds(packing);
  const layers = await layersOf('alone', generation);
  return { documents: count, primeSeconds: primed, packSeconds: packed, layers, ranked: rank('alone') };
});

let isSame = true;
for (const way of values.ways.split(',')) {
  const found = await kept(way, async () => {
    const planning = performance.now();
    const { plan, chunks } = planOf(way);
    const planSeconds = seconds(planning);
    const begun = performance.now();
    const kills = await killing(way, () => WAYS[way]!(way, plan));
    const workSeconds = seconds(begun);
    const finishing = performance.now();
    const {
      generation,
      documents,
      workers: processes,
    } = JSON.parse(dkv('fleet', 'finish', way, '--plan', plan, '--activate', '--json'));
    const finishSeconds = seconds(finishing);
    const sameShards = JSON.stringify(await layersOf(way, generation)) === JSON.stringify(alone.layers);
    const sameScores = rank(way) === alone.ranked;
    return { documents, chunks, kills, processes, planSeconds, workSeconds, finishSeconds, sameShards, sameScores };
  });
  isSame &&= found.sameShards === true && found.sameScores === true;
}
if (!isSame) process.exitCode = 1;
