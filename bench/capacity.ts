/**
 * What a model of each published size costs here: compiling, loading, encoding, scoring. 270m runs as it is; 1b and 4b run with one and with
 * three of their layers, and what two layers add is carried on to all of them. 270m is extrapolated as well, which shows how far to trust that.
 *
 *     npx tsx bench/capacity.ts [--sizes 270m,1b,4b] [--precisions int8,bfloat16] [--write] [--earlier RUN.json]
 *
 * With `--write` what was measured goes into docs/capacity.md. The last line of output, kept in a file, can be written again by `--earlier`.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { median } from '../src/stats/describe.js';
import { encodeRecord } from '../src/store/records/record.js';
import { STATES_PRECISIONS, type StatesPrecision } from '../src/store/store.js';
import { benchCheckpoint, SHAPES, WORK } from './checkpoint.js';
import { Contestant, ours } from './contestants.js';
import { randomStates, recordOf } from './records.js';
import { replaceSection, table } from './sections.js';
import { makeWorkloads, type WorkloadName } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '270m,1b,4b' },
    precisions: { type: 'string', default: 'int8,bfloat16' },
    write: { type: 'boolean', default: false },
    earlier: { type: 'string' },
  },
});

type Size = keyof typeof SHAPES;

/** The plan: advertisements in all and tokens of one, requests, and ads that are scored for a request. */
const [ADS, TOKENS, REQUESTS, CANDIDATES] = [1e8, 73, 1e6, 100];

const ROUNDS = 5;
/** 64 documents of MS MARCO's lengths, and 8 tokens scored on each. */
const work = makeWorkloads(1 / 8);
const file = path.join(WORK, 'capacity.json');
await mkdir(WORK, { recursive: true });
await writeFile(file, JSON.stringify(work));
const tokens = work.documents.reduce((sum, ids) => sum + ids.length, 0);

/** All in seconds and bytes. */
const FIGURES = [
  'compileSeconds',
  'compilePeak',
  'disk',
  'startSeconds',
  'encode',
  'score',
  'generate',
  'peak',
] as const;
type Figures = Record<(typeof FIGURES)[number], number>;

const execute = promisify(execFile);

async function measure(size: Size, layers: number, precision: string): Promise<Figures> {
  const checkpoint = await benchCheckpoint(size, layers);
  const cache = path.join(WORK, 'capacity-cache');
  await rm(cache, { recursive: true, force: true });
  const script = path.join(import.meta.dirname, 'compile-once.ts');
  const compile = [process.execPath, '--import', 'tsx', script, precision, checkpoint, cache] as const;
  const { stdout } = await execute(compile[0], compile.slice(1));
  const compiled = JSON.parse(stdout.trim().split('\n').at(-1)!);
  const { contestant, startSeconds } = await Contestant.start({
    command: ours(precision, checkpoint, file, ['--cache', cache]),
  });
  const seconds = async (workload: WorkloadName) => {
    const answers = [];
    for (let round = 0; round < ROUNDS; round++) answers.push(await contestant.run(workload));
    peak = answers.at(-1)!.peakBytes;
    return median(answers.map((answer) => answer.seconds));
  };
  let peak = 0;
  const [encode, score] = [await seconds('encode'), await seconds('score-cached')];
  // Generation loads two more graphs: what scoring takes is noted first.
  const scoringPeak = peak;
  const generate = await seconds('generate-1');
  await contestant.stop();
  await rm(cache, { recursive: true, force: true });
  const figures: Figures = {
    compileSeconds: compiled.seconds,
    compilePeak: compiled.peakBytes,
    disk: compiled.diskBytes,
    startSeconds,
    encode: encode / tokens,
    score: score / work.documents.length,
    generate: generate / work.generated,
    peak: scoringPeak,
  };
  console.error(`${size} ${layers} layers ${precision}: ${JSON.stringify(figures)}`);
  return figures;
}

interface Measured extends Figures {
  readonly size: Size;
  readonly precision: string;
  readonly layers: number;
}

async function measureAll(): Promise<{ machine: string; measurements: Measured[] }> {
  const measurements: Measured[] = [];
  for (const size of options.sizes.split(',') as Size[]) {
    for (const precision of options.precisions.split(',')) {
      for (const layers of size === '270m' ? [1, 3, SHAPES[size].layers] : [1, 3]) {
        measurements.push({ size, precision, layers, ...(await measure(size, layers, precision)) });
      }
    }
  }
  const machine = `${os.cpus()[0]?.model}, ${os.availableParallelism()} cores; Node ${process.versions.node}`;
  return { machine, measurements };
}

