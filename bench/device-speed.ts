/**
 * The sides of speed.ts on devices: ours in every precision that a device has, transformers on `cuda`, each with several sizes of batches; the aims that they are
 * held against; and the report. It knows nothing of what runs them.
 */
import type { Variables } from '../src/base/environment.js';
import type { Device } from '../src/engine/engine.js';
import type { Precision } from '../src/model/graph/layout.js';
import { DEVICES } from '../src/model/graph/target.js';
import { median } from '../src/stats/describe.js';
import { type Answer, Contestant, deviceVariables, ours, scriptPath } from './contestants.js';
import { table } from './sections.js';
import type { WorkloadName } from './workloads.js';

/** What a device computes in; on the CPU, where this is tried without a device, one thing is enough. */
export const PRECISIONS: Readonly<Record<Device, readonly Precision[]>> = {
  cpu: ['float32'],
  cuda: ['float32', 'tf32', 'float16', 'bfloat16'],
  webgpu: ['float32', 'float16'],
  coreml: ['float32', 'float16'],
  dml: ['float32', 'float16'],
};

export const FORMS = ['sdpa', 'compiled'] as const;
export type Form = (typeof FORMS)[number];

export interface DeviceSide {
  readonly name: string;
  readonly device: Device;
  /** Of transformers; undefined is ours. */
  readonly form?: Form;
  readonly precision: Precision;
  /** States end in the host's memory, as ours always do, or stay on the device. */
  readonly states: 'host' | 'device';
  readonly workloads: readonly WorkloadName[];
  readonly command: readonly string[];
  readonly environment: Variables;
}

/** What sides are made of. */
export interface SideOptions {
  readonly checkpoint: string;
  /** Of the workloads. */
  readonly file: string;
  readonly batchTokens: number;
  readonly workloads: readonly WorkloadName[];
}

/** @param host a `process` is what `loadModel` starts on devices: states then cross a pipe */
export async function ownSide(
  device: Device,
  precision: Precision,
  host: 'thread' | 'process',
  { checkpoint, file, batchTokens, workloads }: SideOptions,
): Promise<DeviceSide> {
  const more = ['--device', device, '--batch-tokens', String(batchTokens), '--host', host];
  const way = host === 'process' ? ', through a pipe' : '';
  return {
    name: `ours ${precision} on ${device}, ${batchTokens} rows${way}`,
    device,
    precision,
    states: 'host',
    workloads,
    command: ours(precision, checkpoint, file, more),
    environment: await deviceVariables(device, precision),
  };
}

/** transformers in bfloat16. Compiled, it generates in minutes, and is not asked to. @param python that has it */
export function peerSide(
  python: string,
  form: Form,
  states: DeviceSide['states'],
  device: 'cpu' | 'cuda',
  { checkpoint, file, batchTokens, workloads }: SideOptions,
): DeviceSide {
  const precision = 'bfloat16';
  const more = ['--device', device, '--states', states, '--batch-tokens', String(batchTokens)];
  const script = scriptPath('peers/transformers_peer.py');
  return {
    name: `transformers ${precision} ${form} on ${device}, states on ${states}, ${batchTokens} rows`,
    device,
    form,
    precision,
    states,
    workloads: workloads.filter((workload) => form !== 'compiled' || !workload.startsWith('generate')),
    command: [python, script, precision, form, checkpoint, file, ...more],
    environment: process.env,
  };
}

/** Devices as `--device` takes them, with commas between. */
export function deviceNames(text: string): Device[] {
  return text.split(',').map((name) => {
    const device = DEVICES.find((known) => known === name);
    if (!device) throw new Error(`--device has ${JSON.stringify(name)}; expected some of ${DEVICES.join(', ')}`);
    return device;
  });
}

