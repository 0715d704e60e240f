/** From what priming made to what the store keeps: the key, the rows that the decoder sees, the record. */
import { createHash } from 'node:crypto';
import type { Memory, States } from '../../engine/engine.js';
import { allRows } from '../../engine/engine.js';
import type { Presented } from '../../priming/condition.js';
import { type Range, SEGMENTS, type Visibility } from '../../priming/input.js';
import type { CacheRecord, RecordIdentity, StatesPrecision } from '../store.js';

/** Part of every key: records of another format are never found. */
export const FORMAT_VERSION = 1;

export interface PrimedBy {
  /** `Model.fingerprint` */
  readonly fingerprint: string;
  /** `Engine.info.precision` */
  readonly modelPrecision: string;
}

/** What a pass through the encoder will be stored as, before it is run. */
export function identityOf(
  presented: Presented,
  visibility: Visibility,
  model: PrimedBy,
  precision: StatesPrecision,
): RecordIdentity {
  const { tokenIds, positions, pairMask } = presented.item;
  const layout = (positions ?? pairMask) && createHash('sha256').update(JSON.stringify([!!positions, !!pairMask]));
  if (positions) layout?.update(bytesOf(positions));
  if (pairMask) layout?.update(pairMask);
  return {
    fingerprint: model.fingerprint,
    modelPrecision: model.modelPrecision,
    precision,
    tokenIds,
    spans: presented.input.spans,
    visibility,
    visible: presented.visible,
    ...(layout && { layoutDigest: layout.digest('hex') }),
  };
}

/** SHA-256 in hex over everything that decides the stored states, and the salt, so that tenants share nothing. */
export function keyOf(identity: RecordIdentity, tenantSalt: string): string {
  const { fingerprint, modelPrecision, precision, visibility, layoutDigest = null } = identity;
  const described = JSON.stringify({
    format: FORMAT_VERSION,
    tenantSalt,
    fingerprint,
    modelPrecision,
    precision,
    layoutDigest,
    visibility,
    visible: identity.visible.map(({ start, end }) => [start, end]),
    spans: SEGMENTS.map((segment) => identity.spans[segment]).map((span) => (span ? [span.start, span.end] : null)),
    tokens: identity.tokenIds.length,
  });
  return createHash('sha256').update(described).update(bytesOf(identity.tokenIds)).digest('hex');
}

/** The rows of some ranges, in their order, as states of their own. */
export function visibleStates(states: States, visible: readonly Range[]): States {
  const { width, data } = states;
  const rows = visible.reduce((sum, { start, end }) => sum + end - start, 0);
  const kept = new Float32Array(rows * width);
  let at = 0;
  for (const { start, end } of visible) {
    kept.set(data.subarray(start * width, end * width), at);
    at += (end - start) * width;
  }
  return { rows, width, data: kept };
}

/** What the decoder attends to when it reads a record. */
export function memoryOf(record: CacheRecord): Memory {
  return [allRows(record.states)];
}

function bytesOf(values: Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
