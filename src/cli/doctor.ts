/** `dkv doctor`: what this machine has, and whether it computes what it should. */

import { readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Command, Option } from 'commander';
import { DkvError, messageOf } from '../base/errors.js';
import { gigabytes } from '../base/files.js';
import { shownAddress } from '../base/redact.js';
import { nvidiaState } from '../devices/nvidia.js';
import { type TrialOptions, tryDevice } from '../devices/trial.js';
import { DEVICES, type Device } from '../engine/engine.js';
import { expectExactProducts } from '../engine/exact-products.js';
import { expectPrecision } from '../engine/runtime.js';
import { HubClient } from '../hub/client.js';
import { hubSettings } from '../hub/settings.js';
import { defaultCacheDirectory, listCompiled } from '../model/compiled.js';
import { PRECISIONS, type Precision } from '../model/graph/layout.js';
import { availableMemory } from '../model/memory.js';
import { DRIFT_NOTICE, describeDrift, driftRecord } from '../scoring/drift.js';
import { BUILT_IN_MODEL, type LoadOptions, loadModel } from '../scoring/load-model.js';
import { runSelfTest } from '../scoring/self-test.js';
import { doctorSchema } from '../wire/models.js';
import { printJson } from './json.js';
import { interruptSignal, paint, sayNotice } from './terminal.js';

interface Check {
  readonly name: string;
  readonly state: 'ok' | 'note' | 'problem';
  readonly message: string;
  readonly measured?: readonly { readonly value: number; readonly unit: string }[];
}

interface DoctorOptions {
  readonly device?: Device;
  readonly precision: Precision;
  readonly verbose: boolean;
  readonly json: boolean;
}

/** Major versions of Node that are tested, each since a minor version: `engines` of `package.json`. */
export const TESTED_NODE = [
  [20, 19],
  [22, 12],
  [24, 0],
] as const;

/** Instructions that decide how fast the runtime's kernels are on x86. */
const CPU_FEATURES = ['avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_int8', 'amx_bf16'];

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'Check Node, processor, providers, memory, disk, cache, hub, and the arithmetic itself; or one device.',
    )
    .addOption(
      new Option('--device <name>', 'only this one: its numbers, products, copies and memory').choices(DEVICES),
    )
    .addOption(
      new Option('--precision <name>', 'with --device: what it computes as').choices(PRECISIONS).default('float32'),
    )
    .option('--verbose', "with --device: show what a GPU's driver and ONNX Runtime write", false)
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      `
The exit status is 1 when something is wrong.

Examples:
  dkv doctor
  dkv doctor --device cuda --precision tf32
  dkv doctor --json`,
    )
    .action(doctor);
}

async function doctor({ device: only, precision, verbose, json }: DoctorOptions): Promise<void> {
  const chosen = only !== undefined ? deviceChecks(only, precision, verbose) : machineChecks();
  const checks: Check[] = [];
  for (const [name, check] of chosen) {
    const made = await check().catch((error): Check => {
      if (error instanceof DkvError && error.code === 'CANCELLED') throw error;
      return { name, state: 'problem', message: messageOf(error) };
    });
    checks.push(made);
    if (!json) process.stdout.write(`${render(made)}\n`);
    // What does not start need not be measured.
    if (only !== undefined && made.name === only && made.state === 'problem') break;
  }
  if (json) printJson(doctorSchema, checks);
  if (checks.some(({ state }) => state === 'problem')) process.exitCode = 1;
}

type NamedCheck = readonly [name: string, check: () => Promise<Check>];

function machineChecks(): NamedCheck[] {
  const all = [node, processor, memory, disk, cache, drift, token, hub, ...DEVICES.map(device), products, arithmetic];
  return all.map((check) => ['check', check]);
}

