/** Samples with the origin that a run's record needs. */
import { createHash } from 'node:crypto';
import type { Sample } from './sample.js';

export interface Dataset {
  readonly name: string;
  /** Version of a generated set, commit of a downloaded one. */
  readonly revision: string;
  /** SHA-256 (hex) over the samples, in order. */
  readonly digest: string;
  readonly samples: readonly Sample[];
}

export function datasetOf(name: string, revision: string, samples: readonly Sample[]): Dataset {
  return { name, revision, samples, digest: createHash('sha256').update(JSON.stringify(samples)).digest('hex') };
}
