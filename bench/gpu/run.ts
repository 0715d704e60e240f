/**
 * Everything that a GPU is wanted for, in eight minutes: numbers held against the CPU's, where the runtime places nodes, times beside transformers. `bench/gpu/run`
 * starts it. Results are printed as they come and kept in a file, from which the next run goes on; exits with 1 where numbers or placements are not as they should be.
 *
 *     bench/gpu/run [--devices cuda,webgpu] [--shape 270m|flan-t5-base] [--peers PYTHON] [--minutes 8] [--results FOLDER] [--provider FOLDER]
 *     bench/gpu/run --dry-run --results FOLDER        the same steps on the CPU with a model of no size, without transformers
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { installCuda } from '../../src/devices/install-cuda.js';
import { nvidiaState } from '../../src/devices/nvidia.js';
import { askPython, nvidiaFolders } from '../../src/devices/python.js';
import type { Device } from '../../src/engine/engine.js';
import { defaultCacheDirectory } from '../../src/model/compiled.js';
import type { Precision } from '../../src/model/graph/layout.js';
import { benchCheckpoint, flanT5Checkpoint, tinyCheckpoint, WORK } from '../checkpoint.js';
import { deviceVariables, scriptCommand } from '../contestants.js';
import {
  type DeviceSide,
  deviceNames,
  deviceReport,
  FORMS,
  measureSide,
  ownSide,
  PRECISIONS,
  peerSide,
  type Timing,
  type Timings,
} from '../device-speed.js';
import { DEVICE_WORKLOADS, makeWorkloads } from '../workloads.js';
import { type Comparison, compare, type Values } from './compare.js';
import { Journal } from './journal.js';

const { values: options } = parseArgs({
  options: {
    devices: { type: 'string', default: 'cuda,webgpu' },
    shape: { type: 'string', default: '270m' },
    peers: { type: 'string' },
    minutes: { type: 'string', default: '8' },
    results: { type: 'string', default: path.join(WORK, 'gpu') },
    provider: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
  },
});
const isDry = options['dry-run'];
const shapes = {
  '270m': { checkpoint: () => benchCheckpoint('270m'), words: 250_000 },
  'flan-t5-base': { checkpoint: flanT5Checkpoint, words: 32_000 },
  tiny: { checkpoint: tinyCheckpoint, words: 1000 },
};
const shapeName = (isDry ? 'tiny' : options.shape) as keyof typeof shapes;
const shape = shapes[shapeName];
const results = path.join(options.results, shapeName);
const devices: readonly Device[] = isDry ? ['cpu'] : deviceNames(options.devices);
const ROUNDS = isDry ? 1 : 3;
const journal = new Journal(path.join(results, 'steps.jsonl'));
const file = path.join(results, 'workloads.json');
await writeFile(file, JSON.stringify(makeWorkloads(isDry ? 1 / 512 : 1, shape.words)));

const until = performance.now() + 60_000 * Number(options.minutes);
const say = (line: string) => console.log(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${line}`);

/** Does a step that is not whole yet, within its seconds and what is left of all. */
async function step<T>(
  name: string,
  seconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const known = journal.result<T>(name);
  if (known !== undefined) {
    say(`${name}: as before`);
    return known;
  }
  const left = until - performance.now();
  if (left < 1000) {
    say(`${name}: no time is left; run this again`);
    return undefined;
  }
  try {
    const result = await work(AbortSignal.timeout(Math.floor(Math.min(left, 1000 * seconds))));
    journal.add({ step: name, result });
    return result;
  } catch (error) {
    const problem = (error as Error).message.slice(0, 2000);
    journal.add({ step: name, problem });
    say(`${name}: FAILED: ${problem}`);
    return undefined;
  }
}

/** What a script of this project writes, in a device's environment; its compiled models are those of the sides. */
async function output(signal: AbortSignal, device: Device, precision: Precision, script: string, args: string[]) {
  const [program, ...rest] = scriptCommand(script, args);
  const env = { ...(await deviceVariables(device, precision)), DKV_CACHE: path.join(WORK, 'cache') };
  return promisify(execFile)(program!, rest, { signal, env, maxBuffer: 2 ** 28 });
}

