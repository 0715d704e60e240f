/**
 * What a process takes of its own memory while a model of 4b-4b's layer shapes is loaded on a device, beside what the device holds: with few layers, and carried on
 * to all.
 *
 *     npx tsx bench/device-load.ts [--device webgpu] [--precision float16] [--layers 1,2]
 *
 * An adapter in software keeps "device memory" in the process, where it counts; weights that are held are taken off. Pages of mapped files are the system's, which
 * takes them back when it needs them, and are shown apart. The last line of output is JSON.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Device } from '../src/engine/engine.js';
import { openCheckpoint } from '../src/model/checkpoint.js';
import { compileModel } from '../src/model/compile.js';
import { heldBytes, planDevice } from '../src/model/device-memory.js';
import type { Precision } from '../src/model/graph/layout.js';
import { weightsOfPrecision } from '../src/model/graph/layout.js';
import { benchCheckpoint, SHAPES, WORK } from './checkpoint.js';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'webgpu' },
    precision: { type: 'string', default: 'float16' },
    layers: { type: 'string', default: '1,2' },
  },
});
const device = options.device as Device;
const precision = options.precision as Precision;

/** Bytes at their highest; a file's pages apart from memory of the process's own. */
interface Peak {
  own: number;
  mapped: number;
}

async function measure(layers: number) {
  const checkpoint = await openCheckpoint(await benchCheckpoint('4b', layers));
  const cacheDirectory = path.join(WORK, 'device-load-cache');
  const { config } = checkpoint;
  try {
    const form = { precision: weightsOfPrecision(precision), embeddingScale: 'exact', cacheDirectory } as const;
    const model = await compileModel(checkpoint, form);
    const { givenRows } = planDevice(config, { precision, device }, undefined);
    const file = path.join(WORK, 'device-load.json');
    await mkdir(WORK, { recursive: true });
    await writeFile(file, JSON.stringify({ model, options: { device, precision, givenRows } }));
    const { said, peak } = await watched([path.join(import.meta.dirname, 'load-once.ts'), file]);
    const held = device === 'cpu' ? 0 : heldBytes(config, precision, device, ['encoder', 'score']);
    return { layers, held, ...peak, beside: peak.own - held, ...(JSON.parse(said) as { seconds: number }) };
  } finally {
    await rm(cacheDirectory, { recursive: true, force: true });
  }
}

async function watched(args: readonly string[]): Promise<{ said: string; peak: Peak }> {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const peak: Peak = { own: 0, mapped: 0 };
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let isRunning = true;
  void ended.then(() => {
    isRunning = false;
  });
  while (isRunning) {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    const bytes = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    peak.own = Math.max(peak.own, bytes('RssAnon') + bytes('RssShmem'));
    peak.mapped = Math.max(peak.mapped, bytes('RssFile'));
    await setTimeout(20);
  }
  if ((await ended) !== 0) throw new Error('the process failed');
  return { said, peak };
}

const GB = 1e9;
const measured = [];
for (const layers of options.layers.split(',').map(Number)) {
  const one = await measure(layers);
  measured.push(one);
  const { own, held, beside, mapped, seconds } = one;
  console.log(
    `${layers} + ${layers} layers: ${(own / GB).toFixed(2)} GB at most, of which the device holds ${(held / GB).toFixed(2)}; ${(beside / GB).toFixed(2)} GB beside, ${(mapped / GB).toFixed(2)} GB of mapped files; ${seconds.toFixed(1)} s`,
  );
}
const [few, more] = [measured.at(0)!, measured.at(-1)!];
if (more.layers > few.layers) {
  const all = SHAPES['4b'].layers;
  const each = (more.beside - few.beside) / (more.layers - few.layers);
  console.log(`carried on to ${all} + ${all}: ${((few.beside + each * (all - few.layers)) / GB).toFixed(2)} GB beside`);
}
console.log(JSON.stringify({ device, precision, measured }));
