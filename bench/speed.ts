/**
 * How fast encoding, scoring and generation are, in this project and in what else runs the model on a CPU, as ratios in one run: every side
 * is a process, all do the same work on the same random weights of google/t5gemma-2-270m-270m's shape, or of google/flan-t5-base's, in turn, several rounds.
 *
 *     npm run bench                                   ours alone, a part of the work
 *     bench/peers/run                                 all sides, all of the work
 *
 *     npx tsx bench/speed.ts [--shape 270m|flan-t5-base] [--peers PYTHON] [--compiled] [--share 0.125] [--rounds 3] [--only encode,score-text] [--section ours|all]
 *                         [--earlier RUN.json]
 *     npx tsx bench/speed.ts --device cuda,webgpu [--shape ...] [--peers PYTHON] [--batch-tokens 4096,16384,65536] [--share 1] [--rounds 3] [--only ...]
 *
 * On devices (device-speed.ts) the sides take turns as a whole, since they would share the device's memory.
 *
 * With a section, what was measured replaces that part of docs/benchmarks.md. The last line of output, kept in a file, can be given to a later
 * run of some workloads: those that it does not measure again are taken from there.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Device } from '../src/engine/engine.js';
import { median } from '../src/stats/describe.js';
import { benchCheckpoint, flanT5Checkpoint, WORK } from './checkpoint.js';
import { Contestant, ours } from './contestants.js';
import { deviceNames, deviceReport, deviceSides, measureSide } from './device-speed.js';
import { limits } from './limit.js';
import { replaceSection, table } from './sections.js';
import { DEVICE_WORKLOADS, makeWorkloads, WORKLOADS, type WorkloadName, type Workloads } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    shape: { type: 'string', default: '270m' },
    peers: { type: 'string' },
    device: { type: 'string' },
    'batch-tokens': { type: 'string', default: '4096,16384,65536' },
    share: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    compiled: { type: 'boolean', default: false },
    only: { type: 'string' },
    section: { type: 'string' },
    earlier: { type: 'string' },
  },
});

interface Side {
  readonly name: string;
  readonly command: readonly string[];
  readonly workloads: readonly WorkloadName[];
}

const here = import.meta.dirname;
const machine = `${os.cpus()[0]?.model}, ${os.availableParallelism()} cores`;
/** Numbers of the encoder's matrices. */
const SHAPES = {
  '270m': {
    checkpoint: () => benchCheckpoint('270m'),
    words: 250_000,
    encoderWeights: 18 * (640 * (1024 + 256 + 256) + 1024 * 640 + 3 * 640 * 2048),
  },
  'flan-t5-base': {
    checkpoint: flanT5Checkpoint,
    words: 32_000,
    encoderWeights: 12 * (4 * 768 * 768 + 3 * 768 * 2048),
  },
};
const shape = SHAPES[options.shape as keyof typeof SHAPES];
const checkpoint = await shape.checkpoint();
const share = Number(options.share ?? (options.device === undefined ? 0.125 : 1));
const work = makeWorkloads(share, shape.words);
const file = path.join(WORK, `workloads-${options.shape}.json`);
await mkdir(WORK, { recursive: true });
await writeFile(file, JSON.stringify(work));
const rounds = Number(options.rounds);
if (options.device !== undefined) {
  await onDevices(deviceNames(options.device), (options.only?.split(',') as WorkloadName[]) ?? DEVICE_WORKLOADS);
  process.exit();
}

/** All sides on devices, one after the other. */
async function onDevices(devices: readonly Device[], workloads: readonly WorkloadName[]): Promise<void> {
  const batchTokens = options['batch-tokens'].split(',').map(Number);
  const peers = options.peers;
  const sides = await deviceSides({ devices, checkpoint, file, batchTokens, workloads, ...(peers && { peers }) });
  const measured = [];
  for (const side of sides) {
    const timings = await measureSide(side, rounds, ({ workload, seconds, check }) => {
      console.error(
        `${side.name.padEnd(52)} ${workload.padEnd(18)} ${seconds.toFixed(4)} s  check ${check.toFixed(5)}`,
      );
    });
    measured.push({ side, ...timings });
  }
  const report = deviceReport(measured);
  console.log(
    `${machine}. ${work.of128.length} x 128 tokens and the others in proportion, ${rounds} rounds.\n\n${report}`,
  );
  if (options.section) await replaceSection('benchmarks.md', options.section, report);
  const results = measured.map(({ side: { name }, ...timings }) => ({ name, ...timings }));
  console.log(JSON.stringify({ machine, shape: options.shape, share, rounds, results }));
}

