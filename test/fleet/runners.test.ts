/** The scripts that start workers, run as their runners run them, with half of the workers killed: each gives the same generation. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FleetFiles } from '../../src/fleet/files.js';
import { finishPlan } from '../../src/fleet/finish.js';
import { type Runner, scriptOf } from '../../src/fleet/scripts.js';
import { statusOf } from '../../src/fleet/status.js';
import { workChunk } from '../../src/fleet/work.js';
import { BUILT_IN_MODEL, loadModel } from '../../src/scoring/load-model.js';
import { FolderFiles } from '../../src/store/generations/folder-files.js';
import type { Layer } from '../../src/store/generations/manifest.js';
import { adOf, planned, writeRows } from './corpus.js';

const TASKS = 2;

let folder: string;
let plan: string;
/** The layer that one process makes. */
let alone: Layer;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-runners-'));
  const model = await loadModel(BUILT_IN_MODEL);
  try {
    const file = await writeRows(
      folder,
      'ads.jsonl',
      Array.from({ length: 20 }, (_, n) => adOf(n)),
    );
    for (const name of ['alone', 'xargs', 'kubernetes', 'slurm']) {
      const files = new FolderFiles(path.join(folder, name));
      const named = await planned(files, model, file);
      plan = named.id;
      if (name !== 'alone') continue;
      for (const chunk of named.plan.chunks.keys()) await workChunk(files, named, chunk, model);
      [alone] = (await finishPlan(files, named))!.generation.manifest.layers as [Layer];
    }
  } finally {
    await model.close();
  }
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  const shim = path.resolve(import.meta.dirname, '../support/killed-dkv.mjs');
  await chmod(shim, 0o755);
  await symlink(shim, path.join(bin, 'dkv'));
  // Slurm's own commands, as far as the script asks for them.
  await writeFile(path.join(bin, 'srun'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  await writeFile(path.join(bin, 'scontrol'), '#!/bin/sh\necho "$@" >> "$DKV_KILLS/../requeued"\n', { mode: 0o755 });
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a command in the catalogue's folder with as many kills to come; undefined for the status of one that a signal ended. */
async function run(name: Runner, command: readonly string[], own: Record<string, string> = {}): Promise<number | null> {
  const env = {
    ...process.env,
    PATH: `${path.join(folder, 'bin')}:${process.env.PATH}`,
    DKV_CACHE: path.resolve(process.env.DKV_CACHE!),
    DKV_KILLS: path.join(folder, `${name}-kills`),
    ...own,
  };
  const child = spawn(command[0]!, command.slice(1), { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = await once(child, 'exit');
  return status as number | null;
}

async function prepare(name: Runner): Promise<string> {
  await mkdir(path.join(folder, `${name}-kills`));
  for (let kill = 0; kill < TASKS / 2; kill++) await writeFile(path.join(folder, `${name}-kills`, String(kill)), '');
  const fleet = new FleetFiles(new FolderFiles(path.join(folder, name)));
  const chunks = (await fleet.plan(plan)).plan.chunks.length;
  expect(chunks).toBeGreaterThan(TASKS);
  return scriptOf(name, { catalogue: name, plan, chunks, tasks: TASKS, parallel: TASKS, image: 'dkv' });
}

async function expectSame(name: Runner): Promise<void> {
  expect(await readdir(path.join(folder, `${name}-kills`))).toEqual([]);
  const files = new FolderFiles(path.join(folder, name));
  const named = await new FleetFiles(files).plan(plan);
  const { generation } = (await finishPlan(files, named))!;
  expect(generation.manifest.layers).toEqual([alone]);
  const { workers } = await statusOf(files, named);
  expect(workers.length).toBeGreaterThan(TASKS / 2);
}

describe('workers that are killed', () => {
  it('leave one generation to xargs', async () => {
    await writeFile(path.join(folder, 'xargs.sh'), await prepare('xargs'));
    expect(await run('xargs', ['sh', 'xargs.sh'])).toBe(0);
    await expectSame('xargs');
  }, 120_000);

  it('leave one generation to an Indexed Job of Kubernetes', async () => {
    const job = parse(await prepare('kubernetes'));
    expect(job).toMatchObject({ apiVersion: 'batch/v1', kind: 'Job', spec: { completionMode: 'Indexed' } });
    const { completions, backoffLimitPerIndex, template } = job.spec;
    const [{ command }] = template.spec.containers;
    // As its controller: an index is started again until its process ends with 0.
    const index = async (own: number) => {
      for (let failures = 0; failures <= backoffLimitPerIndex; failures++) {
        if ((await run('kubernetes', command, { JOB_COMPLETION_INDEX: String(own) })) === 0) return;
      }
      throw new Error(`Index ${own} failed.`);
    };
    await Promise.all(Array.from({ length: completions }, (_, own) => index(own)));
    await expectSame('kubernetes');
  }, 120_000);

  it('leave one generation to an array of Slurm', async () => {
    const script = await prepare('slurm');
    await writeFile(path.join(folder, 'slurm.sh'), script);
    const [, last] = /^#SBATCH --array=0-(\d+)%\d+$/m.exec(script)!;
    const requeued = path.join(folder, 'requeued');
    const task = async (own: number) => {
      for (let restarts = 0; ; restarts++) {
        const env = {
          SLURM_ARRAY_JOB_ID: '7',
          SLURM_ARRAY_TASK_ID: String(own),
          SLURM_RESTART_COUNT: String(restarts),
        };
        if ((await run('slurm', ['bash', 'slurm.sh'], env)) === 0) return;
        // The script itself asks to be put back.
        expect(await readFile(requeued, 'utf8')).toContain(`requeue 7_${own}`);
      }
    };
    await Promise.all(Array.from({ length: Number(last) + 1 }, (_, own) => task(own)));
    await expectSame('slurm');
  }, 120_000);
});