/** Ours on all devices, each size of batches, and through a pipe with the middle one; then transformers, compiled last. */
export async function deviceSides(options: {
  readonly devices: readonly Device[];
  readonly checkpoint: string;
  readonly file: string;
  readonly batchTokens: readonly number[];
  readonly workloads: readonly WorkloadName[];
  readonly peers?: string;
}): Promise<DeviceSide[]> {
  const { devices, batchTokens: sizes, peers, ...more } = options;
  const sides: DeviceSide[] = [];
  const middle = sizes[Math.floor(sizes.length / 2)]!;
  for (const device of devices) {
    for (const precision of PRECISIONS[device]) {
      for (const batchTokens of sizes) sides.push(await ownSide(device, precision, 'thread', { ...more, batchTokens }));
    }
    const last = PRECISIONS[device].at(-1)!;
    if (device !== 'cpu') sides.push(await ownSide(device, last, 'process', { ...more, batchTokens: middle }));
  }
  if (peers === undefined) return sides;
  const device = devices.includes('cuda') ? 'cuda' : 'cpu';
  for (const form of FORMS) {
    for (const states of ['host', 'device'] as const) {
      for (const batchTokens of sizes) {
        if (states === 'host' || device !== 'cpu') {
          sides.push(peerSide(peers, form, states, device, { ...more, batchTokens }));
        }
      }
    }
  }
  return sides;
}

export interface Timing extends Answer {
  readonly workload: WorkloadName;
}

export interface Timings {
  readonly startSeconds: number;
  readonly about: string;
  readonly timings: readonly Timing[];
  /** Why there are no more. */
  readonly problem?: string;
}

/**
 * Starts a side, has it do all that it is asked several times, and ends it.
 * @param onTiming called with each as soon as it is known
 * @param signal ends the side; what it had measured stays
 */
export async function measureSide(
  side: DeviceSide,
  rounds: number,
  onTiming: (timing: Timing) => void,
  signal?: AbortSignal,
): Promise<Timings> {
  const timings: Timing[] = [];
  let [startSeconds, about] = [Number.NaN, ''];
  try {
    const { contestant, ...ready } = await Contestant.start(side, signal);
    ({ startSeconds, about } = ready);
    for (const workload of side.workloads) {
      for (let round = 0; round < rounds; round++) {
        const timing = { workload, ...(await contestant.run(workload)) };
        timings.push(timing);
        onTiming(timing);
      }
    }
    await contestant.stop();
    return { startSeconds, about, timings };
  } catch (error) {
    const problem = signal?.aborted ? 'its time was over' : (error as Error).message;
    return { startSeconds, about, timings, problem };
  }
}

/** What our time may be of another's, with states on the host. */
interface Aim {
  readonly label: string;
  readonly workload: WorkloadName;
  readonly form: Form;
  readonly most: number;
}

const AIMS: readonly Aim[] = [
  { label: 'encode, 128 tokens', workload: 'encode-128', form: 'compiled', most: 1 },
  { label: 'encode, mixed lengths', workload: 'encode', form: 'compiled', most: 1.1 },
  { label: 'encode, 512 tokens', workload: 'encode-512', form: 'compiled', most: 1 },
  { label: 'score from states, 128 tokens', workload: 'score-cached-128', form: 'sdpa', most: 0.8 },
  { label: 'score from states, mixed lengths', workload: 'score-cached', form: 'sdpa', most: 0.8 },
  { label: 'generate, 16 texts', workload: 'generate-16', form: 'sdpa', most: 0.5 },
];
/** WebGPU's times of CUDA's. */
const WEBGPU_AIM = 5;

export interface Measured extends Timings {
  readonly side: Pick<DeviceSide, 'name' | 'device' | 'form' | 'precision' | 'states'>;
}

/** The least of the medians of some sides; NaN where none was measured. */
function least(measured: readonly Measured[], workload: WorkloadName, isMeant: (side: Measured['side']) => boolean) {
  const medians = measured.filter(({ side }) => isMeant(side)).map((own) => medianOf(own, workload));
  return Math.min(...medians.filter((value) => value > 0), Number.POSITIVE_INFINITY);
}

