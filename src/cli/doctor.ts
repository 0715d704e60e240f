/** `dkv doctor`: what this machine has, and whether it computes what it should. */

import { readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { messageOf } from '../base/errors.js';
import { gigabytes } from '../base/files.js';
import { shownAddress } from '../base/redact.js';
import { DEVICES } from '../engine/engine.js';
import { expectExactProducts } from '../engine/exact-products.js';
import { HubClient } from '../hub/client.js';
import { hubSettings } from '../hub/settings.js';
import { defaultCacheDirectory, listCompiled } from '../model/compiled.js';
import { availableMemory } from '../model/memory.js';
import { DRIFT_NOTICE, describeDrift, driftRecord } from '../scoring/drift.js';
import { BUILT_IN_MODEL, loadModel } from '../scoring/load-model.js';
import { runSelfTest } from '../scoring/self-test.js';
import { doctorSchema } from '../wire/models.js';
import { printJson } from './json.js';
import { paint } from './terminal.js';

interface Check {
  readonly name: string;
  readonly state: 'ok' | 'note' | 'problem';
  readonly message: string;
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
    .description('Check Node, processor, providers, memory, disk, cache, hub, and the arithmetic itself.')
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      '\nThe exit status is 1 when something is wrong.\n\nExamples:\n  dkv doctor\n  dkv doctor --json',
    )
    .action(async ({ json }: { json: boolean }) => {
      const checks: Check[] = [];
      for (const check of [
        node,
        processor,
        memory,
        disk,
        cache,
        drift,
        token,
        hub,
        ...DEVICES.map(device),
        products,
        arithmetic,
      ]) {
        const made = await check().catch(
          (error): Check => ({ name: 'check', state: 'problem', message: messageOf(error) }),
        );
        checks.push(made);
        if (!json) process.stdout.write(`${render(made)}\n`);
      }
      if (json) printJson(doctorSchema, checks);
      if (checks.some(({ state }) => state === 'problem')) process.exitCode = 1;
    });
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
  return { name: 'cache', state: 'ok', message: `${compiled.length} compiled models in ${defaultCacheDirectory()}` };
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

async function arithmetic(): Promise<Check> {
  const { largest, tolerance } = await runSelfTest();
  const state = largest <= tolerance ? 'ok' : 'problem';
  return {
    name: 'arithmetic',
    state,
    message: `NLLs of the built-in model differ from the reference's by up to ${largest.toExponential(1)} nats (allowed: ${tolerance})`,
  };
}