const run = options.earlier
  ? (JSON.parse(await readFile(options.earlier, 'utf8')) as Awaited<ReturnType<typeof measureAll>>)
  : await measureAll();
const { machine, measurements } = run;

interface Row extends Figures {
  readonly size: Size;
  readonly precision: string;
  readonly measured: boolean;
}

/** Of a whole model: extrapolated from two that have fewer layers, and as it was measured where it was. */
const results = measurements.flatMap((few, i): Row[] => {
  const { size, precision } = few;
  const { layers } = SHAPES[size];
  const more = measurements[i + 1];
  if (few.layers === layers) return [{ ...few, measured: true }];
  if (few.layers !== 1 || !more) return [];
  return [{ size, precision, measured: false, ...extrapolate(few, more, layers) }];
});

/**
 * What `few` layers take and what each further one adds. Compiling takes as long as its bytes, and no more memory for more of them; how long it
 * takes varies by more than what few layers add.
 */
function extrapolate(few: Measured, more: Measured, layers: number): Figures {
  const of = (name: keyof Figures) =>
    few[name] + ((more[name] - few[name]) / (more.layers - few.layers)) * (layers - few.layers);
  return {
    ...(Object.fromEntries(FIGURES.map((name) => [name, of(name)])) as Figures),
    compileSeconds: (more.compileSeconds * of('disk')) / more.disk,
    compilePeak: more.compilePeak,
  };
}

/**
 * bfloat16's decoder mostly widens the head, which does not grow with the layers: what two layers add to it is less than how much it varies from
 * run to run, and says nothing.
 */
const saysDecoder = ({ precision, measured }: Row) => measured || precision !== 'bfloat16';

const GB = 1e9;
const measured = [
  `${machine}.`,
  '',
  ...table(
    [
      '',
      'compile, s',
      'its peak, GB',
      'on disk, GB',
      'start, s',
      'encode, ms a token',
      'score, ms a pair',
      'generate, ms a token',
      'peak, GB',
    ],
    results.map((row) => [
      `${row.size} ${row.precision}, ${row.measured ? 'measured' : 'from 1 and 3 layers'}`,
      row.compileSeconds.toFixed(1),
      (row.compilePeak / GB).toFixed(2),
      (row.disk / GB).toFixed(2),
      row.startSeconds.toFixed(1),
      (1000 * row.encode).toFixed(3),
      saysDecoder(row) ? (1000 * row.score).toFixed(1) : '',
      saysDecoder(row) ? (1000 * row.generate).toFixed(1) : '',
      (row.peak / GB).toFixed(2),
    ]),
  ),
].join('\n');

const plan = table(
  [
    `${ADS.toLocaleString('en')} ads`,
    ...STATES_PRECISIONS.map((precision) => `states as ${precision}, TB`),
    'encoder, machine hours',
    `decoder, machine hours per ${REQUESTS.toLocaleString('en')} requests of ${CANDIDATES} ads`,
  ],
  results
    .filter(({ size, measured }) => measured || size !== '270m')
    .map((row) => [
      `${row.size} ${row.precision}`,
      ...STATES_PRECISIONS.map((precision) => ((ADS * recordBytes(row.size, precision)) / 1e12).toFixed(1)),
      hours(ADS * TOKENS * row.encode),
      saysDecoder(row) ? hours(REQUESTS * CANDIDATES * row.score) : '',
    ]),
).join('\n');

/** What the store writes for an advertisement, without its own pages. */
function recordBytes(size: Size, precision: StatesPrecision): number {
  const states = randomStates(TOKENS, SHAPES[size].hidden, 0);
  return encodeRecord('0'.repeat(64), recordOf(states, precision, 0)).byteLength;
}

function hours(seconds: number): string {
  return Math.round(seconds / 3600).toLocaleString('en');
}

console.log(`${measured}\n\n${plan}`);
if (options.write) {
  await replaceSection('capacity.md', 'measured', measured);
  await replaceSection('capacity.md', 'plan', plan);
}
console.log(JSON.stringify(run));
