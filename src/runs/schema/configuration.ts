/** What the numbers of a run depend on: its experiment, its data, its model and how they were computed. */
import { z } from 'zod';
import { SEGMENTS, type Segment } from '../../priming/input.js';
import { experimentSchema } from './experiment.js';

const driftSchema = z.object({
  method: z.string(),
  tokens: z.number().int(),
  mean_absolute: z.number(),
  mean: z.number(),
  largest: z.number(),
});

/** What inputs of T5Gemma 2 are made of, and of the models of all runs that do not say it: all but an end of text. */
export const USUAL_SEGMENTS: readonly Segment[] = ['bos', 'prefix', 'separator', 'document'];

const leftOutSchema = z.strictObject({ condition: z.string(), reason: z.string() });

/** A condition of the experiment as it was declared that this model cannot be asked, and why: "inputs of this model have no BOS". */
export type LeftOut = z.infer<typeof leftOutSchema>;

export const configurationSchema = z.object({
  /** Without what is left out. */
  experiment: experimentSchema,
  /** Absent where nothing is. */
  left_out: z.array(leftOutSchema).readonly().optional(),
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
    /** Its rows have positions of their own, and mean something else at another one; absent where only distances count. */
    absolute_positions: z.literal(true).optional(),
    /** Rows between the ends of the encoder's narrowest sliding window; null when every layer sees everything. */
    window: z.number().int().nullable(),
    /** Of its inputs, in their order; absent for the usual ones. */
    segments: z.array(z.enum(SEGMENTS)).readonly().optional(),
  }),
  device: z.string(),
  /** What control tokens such as `<bos>` were where a text has them. Runs that are older than the choice kept them, and do not say so. */
  control_tokens: z.enum(['text', 'keep']).optional(),
  max_tokens: z.number().int(),
  batch_tokens: z.number().int(),
  /** The language model that wrote surrogates, with its address; null without any. */
  writer: z.string().nullable(),
});

/** What the numbers of a run depend on. Equal configurations give equal trials: this is what may not change when a run is resumed. */
export type Configuration = z.infer<typeof configurationSchema>;

/** The fields in which two configurations differ, `path: before -> now`. */
export function differences(before: unknown, now: unknown, at = ''): string[] {
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
  const [a, b] = [membersOf(before), membersOf(now)];
  if (!a || !b) return [`${at}: ${JSON.stringify(before)} -> ${JSON.stringify(now)}`];
  const names = new Set([...a.keys(), ...b.keys()]);
  return [...names].flatMap((name) => differences(a.get(name), b.get(name), at ? `${at}.${name}` : name));
}

/** Of an object or a list; undefined for anything else. */
function membersOf(value: unknown): Map<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
}
