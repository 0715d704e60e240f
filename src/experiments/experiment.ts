/**
 * An experiment is data: which conditions are scored and which of them are compared. The runner, the journal, the statistics and
 * the report are the same for all.
 */
import { z } from 'zod';
import { visibilitySchema } from '../priming/input.js';
import { surrogateSchema } from '../priming/surrogate.js';

/** How a document is presented to the decoder. */
export const conditionSchema = z.object({
  name: z.string(),
  /** What stands before the document in the encoder; nothing when left out. */
  surrogate: surrogateSchema.optional(),
  visibility: visibilitySchema,
});

export type Condition = z.infer<typeof conditionSchema>;

/** A treatment against its lower bound; the upper bound of the same protocol says how much of the gap it closes. */
export const comparisonSchema = z.object({ treatment: z.string(), baseline: z.string(), oracle: z.string() });

export type Comparison = z.infer<typeof comparisonSchema>;

export interface Experiment {
  readonly id: string;
  readonly title: string;
  readonly question: string;
  /** Samples that the protocol asks for; a run with fewer is a smoke run. */
  readonly protocolSamples: number;
  /** Seed of everything drawn at random. */
  readonly seed: number;
  readonly conditions: readonly Condition[];
  /** The family that p-values are corrected over. */
  readonly comparisons: readonly Comparison[];
}