function secondsOf({ timings }: Measured, workload: WorkloadName): number[] {
  return timings.filter((timing) => timing.workload === workload).map(({ seconds }) => seconds);
}

function medianOf(measured: Measured, workload: WorkloadName): number {
  const seconds = secondsOf(measured, workload);
  return seconds.length > 0 ? median(seconds) : Number.NaN;
}

const verdict = (ratio: number, most: number) =>
  ratio > 0 && Number.isFinite(ratio) ? `${ratio.toFixed(2)} ${ratio <= most ? 'met' : 'not met'}` : '';

/** Ratios of the best of our sides in each precision to the best of transformers, with the aims; then WebGPU's to CUDA's. */
function aimTables(measured: readonly Measured[]): string[] {
  const own = PRECISIONS.cuda.filter((precision) =>
    measured.some(({ side }) => !side.form && side.device === 'cuda' && side.precision === precision),
  );
  const toPeer = AIMS.map(({ label, workload, form, most }) => {
    const peer = least(measured, workload, (side) => side.form === form && side.states === 'host');
    const ratios = own.map((precision) => {
      const seconds = least(measured, workload, (side) => isOwn(side, 'cuda') && side.precision === precision);
      return verdict(seconds / peer, most);
    });
    return [`${label}, to ${form}`, `<= ${most}`, ...ratios];
  });
  const toCuda = AIMS.map(({ label, workload }) => {
    const [webgpu, cuda] = (['webgpu', 'cuda'] as const).map((device) =>
      least(measured, workload, (side) => isOwn(side, device)),
    ) as [number, number];
    return [label, `<= ${WEBGPU_AIM}`, verdict(webgpu / cuda, WEBGPU_AIM)];
  });
  const filled = (rows: readonly string[][]) => rows.filter((cells) => cells.slice(2).some((cell) => cell !== ''));
  return [
    ...titled(['ours on cuda to transformers, states on the host', 'aim', ...own], filled(toPeer)),
    ...titled(['ours on webgpu to ours on cuda, the best of each', 'aim', 'ratio'], filled(toCuda)),
  ];
}

const isOwn = (side: Measured['side'], device: Device) => side.form === undefined && side.device === device;

const titled = (head: readonly string[], rows: readonly string[][]) =>
  rows.length > 0 ? ['', ...table(head, rows)] : [];

/** Seconds, checks side by side, and ratios beside the aims, as Markdown. */
export function deviceReport(measured: readonly Measured[]): string {
  const workloads = [...new Set(measured.flatMap(({ timings }) => timings.map(({ workload }) => workload)))];
  const rows = (cell: (own: Measured, workload: WorkloadName) => string) =>
    measured.map((own) => [own.side.name, ...workloads.map((workload) => cell(own, workload))]);
  const seconds = rows((own, workload) => {
    const found = secondsOf(own, workload);
    return found.length > 0 ? `${median(found).toFixed(3)} (best ${Math.min(...found).toFixed(3)})` : '';
  });
  const checks = rows(
    ({ timings }, workload) => timings.find((timing) => timing.workload === workload)?.check.toFixed(5) ?? '',
  );
  const versions = [...new Set(measured.map(({ about }) => about).filter((about) => about !== ''))];
  const problems = measured.flatMap(({ side, problem }) => (problem ? [`- ${side.name}: ${problem}`] : []));
  return [
    `${versions.join('; ')}. Starts: ${measured.map(({ startSeconds }) => startSeconds.toFixed(1)).join(', ')} s.`,
    ...titled(['seconds, median', ...workloads], seconds),
    ...titled(['check', ...workloads], checks),
    ...aimTables(measured),
    ...(problems.length > 0 ? ['', 'Not measured:', ...problems] : []),
  ].join('\n');
}