/** A device by itself: does it start, are its numbers right, how fast is it. */
function deviceChecks(name: Device, precision: Precision, verbose: boolean): NamedCheck[] {
  expectPrecision(name, precision);
  const signal = interruptSignal();
  const trial = {
    cacheDirectory: defaultCacheDirectory(),
    signal,
    ...(verbose && { onRuntimeLine: sayNotice }),
  };
  const loading = {
    device: name,
    precision,
    signal,
    onNotice: sayNotice,
    ...(verbose && { onRuntimeLine: sayNotice }),
  };
  return [
    [name, () => starts(name, precision, trial)],
    ['arithmetic', () => numbers(loading)],
    ['speed', () => speed(name, precision, trial)],
    ...(name === 'cuda' ? [['GPU', () => gpus(signal)] as const] : []),
  ];
}

async function starts(name: Device, precision: Precision, trial: TrialOptions): Promise<Check> {
  await tryDevice({ device: name, precision, measures: false }, trial);
  return { name, state: 'ok', message: `starts, in a process of its own, as ${precision}` };
}

async function speed(name: Device, precision: Precision, trial: TrialOptions): Promise<Check> {
  if (precision === 'int8') return { name: 'speed', state: 'note', message: 'is not measured as int8' };
  const { gflops, rows, width, toDevice, fromDevice } = (await tryDevice(
    { device: name, precision, measures: true },
    trial,
  ))!;
  const copies = [
    { value: toDevice / 1e9, unit: 'GB/s to the device' },
    { value: fromDevice / 1e9, unit: 'GB/s from the device' },
  ];
  const measured = [{ value: gflops, unit: 'GFLOP/s' }, ...(name === 'cpu' ? [] : copies)];
  const said = measured.map(({ value, unit }) => `${Number(value.toPrecision(3)).toLocaleString('en')} ${unit}`);
  return {
    name: 'speed',
    state: 'ok',
    message: `${said.join(', ')} (products of ${rows} rows with ${width} x ${4 * width} as ${precision})`,
    measured,
  };
}

async function gpus(signal: AbortSignal): Promise<Check> {
  const { driver = 'not known', gpus: found, problem } = await nvidiaState(signal);
  if (found.length === 0) return { name: 'GPU', state: 'note', message: problem ?? 'none is listed' };
  const said = found.map((gpu) => `${gpu.name}, ${gigabytes(gpu.memoryBytes)}, ${gigabytes(gpu.freeBytes)} free`);
  return {
    name: 'GPU',
    state: 'ok',
    message: `${said.join('; ')}; driver ${driver}`,
    measured: found.flatMap(({ memoryBytes, freeBytes }) => [
      { value: memoryBytes, unit: 'bytes of memory' },
      { value: freeBytes, unit: 'bytes free' },
    ]),
  };
}

function render({ name, state, message }: Check): string {
  const mark = { ok: paint('green', 'ok     '), note: paint('yellow', 'note   '), problem: paint('red', 'problem') }[
    state
  ];
  return `${mark}  ${name.padEnd(10)}  ${message}`;
}

async function node(): Promise<Check> {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const tested = TESTED_NODE.some(([testedMajor, since]) => major === testedMajor && minor >= since);
  const enough = tested || major > TESTED_NODE[0][0];
  const versions = TESTED_NODE.map((version) => version.join('.')).join(', ');
  const message = `${process.versions.node}${tested ? '' : `; ${enough ? 'tested' : 'needed'}: ${versions} or newer of these`}`;
  return { name: 'Node', state: tested ? 'ok' : enough ? 'note' : 'problem', message };
}

async function processor(): Promise<Check> {
  const model = os.cpus()[0]?.model.trim() ?? 'unknown';
  const flags = (await readFile('/proc/cpuinfo', 'utf8').catch(() => '')).match(/^flags.*$/m)?.[0].split(/\s+/) ?? [];
  const features = CPU_FEATURES.filter((feature) => flags.includes(feature));
  const message = `${os.availableParallelism()} cores, ${model}${features.length > 0 ? ` (${features.join(', ')})` : ''}`;
  return { name: 'processor', state: 'ok', message };
}

