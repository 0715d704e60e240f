/**
 * What a model is known by: a record of everything that decides its numbers, each fact by its name, and its digest. A fact that has its usual value is left
 * out, so that a fact that is added later leaves the digests of all models alone for which it has that value. A digest changes where numbers
 * do: not with how configs are kept in memory, nor with files whose content decides nothing. Of weights the stored type counts as well as the values, and
 * of tokenizer.json every byte.
 */
import { createHash } from 'node:crypto';
import { type Canonical, canonicalJson } from '../base/canonical.js';
import { familyOf, type ModelConfig } from './families/families.js';
import type { EmbeddingScale } from './families/family.js';
import { INT8_FORM, type Precision } from './graph/layout.js';
import { CPU, computedAs, type Target } from './graph/target.js';

/** The version of the record's form. */
const IDENTITY_VERSION = 2;

/** The facts that a model's numbers are made from. */
export interface ModelFacts {
  readonly config: ModelConfig;
  readonly weightsDigest: string;
  readonly precision: Precision;
  readonly embeddingScale: EmbeddingScale;
  /** What computes the numbers. By default the CPU, or anything that computes in float32 as it does. */
  readonly target?: Target;
}

/** The record without the tokenizer: what a compiled model is known by. */
export function identityOf({ config, weightsDigest, precision, embeddingScale }: ModelFacts) {
  const family = familyOf(config);
  return {
    version: IDENTITY_VERSION,
    family: family.name,
    arithmetic: family.arithmetic(config),
    weights: weightsDigest,
    ...(precision !== 'float32' && { precision }),
    ...(precision === 'int8' && { int8_form: INT8_FORM }),
    ...(embeddingScale !== 'exact' && { embedding_scale: embeddingScale }),
  } satisfies Canonical;
}

/** SHA-256 (hex) over what decides token ids and all numbers. @param tokenizer its digest */
export function fingerprintOf(facts: ModelFacts, tokenizer: string): string {
  const { arithmetic, device } = facts.target ?? CPU;
  // Devices that compute in 16 bits sum in their own ways, some in 16 bits too.
  const computes = arithmetic !== 'float32' && { computes: arithmetic, device };
  return digestOf(canonicalJson({ ...identityOf(facts), ...computes, tokenizer }));
}

/** The identity that an earlier release gave to a model. */
export interface FormerIdentity {
  readonly release: string;
  readonly fingerprint: string;
  /** What has changed the model's numbers since; left out where they are the same. */
  readonly changed?: string;
}

/**
 * What earlier releases called a model. Release 0.1.0 took the JSON of a list, in which the config stood as that release kept it.
 * @param tokenizer its digest
 * @returns none for models that no earlier release ran, or not as such: 0.1.0 called what CUDA gives by TF32 float32
 */
export function formerIdentities(
  { config, weightsDigest, precision, embeddingScale, target = CPU }: ModelFacts,
  tokenizer: string,
): FormerIdentity[] {
  const arithmetic = familyOf(config).release010?.(config);
  if (arithmetic === undefined || precision === 'tf32') return [];
  const list = [weightsDigest, arithmetic, tokenizer, precision, embeddingScale];
  return [
    {
      release: '0.1.0',
      fingerprint: digestOf(JSON.stringify(list)),
      ...(precision === 'int8' && {
        changed: 'weights and rows are smoothed before they are rounded to 8 bits, which gives other numbers',
      }),
      ...(target.arithmetic !== 'float32' && {
        changed: `${computedAs(precision, target)} means products in ${target.arithmetic}, which were float32`,
      }),
    },
  ];
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
