/**
 * What a run folder says about itself, `run.json`: everything that the numbers depend on, and on what machine and with what versions
 * they were made. Written once, when the run starts, with its checksum.
 */
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { publish, readIfPresent } from '../base/files.js';
import { parse } from '../base/parse.js';
import type { Configuration } from './schema/configuration.js';
import { RECORD_FORMAT, type RunRecord, recordSchema } from './schema/record.js';
import { sealedFile, unseal } from './sealed.js';

const RECORD_FILE = 'run.json';

const ADVICE =
  'Without it nobody knows what the trials are of: bring it back from a copy, or repeat the run in another folder (--out).';

/** @returns undefined where there is none @throws DkvError RUN_DAMAGED, also for another format */
export async function readRecord(directory: string): Promise<RunRecord | undefined> {
  const file = path.join(directory, RECORD_FILE);
  const bytes = await readIfPresent(file);
  return bytes && unsealRecord(file, bytes, recordSchema, { what: 'the record of a run', advice: ADVICE });
}

/**
 * What a whole file of a run folder holds, checked and of this version's format.
 * @param what the file is to be, and what to do about a damaged one, a sentence
 * @throws DkvError RUN_DAMAGED naming the field that is not as expected
 */
export function unsealRecord<T>(
  file: string,
  bytes: Buffer,
  schema: z.ZodType<T>,
  { what, advice }: { readonly what: string; readonly advice: string },
): T {
  let value: unknown;
  try {
    ({ value } = unseal(bytes));
  } catch (error) {
    throw new DkvError('RUN_DAMAGED', `${file}: not what was written (${messageOf(error)}). ${advice}`, {
      cause: error,
    });
  }
  const format = (value as { readonly format?: unknown } | null)?.format;
  if (format !== RECORD_FORMAT) {
    const found = format === undefined ? 'without a format' : `of format ${JSON.stringify(format)}`;
    throw new DkvError(
      'RUN_DAMAGED',
      `${file}: a record ${found}; this version reads format ${RECORD_FORMAT}. Repeat the run, or read it with the version that made it.`,
    );
  }
  return parse(schema, value, 'RUN_DAMAGED', `${file}: not ${what}`, advice);
}

/** @param runtime versions of what computes, by package */
export async function writeRecord(
  directory: string,
  configuration: Configuration,
  runtime: Readonly<Record<string, string>>,
): Promise<RunRecord> {
  const record: RunRecord = {
    format: RECORD_FORMAT,
    configuration,
    started_at: new Date().toISOString(),
    versions: await versions(runtime),
    git_revision: await gitRevision(),
    machine: {
      platform: `${process.platform}/${process.arch}`,
      cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
      cores: os.availableParallelism(),
      memory_gb: Math.round(os.totalmem() / 2 ** 30),
    },
  };
  await publish(path.join(directory, RECORD_FILE), sealedFile(record));
  return record;
}

/** The fields in which two configurations differ, `path: before -> now`. */
export function differences(before: unknown, now: unknown, at = ''): string[] {
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
  const isTree = (value: unknown) => typeof value === 'object' && value !== null;
  if (!isTree(before) || !isTree(now)) return [`${at}: ${JSON.stringify(before)} -> ${JSON.stringify(now)}`];
  const [a, b] = [before, now] as [Record<string, unknown>, Record<string, unknown>];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => differences(a[key], b[key], at ? `${at}.${key}` : key));
}

async function versions(runtime: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const own = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return { 'directed-kvcache': own.version, ...runtime, node: process.versions.node };
}

/** Of this project's own working copy; null for an installed package. */
async function gitRevision(): Promise<string | null> {
  const root = path.resolve(import.meta.dirname, '../..');
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', '--show-toplevel', 'HEAD'], { cwd: root });
    const [top, revision] = stdout.trim().split('\n') as [string, string];
    return (await realpath(top)) === (await realpath(root)) ? revision : null;
  } catch {
    return null;
  }
}
