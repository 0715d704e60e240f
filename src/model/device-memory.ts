/**
 * What a model takes of a device's memory, reckoned from its config before anything is loaded: weights, as the graphs name them, and batches. Every
 * session copies the weights of its own graph to the device, and keeps room for the largest batch that it has run.
 */
import { DkvError } from '../base/errors.js';
import { gigabytes } from '../base/files.js';
import { weightBytes } from './compiled.js';
import { familyOf, type ModelConfig } from './families/families.js';
import { elementCount } from './files/safetensors.js';
import type { BuildGraph } from './graph/blocks.js';
import { buildCross, buildGenerate, buildLogits, buildScore } from './graph/decoder.js';
import { buildEncoder } from './graph/encoder.js';
import { isWidened, type Precision, VOCABULARY_CHUNK, weightsOfPrecision } from './graph/layout.js';
import { type Device, targetOf } from './graph/target.js';
import { attentionBytes, availableMemory, memoryEstimate, weightCount } from './memory.js';

/** The bytes that the provider itself takes: its context, kernels and workspaces. */
const PROVIDER_BYTES = 0.8e9;

/**
 * The operations of a batch beside which starting kernels and copying count little, on the largest cards: these take a twentieth of a second for
 * them.
 */
const BUSY_OPERATIONS = 2e13;
/** The limits of a batch's rows, whatever the operations: the products of fewer keep no device busy, and more are too much at once for the host. */
const [BUSY_ROWS, MOST_ROWS] = [4096, 32_768];
/** The least number of rows. A device that cannot hold a batch of these is better served by a smaller model. */
const LEAST_ROWS = 1024;

/** The sizes to use where nothing tells how much memory there is. */
const IN_THE_DARK = { batchTokens: 8192, attentionBytes: 1e9 } as const;

/** The share of what a batch's rows take that attention may take. */
const ATTENTION_SHARE = 1 / 4;
/** The number of encoder rows that are only read for each row that is computed. In a batch they count that much less. */
const READ_ROWS = 8;
/**
 * The number of copies of a piece of the logits that exist at a time, as float32: in 16 bits the products, their rounding errors, and both widened.
 */
const LOGIT_COPIES = 4;

/** The graphs of a model, each a session of its own. */
export const SESSIONS = {
  encoder: buildEncoder,
  score: buildScore,
  logits: buildLogits,
  cross: buildCross,
  generate: buildGenerate,
} as const satisfies Record<string, BuildGraph>;
export type SessionName = keyof typeof SESSIONS;

/**
 * The size of a table above which it is held once, by the decoder, and the host brings the encoder's rows. For a smaller one the copy is faster.
 */
const SMALL_TABLE_BYTES = 1e9;

/** The sessions that are held for experiments and scoring, which need no other. */
const SCORING: readonly SessionName[] = ['encoder', 'score'];

/** Bytes of the weights that sessions hold on a device, each session its own. */
export function heldBytes(
  config: ModelConfig,
  precision: Precision,
  device: Device,
  sessions: readonly SessionName[],
): number {
  const target = targetOf(precision, device);
  const form = { config, precision: weightsOfPrecision(precision), embeddingScale: 'exact' } as const;
  const givenRows = givesRows(config, precision);
  return sessions.reduce((sum, name) => {
    const own = name === 'encoder' ? { ...target, givenRows } : target;
    return sum + weightBytes({ ...form, target: own }, SESSIONS[name]);
  }, 0);
}

function givesRows(config: ModelConfig, precision: Precision): boolean {
  const { table, tensors } = familyOf(config);
  return (
    elementCount(tensors(config).get(table)!) * (isWidened(weightsOfPrecision(precision)) ? 2 : 4) > SMALL_TABLE_BYTES
  );
}

/** What is to be run on a device. */
export interface DeviceUse {
  readonly precision: Precision;
  readonly device: Device;
  /** The rows of a batch. By default as many as keep the device busy and fit. */
  readonly batchTokens?: number | undefined;
  /** The tokens of the longest input; 0 by default. */
  readonly tokens?: number | undefined;
  /** The number of engines side by side, each with weights and batches of its own; 1 by default. */
  readonly workers?: number | undefined;
}

export interface DevicePlan {
  /** The rows of a batch. */
  readonly batchTokens: number;
  /** The bytes that attention may take of a batch's memory. */
  readonly attentionBytes: number;
  /** True where the host brings the encoder's rows of tokens and the device holds their table once. */
  readonly givenRows: boolean;
  /** The bytes of weights that may be held at a time; absent where nothing tells. */
  readonly weightBytes?: number;
}

/**
 * How a model uses a device.
 * @param free bytes of the device's memory; undefined where nothing tells: batches are of a moderate size then, and what does not fit fails when it is loaded
 * @throws DkvError MEMORY_SHORT saying what would fit
 */
