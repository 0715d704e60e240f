/**
 * What a run folder says about itself, `run.json`: everything that the numbers depend on, and on what machine and with what versions
 * they were made. Written when the run starts, with its checksum; of a planned run again when another program goes on with it.
 */
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { publish, readIfPresent } from '../base/files.js';
import type { Configuration } from './schema/configuration.js';
import { RECORD_FORMAT } from './schema/format.js';
import type { PlannedRun } from './schema/locked-plan.js';
import { type AskedRecord, parseRecord, RECORD_FILE, type RunRecord, type StudyRecord } from './schema/record.js';
import { sealedFile } from './schema/sealed.js';

/** @returns undefined where there is none @throws DkvError RUN_DAMAGED, also for another format */
export async function readRecord(directory: string): Promise<RunRecord | undefined> {
  const file = path.join(directory, RECORD_FILE);
  const bytes = await readIfPresent(file);
  return bytes && parseRecord(bytes, file);
}

/**
 * @param runtime versions of what computes, by package
 * @param beside what the record says beside the configuration: the checksum of the run's samples, the file that the experiment was read from, the plan that
 * the run is under, options that the configuration does not say
 */
export async function writeRecord(
  directory: string,
  configuration: Configuration,
  runtime: Readonly<Record<string, string>>,
  {
    samples,
    study,
    asked,
    plan,
  }: {
    readonly samples: string;
    readonly study?: StudyRecord | undefined;
    readonly asked?: AskedRecord | undefined;
    readonly plan?: PlannedRun | undefined;
  },
): Promise<RunRecord> {
  const record: RunRecord = {
    format: RECORD_FORMAT,
    configuration,
    ...(study && { study }),
    ...(asked && Object.keys(asked).length > 0 && { asked }),
    ...(plan && { plan }),
    started_at: new Date().toISOString(),
    bound: true,
    samples_crc32: samples,
    versions: await versions(runtime),
    git_revision: await gitRevision(),
    machine: {
      platform: `${process.platform}/${process.arch}`,
      cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
      cores: os.availableParallelism(),
      memory_gb: Math.round(os.totalmem() / 2 ** 30),
    },
  };
  await publishRecord(directory, record);
  return record;
}

/** Writes a record in the place of the one that is there. */
export async function publishRecord(directory: string, record: RunRecord): Promise<void> {
  await publish(path.join(directory, RECORD_FILE), sealedFile(record));
}

async function versions(runtime: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const own = z.object({ version: z.string() }).parse(JSON.parse(text));
  return { 'directed-kvcache': own.version, ...runtime, node: process.versions.node };
}

/** The git revision of this project's own working copy; null for an installed package. */
async function gitRevision(): Promise<string | null> {
  const root = path.resolve(import.meta.dirname, '../..');
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', '--show-toplevel', 'HEAD'], { cwd: root });
    const [top, revision] = stdout.trim().split('\n');
    return (await realpath(top!)) === (await realpath(root)) ? revision! : null;
  } catch {
    return null;
  }
}