const python = isDry ? undefined : options.peers;
if (python !== undefined) {
  // torch comes with the libraries of CUDA.
  const given = process.env.LD_LIBRARY_PATH ? [process.env.LD_LIBRARY_PATH] : [];
  process.env.LD_LIBRARY_PATH = [...given, ...(await nvidiaFolders(await askPython(python)))].join(':');
}
await step('machine', 20, async (signal) => {
  const state = isDry ? {} : await nvidiaState(signal);
  say(JSON.stringify(state));
  return state;
});
const { provider } = options;
if (provider !== undefined && devices.includes('cuda')) {
  await step('provider', 60, async (signal) => {
    const { folder } = await installCuda({ cacheDirectory: defaultCacheDirectory(), from: provider, signal });
    say(`provider: ${folder}`);
    return { folder };
  });
}
await step('checkpoint', 60, async () => ({ folder: await shape.checkpoint() }));
const checkpoint = await shape.checkpoint();

const valuesOf = async (signal: AbortSignal, device: Device, precision: Precision): Promise<Values> => {
  const { stdout } = await output(signal, device, precision, 'gpu/values', [device, precision, checkpoint, file]);
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
};
const reference = path.join(results, 'reference.json');
await step('reference', 90, async (signal) => {
  await writeFile(reference, JSON.stringify(await valuesOf(signal, 'cpu', 'float32')));
  return { file: reference };
});
for (const device of devices) {
  for (const precision of PRECISIONS[device]) {
    const name = `numbers of ${precision} on ${device}`;
    const found = await step(name, 60, async (signal) => {
      const values = await valuesOf(signal, device, precision);
      return compare(values, JSON.parse(await readFile(reference, 'utf8')), precision);
    });
    if (found) say(`${name}: ${wordsOf(found)}`);
    if (!found?.isNear) process.exitCode = 1;
  }
}

function wordsOf({ states, nlls, meanNll, sameTokens, isNear }: Comparison): string {
  const [a, b, c] = [states, nlls, meanNll].map((value) => value.toExponential(1));
  return `${isNear ? 'near' : 'TOO FAR'}: states ${a}, NLLs ${b}, mean NLL ${c}; the same tokens for ${sameTokens} of 2`;
}

for (const device of devices) {
  // On the CPU everything is placed there.
  if (device === 'cpu') continue;
  const precision = PRECISIONS[device].at(-1)!;
  const found = await step(`placement on ${device}`, 60, async (signal) => {
    const args = ['--device', device, '--model', checkpoint, '--precision', precision];
    return output(signal, device, precision, 'placement', args).then(
      ({ stdout }) => ({ isRight: true, stdout }),
      (error: Error & { code?: unknown; stdout?: string }) => {
        // It ends with 1 after it has listed what is on the CPU; else it failed.
        if (error.code !== 1 || !error.stdout) throw error;
        return { isRight: false, stdout: error.stdout };
      },
    );
  });
  if (found) say(`placement on ${device}, ${precision}: ${found.isRight ? 'right' : 'NOT RIGHT'}\n${found.stdout}`);
  if (!found?.isRight) process.exitCode = 1;
}

const of = (batchTokens: number) => ({ checkpoint, file, batchTokens, workloads: DEVICE_WORKLOADS });
const sides: DeviceSide[] = [];
for (const device of devices) {
  const [plain, ...others] = PRECISIONS[device];
  for (const precision of [...others.reverse(), plain!])
    sides.push(await ownSide(device, precision, 'thread', of(16_384)));
}
for (const batchTokens of devices.includes('cuda') ? [4096, 65_536] : []) {
  sides.push(await ownSide('cuda', 'bfloat16', 'thread', of(batchTokens)));
}
if (devices.includes('cuda')) sides.push(await ownSide('cuda', 'bfloat16', 'process', of(16_384)));
if (python !== undefined) {
  for (const form of FORMS) {
    for (const states of ['host', 'device'] as const) sides.push(peerSide(python, form, states, 'cuda', of(16_384)));
  }
}
const measured = [];
for (const side of sides) {
  const whole = await step<Timings>(side.name, side.form === 'compiled' ? 150 : 60, async (signal) => {
    const timings = await measureSide(
      side,
      ROUNDS,
      (timing) => {
        journal.add({ step: side.name, part: timing });
        say(`${side.name}: ${timing.workload} ${timing.seconds.toFixed(4)} s, check ${timing.check.toFixed(5)}`);
      },
      signal,
    );
    if (timings.problem !== undefined) throw new Error(timings.problem);
    return timings;
  });
  const cut = { startSeconds: Number.NaN, about: '', timings: journal.parts<Timing>(side.name) };
  measured.push({ side, ...(whole ?? { ...cut, problem: journal.problem(side.name) ?? 'no time was left' }) });
}
const report = deviceReport(measured);
await writeFile(path.join(results, 'report.md'), `${report}\n`);
console.log(`\n${report}`);
say(`kept in ${results}; run this again to go on`);