export function planDevice(config: ModelConfig, use: DeviceUse, free: number | undefined): DevicePlan {
  const givenRows = givesRows(config, use.precision);
  if (free === undefined) {
    const batchTokens = use.batchTokens ?? Math.min(IN_THE_DARK.batchTokens, busyRows(config));
    return { ...IN_THE_DARK, batchTokens, givenRows };
  }
  const batchTokens = rowsThatFit(config, use, free);
  if (batchTokens === undefined) throw short(config, use, free);
  const batch = batchBytes(config, { ...use, batchTokens });
  const { workers = 1 } = use;
  const weightBytes = free / workers - PROVIDER_BYTES - batch.all;
  return { batchTokens, attentionBytes: batch.attention, givenRows, weightBytes };
}

/** The bytes that encoding and scoring take on a device: both graphs with their weights, and room for a batch in each, for each worker. */
export function deviceEstimate(config: ModelConfig, use: DeviceUse & { readonly batchTokens: number }): number {
  return (use.workers ?? 1) * (fixedBytes(config, use) + batchBytes(config, use).all);
}

/** The bytes that do not depend on batches. */
function fixedBytes(config: ModelConfig, { precision, device }: DeviceUse): number {
  return PROVIDER_BYTES + heldBytes(config, precision, device, SCORING);
}

/**
 * The number of rows that keep the device busy, or a half, a quarter and so on of it, so that another day's free memory does not change the number.
 */
function rowsThatFit(config: ModelConfig, use: DeviceUse, free: number): number | undefined {
  const { workers = 1 } = use;
  const left = free / workers - fixedBytes(config, use);
  const fits = (batchTokens: number) => batchBytes(config, { ...use, batchTokens }).all <= left;
  if (use.batchTokens !== undefined) return fits(use.batchTokens) ? use.batchTokens : undefined;
  for (let rows = busyRows(config); rows >= LEAST_ROWS; rows /= 2) if (fits(rows)) return rows;
  return undefined;
}

/** The number of rows that keep the device busy, a power of two. */
function busyRows(config: ModelConfig): number {
  const rows = BUSY_OPERATIONS / (2 * weightCount(config, 'encoder.'));
  return Math.min(MOST_ROWS, Math.max(BUSY_ROWS, 2 ** Math.floor(Math.log2(rows))));
}

/** Bytes that batches take beside the weights in both sessions, and attention's in each of them. Between products numbers are float32 at every precision. */
function batchBytes(config: ModelConfig, { batchTokens = 0, tokens = 0 }: DeviceUse) {
  const { encoder, decoder } = familyOf(config).shape(config);
  // In a layer: what the feed-forward network makes, beside rows as they were, are and will be.
  const computed = 4 * (4 * widest(config) + 6 * encoder.width);
  const read = READ_ROWS * 4 * (2 * encoder.width + 4 * decoder.kvHeads * decoder.headDim);
  const scored = LOGIT_COPIES * 4 * VOCABULARY_CHUNK;
  const longest = Math.min(tokens, encoder.mostRows ?? tokens);
  const rows = Math.max(batchTokens, longest);
  const attention = Math.max(attentionBytes(encoder.heads, longest, longest), ATTENTION_SHARE * rows * computed);
  return { all: rows * (computed + Math.max(computed, read, scored)) + SCORING.length * attention, attention };
}

/** The most numbers that a layer makes of a row. */
function widest(config: ModelConfig): number {
  const sides = [...familyOf(config).tensors(config)].filter(([name]) => /^(en|de)coder\./.test(name));
  return Math.max(...sides.map(([, shape]) => (shape.length === 2 ? shape[0]! : 0)));
}

function short(config: ModelConfig, use: DeviceUse, free: number): DkvError {
  const { batchTokens = LEAST_ROWS, workers = 1 } = use;
  const needed = deviceEstimate(config, { ...use, batchTokens });
  return new DkvError(
    'MEMORY_SHORT',
    `As ${use.precision} on ${use.device}${workers > 1 ? ` in ${workers} workers` : ''}, in batches of ${batchTokens} rows, this model takes about ${gigabytes(needed)} of the device's memory; ${gigabytes(free)} are available. ${advice(config, use, free)} (--ignore-memory tries all the same, --device-memory says how much there is.)`,
  );
}

/** Advice about what would fit. */
function advice(config: ModelConfig, use: DeviceUse, free: number): string {
  const { device, precision, workers = 1 } = use;
  if (workers > 1) return 'A device needs no more than one worker: --workers 1.';
  const rows = rowsThatFit(config, { ...use, batchTokens: undefined }, free);
  if (rows !== undefined) return `--batch-tokens ${rows} would fit.`;
  const halves: readonly Precision[] = device === 'cuda' ? ['bfloat16', 'float16'] : ['float16'];
  for (const half of halves.includes(precision) ? [] : halves) {
    const other = { ...use, precision: half, batchTokens: undefined };
    const fitting = rowsThatFit(config, other, free);
    if (fitting === undefined) continue;
    return `--precision ${half} would take ${gigabytes(deviceEstimate(config, { ...other, batchTokens: fitting }))}.`;
  }
  const onCpu = memoryEstimate(config, 'int8', use.tokens === undefined ? {} : { tokens: use.tokens });
  if (onCpu <= availableMemory()) {
    return `--device cpu --precision int8 would take ${gigabytes(onCpu)} of this machine's memory; a smaller model would fit on the device.`;
  }
  return 'Take a smaller model or a device with more memory.';
}