const INT8 = 'ours int8';
const FLOAT32 = 'ours float32';
const own = (name: string, precision: string): Side => ({
  name,
  command: ours(precision, checkpoint, file),
  workloads: WORKLOADS.filter((workload) => workload !== 'experiment-loop'),
});
const CORES = os.availableParallelism();
/** A worker for each core, with a thread each: for what has many batches. */
const sideBySide: Side = {
  name: `ours int8, ${CORES} workers`,
  command: ours('int8', checkpoint, file, ['--workers', String(CORES)]),
  workloads: ['encode', 'score-text', 'experiment'],
};
const transformers = (dtype: string, form: string): Side => ({
  name: `transformers ${dtype} ${form}`,
  command: [options.peers!, path.join(here, 'peers/transformers_peer.py'), dtype, form, checkpoint, file],
  workloads: WORKLOADS,
});
const ctranslate2 = (compute: string): Side => ({
  name: `CTranslate2 ${compute}`,
  command: [
    options.peers!,
    path.join(here, 'peers/ctranslate2_peer.py'),
    compute,
    checkpoint,
    file,
    path.join(WORK, 'ctranslate2', options.shape),
  ],
  workloads: WORKLOADS.filter((workload) => /^(score-text|generate)/.test(workload)),
});
const names = (options.only?.split(',') ?? WORKLOADS) as readonly WorkloadName[];
const SIDES: Side[] = [own(INT8, 'int8'), sideBySide, own(FLOAT32, 'float32')];
if (options.peers) {
  for (const dtype of ['bfloat16', 'float32']) {
    for (const form of ['sdpa', 'eager', ...(options.compiled ? ['compiled'] : [])]) {
      SIDES.push(transformers(dtype, form));
    }
  }
  SIDES.push(ctranslate2('int8'), ctranslate2('float32'));
}

/** Operations of the encoder's matrix products over some documents: two a weight and row. */
const encoderFlop = (documents: Workloads['documents']) =>
  2 * shape.encoderWeights * documents.reduce((rows, ids) => rows + ids.length, 0);

interface Result {
  readonly seconds: readonly number[];
  readonly check: number;
  readonly peakBytes: number;
}

/** The last line of output. */
interface Run {
  readonly share: number;
  /** Operations a second of the runtime's products, in each round. */
  readonly limits: Readonly<Record<'float32' | 'int8', readonly number[]>>;
  readonly results: Readonly<Record<string, Result>>;
}

const earlier: Run | undefined = options.earlier && JSON.parse(await readFile(options.earlier, 'utf8'));
if (earlier && earlier.share !== share) {
  throw new Error(`${options.earlier} measured a share of ${earlier.share}, not ${share}`);
}
const results = new Map<string, Result>(Object.entries(earlier?.results ?? {}));
const key = (workload: string, side: Side) => `${workload}/${side.name}`;

const running = new Map<Side, Contestant>();
const start: Record<string, number> = {};
const versions = new Set<string>();
for (const side of SIDES) {
  if (!names.some((name) => side.workloads.includes(name))) continue;
  const { contestant, startSeconds, about } = await Contestant.start(side);
  start[side.name] = startSeconds;
  versions.add(about);
  running.set(side, contestant);
}
const limit = await limits();
const again = names.includes('encode');
const reached = {
  float32: again ? [] : [...(earlier?.limits.float32 ?? [])],
  int8: again ? [] : [...(earlier?.limits.int8 ?? [])],
};
for (const workload of names) {
  for (let round = 0; round < rounds; round++) {
    for (const [side, process] of running) {
      if (!side.workloads.includes(workload)) continue;
      const { seconds, check, peakBytes } = await process.run(workload);
      const before = round > 0 ? results.get(key(workload, side))!.seconds : [];
      results.set(key(workload, side), { seconds: [...before, seconds], check, peakBytes });
      const line = `${workload.padEnd(18)} ${side.name.padEnd(42)} ${seconds.toFixed(3)} s  check ${check.toFixed(5)}`;
      console.error(`round ${round + 1}  ${line}`);
    }
    if (workload === 'encode') {
      for (const precision of ['float32', 'int8'] as const) reached[precision].push(await limit[precision]());
    }
  }
}
for (const process of running.values()) await process.stop();

type Medians = ReadonlyMap<string, number>;

