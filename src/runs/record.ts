/**
 * What a run folder says about itself, `run.json`: everything that the numbers depend on, and on what machine and with what versions
 * they were made. Written once, when the run starts, with its checksum.
 */
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { publish, readIfPresent } from '../base/files.js';
import { onnxRuntimeVersion } from '../engine/onnxruntime.js';
import { CONTROL_TOKENS } from '../model/tokenizer/tokenizer.js';
import { experimentSchema } from './experiment.js';
import { sealedFile, unseal } from './sealed.js';

const RECORD_FORMAT = 2;

const driftSchema = z.object({
  method: z.string(),
  tokens: z.number().int(),
  mean_absolute: z.number(),
  mean: z.number(),
  largest: z.number(),
});

/** Equal configurations give equal trials: what may not change when a run is resumed. */
export const configurationSchema = z.object({
  experiment: experimentSchema,
  samples: z.number().int(),
  seed: z.number().int(),
  dataset: z.object({
    name: z.string(),
    revision: z.string(),
    licence: z.string(),
    selection: z.string(),
    digest: z.string(),
  }),
  model: z.object({
    name: z.string(),
    built_in: z.boolean(),
    fingerprint: z.string(),
    precision: z.string(),
    /** Of int8: how far NLLs of a fixed text are from float32's, in nats a token; absent for other precisions, and before 0.2. */
    drift: driftSchema.optional(),
    /** Rows between the ends of the encoder's narrowest sliding window; null when every layer sees everything. */
    window: z.number().int().nullable(),
  }),
  device: z.string(),
  /** What control tokens such as `<bos>` were where a text has them. Runs that are older than the choice kept them, and do not say so. */
  control_tokens: z.enum(CONTROL_TOKENS).optional(),
  max_tokens: z.number().int(),
  batch_tokens: z.number().int(),
  /** The language model that wrote surrogates, with its address; null without any. */
  writer: z.string().nullable(),
});

export type Configuration = z.infer<typeof configurationSchema>;

const recordSchema = z.strictObject({
  format: z.literal(RECORD_FORMAT),
  configuration: configurationSchema,
  started_at: z.string(),
  versions: z.record(z.string(), z.string()),
  git_revision: z.string().nullable(),
  machine: z.object({ platform: z.string(), cpu: z.string(), cores: z.number(), memory_gb: z.number() }),
});

export type RunRecord = z.infer<typeof recordSchema>;

const RECORD_FILE = 'run.json';

const ADVICE =
  'Without it nobody knows what the trials are of: bring it back from a copy, or repeat the run in another folder (--out).';

/** @returns undefined where there is none @throws DkvError RUN_DAMAGED, also for another format */
export async function readRecord(directory: string): Promise<RunRecord | undefined> {
  const file = path.join(directory, RECORD_FILE);
  const bytes = await readIfPresent(file);
  if (!bytes) return undefined;
  const parsed = recordSchema.safeParse(unsealRecord(file, bytes, ADVICE));
  if (parsed.success) return parsed.data;
  throw new DkvError('RUN_DAMAGED', `${file}: not the record of a run. ${z.prettifyError(parsed.error)}`, {
    cause: parsed.error,
  });
}

/**
 * The value of a whole file of a run folder, checked and of this version's format.
 * @param advice what to do about a damaged one, a sentence
 * @throws DkvError RUN_DAMAGED
 */
export function unsealRecord(file: string, bytes: Buffer, advice: string): unknown {
  let value: unknown;
  try {
    ({ value } = unseal(bytes));
  } catch (error) {
    throw new DkvError('RUN_DAMAGED', `${file}: not what was written (${messageOf(error)}). ${advice}`, {
      cause: error,
    });
  }
  const format = (value as { readonly format?: unknown } | null)?.format;
  if (format === RECORD_FORMAT) return value;
  const found = format === undefined ? 'without a format' : `of format ${JSON.stringify(format)}`;
  throw new DkvError(
    'RUN_DAMAGED',
    `${file}: a record ${found}; this version reads format ${RECORD_FORMAT}. Repeat the run, or read it with the version that made it.`,
  );
}

export async function writeRecord(directory: string, configuration: Configuration): Promise<RunRecord> {
  const record: RunRecord = {
    format: RECORD_FORMAT,
    configuration,
    started_at: new Date().toISOString(),
    versions: await versions(),
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

async function versions(): Promise<Record<string, string>> {
  const own = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return { 'directed-kvcache': own.version, 'onnxruntime-node': onnxRuntimeVersion(), node: process.versions.node };
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