async function memory(): Promise<Check> {
  return {
    name: 'memory',
    state: 'ok',
    message: `${gigabytes(availableMemory())} available of ${gigabytes(os.totalmem())}`,
  };
}

async function disk(): Promise<Check> {
  const folders = [defaultCacheDirectory(), hubSettings().cacheDirectory];
  const free = await Promise.all(
    folders.map(async (folder) => {
      const { bavail, bsize } = await statfs(await existingParent(folder));
      return { folder, bytes: bavail * bsize };
    }),
  );
  const state = free.some(({ bytes }) => bytes < 2e9) ? 'note' : 'ok';
  return {
    name: 'disk',
    state,
    message: free.map(({ folder, bytes }) => `${gigabytes(bytes)} free for ${folder}`).join('; '),
  };
}

async function existingParent(folder: string): Promise<string> {
  return statfs(folder).then(
    () => folder,
    () => existingParent(path.dirname(folder)),
  );
}

async function cache(): Promise<Check> {
  const compiled = await listCompiled(defaultCacheDirectory());
  return { name: 'cache', state: 'ok', message: `compiled models in ${defaultCacheDirectory()}: ${compiled.length}` };
}

async function drift(): Promise<Check> {
  const measured = (await listCompiled(defaultCacheDirectory())).flatMap((model) =>
    model.drift ? [{ folder: path.basename(model.directory), ...driftRecord(model.drift) }] : [],
  );
  const [worst] = measured.sort((a, b) => b.mean_absolute - a.mean_absolute);
  if (!worst) return { name: 'drift', state: 'ok', message: 'no int8 model has been compiled' };
  const state = worst.mean_absolute > DRIFT_NOTICE ? 'note' : 'ok';
  return {
    name: 'drift',
    state,
    message: `of ${measured.length} int8 models the largest: ${describeDrift(worst)}, ${worst.folder}`,
  };
}

async function token(): Promise<Check> {
  const { tokenSource } = hubSettings();
  if (tokenSource) return { name: 'token', state: 'ok', message: `found in ${tokenSource}` };
  return {
    name: 'token',
    state: 'note',
    message: 'none; T5Gemma 2 is gated and needs HF_TOKEN, T5, FLAN-T5 and BART do not',
  };
}

async function hub(): Promise<Check> {
  const settings = hubSettings();
  if (settings.offline) return { name: 'hub', state: 'note', message: `not asked: ${settings.offlineSource} is set` };
  try {
    await new HubClient(settings).reach();
    return { name: 'hub', state: 'ok', message: `${shownAddress(settings.endpoint)} answers` };
  } catch (error) {
    return { name: 'hub', state: 'note', message: messageOf(error) };
  }
}

const device = (name: (typeof DEVICES)[number]) => async (): Promise<Check> => {
  try {
    const model = await loadModel(BUILT_IN_MODEL, { device: name });
    await model.engine.encode([{ tokenIds: Int32Array.of(model.engine.info.shape.decoderStartTokenId) }]);
    await model.close();
    return { name, state: 'ok', message: 'usable' };
  } catch (error) {
    return { name, state: name === 'cpu' ? 'problem' : 'note', message: messageOf(error) };
  }
};

async function products(): Promise<Check> {
  try {
    await expectExactProducts();
    return { name: 'int8', state: 'ok', message: '8-bit products are exact' };
  } catch (error) {
    return { name: 'int8', state: 'note', message: messageOf(error) };
  }
}

const arithmetic = () => numbers({});

async function numbers(options: LoadOptions): Promise<Check> {
  const { largest, tolerance } = await runSelfTest(options);
  const state = largest <= tolerance ? 'ok' : 'problem';
  return {
    name: 'arithmetic',
    state,
    message: `NLLs of the built-in model differ from the reference's by up to ${largest.toExponential(1)} nats (allowed: ${tolerance})`,
    ...(options.device && { measured: [{ value: largest, unit: 'nats' }] }),
  };
}