/** What the medians are held against each other for; undefined where one of them was not measured. */
const RATIOS: readonly (readonly [label: string, ratio: (of: Medians) => number])[] = [
  [
    'encode: int8 against the best of transformers bfloat16',
    (of) => best(of, 'encode', 'bfloat16') / at(of, 'encode', INT8),
  ],
  [
    'encode: int8 against the best of transformers float32',
    (of) => best(of, 'encode', 'float32') / at(of, 'encode', INT8),
  ],
  [
    `encode: int8 in ${CORES} workers against the best of transformers float32`,
    (of) => best(of, 'encode', 'float32') / at(of, 'encode', sideBySide.name),
  ],
  [
    'encode: float32 against the best of transformers float32',
    (of) => best(of, 'encode', 'float32') / at(of, 'encode', FLOAT32),
  ],
  [
    'encode, 1024 tokens: int8 against the best of transformers bfloat16',
    (of) => best(of, 'encode-long', 'bfloat16') / at(of, 'encode-long', INT8),
  ],
  [
    'encode, 128 tokens: int8 against the best of transformers in any type',
    (of) => best(of, 'encode-128', '') / at(of, 'encode-128', INT8),
  ],
  [
    'encode, 128 tokens: float32 against the best of transformers float32',
    (of) => best(of, 'encode-128', 'float32') / at(of, 'encode-128', FLOAT32),
  ],
  [
    'score from text, 128 tokens: int8 against CTranslate2 int8',
    (of) => at(of, 'score-text-128', 'CTranslate2 int8') / at(of, 'score-text-128', INT8),
  ],
  [
    'score from text: int8 against CTranslate2 int8',
    (of) => at(of, 'score-text', 'CTranslate2 int8') / at(of, 'score-text', INT8),
  ],
  [
    'score from states against from text, 128 tokens, int8',
    (of) => at(of, 'score-text-128', INT8) / at(of, 'score-cached-128', INT8),
  ],
  [
    'score from states against from text, 512 tokens, int8',
    (of) => at(of, 'score-text-512', INT8) / at(of, 'score-cached-512', INT8),
  ],
  [
    "experiment: int8 against the research's loop, transformers bfloat16",
    (of) => best(of, 'experiment-loop', 'bfloat16') / at(of, 'experiment', INT8),
  ],
  [
    "experiment: int8 against the research's loop, transformers float32",
    (of) => best(of, 'experiment-loop', 'float32') / at(of, 'experiment', INT8),
  ],
  [
    'generate, 1 text: int8 against the best of transformers',
    (of) => best(of, 'generate-1', '') / at(of, 'generate-1', INT8),
  ],
  [
    'generate, 16 texts: int8 against the best of transformers',
    (of) => best(of, 'generate-16', '') / at(of, 'generate-16', INT8),
  ],
];

function at(medians: Medians, workload: WorkloadName, side: string): number {
  return medians.get(`${workload}/${side}`) ?? Number.NaN;
}

/** The least of transformers' seconds in any form. */
function best(medians: Medians, workload: WorkloadName, dtype: string): number {
  const found = [...medians].filter(([name]) => name.startsWith(`${workload}/transformers ${dtype}`));
  return found.length > 0 ? Math.min(...found.map(([, seconds]) => seconds)) : Number.NaN;
}

function render(): string {
  const sides = [...running.keys()];
  const medians = new Map([...results].map(([name, { seconds }]) => [name, median(seconds)]));
  const cell = (workload: WorkloadName, side: Side) => {
    const found = results.get(key(workload, side));
    if (!found) return '';
    const range = `${Math.min(...found.seconds).toFixed(2)}-${Math.max(...found.seconds).toFixed(2)}`;
    return `${median(found.seconds).toFixed(2)} (${range})`;
  };
  const ratios = RATIOS.map(([label, ratio]) => [label, ratio(medians)] as const).filter(([, value]) => value > 0);
  const limited = [INT8, sideBySide.name]
    .map((side) => [side, encoderFlop(work.documents) / at(medians, 'encode', side) / median(reached.int8)] as const)
    .filter(([, share]) => share > 0)
    .map(([side, share]) => [`encode: ${side}, of the limit of the runtime’s uint8 x int8 products`, share.toFixed(2)]);
  const peak = (workload: WorkloadName, side: Side) => {
    const found = results.get(key(workload, side));
    return found ? (found.peakBytes / 1e9).toFixed(1) : '';
  };
  const count = `${work.documents.length} documents for encode and the others in proportion, ${rounds} rounds after one to warm up`;
  const gflops = (precision: 'float32' | 'int8') => `${precision} ${(median(reached[precision]) / 1e9).toFixed(0)}`;
  const measured = WORKLOADS.filter((workload) => sides.some((side) => results.has(key(workload, side))));
  const sideNames = sides.map(({ name }) => name);
  return [
    `${machine}; ${[...versions].join('; ')}. ${count}.`,
    '',
    ...table(
      ['seconds, median (range)', ...sideNames],
      [
        ...measured.map((workload) => [workload, ...sides.map((side) => cell(workload, side))]),
        ['start', ...sideNames.map((name) => start[name]!.toFixed(1))],
      ],
    ),
    '',
    ...table(['ratio', ''], [...ratios.map(([label, value]) => [label, value.toFixed(2)]), ...limited]),
    '',
    ...(limited.length > 0
      ? [
          `Limits of the runtime, GFLOP/s of one large product: ${gflops('float32')}, ${gflops('int8')} (uint8 x int8).`,
          '',
        ]
      : []),
    ...table(
      ['peak memory, GB', ...sideNames],
      measured.map((workload) => [workload, ...sides.map((side) => peak(workload, side))]),
    ),
  ].join('\n');
}

const report = render();
console.log(report);
if (options.section) await replaceSection('benchmarks.md', options.section, report);
console.log(
  JSON.stringify({
    machine,
    versions: [...versions],
    share,
    limits: reached,
    results: Object.fromEntries(results),
  }),
);
