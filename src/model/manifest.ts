/** What the manifest of a compiled model holds: what the model is known by, where each weight lies, and what every other file was when it was written. */
import { z } from 'zod';
import type { Canonical } from '../base/canonical.js';
import { EMBEDDING_SCALES } from './families/family.js';
import { ELEMENT_TYPES } from './graph/builder.js';
import { WEIGHTS_PRECISIONS } from './graph/layout.js';
import { TRANSFORMS } from './graph/transforms.js';

const count = z.int().nonnegative();
const digest = z.string().regex(/^[0-9a-f]{64}$/, { error: 'expected a SHA-256 in hex' });

const placedTensorSchema = z.strictObject({
  name: z.string(),
  type: z.enum(ELEMENT_TYPES),
  dimensions: z.array(count).readonly(),
  source: z.string(),
  sourceRows: z.tuple([count, count]).readonly().exactOptional(),
  transform: z.enum(TRANSFORMS),
  smoothed: z.enum(['rows', 'states']).exactOptional(),
  offset: count,
  sizeBytes: count,
});

export const driftSchema = z.strictObject({
  /** What it was measured against, and how. */
  method: z.string(),
  tokens: count,
  /**
   * The mean magnitude of the differences. `mean` is that of the differences themselves (positive: less likely than as float32), and `largest` the
   * largest magnitude.
   */
  meanAbsolute: z.number(),
  mean: z.number(),
  largest: z.number(),
});

/** How far a precision, or a device that computes in it, moves the NLLs of a fixed text away from float32's, in nats per token. */
export interface Drift extends z.infer<typeof driftSchema> {}

const canonicalSchema: z.ZodType<Canonical> = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
    z.array(canonicalSchema),
    z.record(z.string(), canonicalSchema),
  ]),
);

export const manifestSchema = z.strictObject({
  /** The facts that decide the content: see `identityOf`. */
  identity: z.record(z.string(), canonicalSchema),
  precision: z.enum(WEIGHTS_PRECISIONS),
  embeddingScale: z.enum(EMBEDDING_SCALES),
  /** SHA-256 (hex) of the checkpoint's tensors. */
  weightsDigest: digest,
  /** The number of weights, a tied table counted once. */
  weights: count,
  tensors: z.array(placedTensorSchema).readonly(),
  /** Every file of the folder but the manifest, as it was written. */
  files: z.array(z.strictObject({ name: z.string(), sizeBytes: count, digest })),
  /** The drift of int8, where it was measured. */
  drift: driftSchema.exactOptional(),
});

export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
