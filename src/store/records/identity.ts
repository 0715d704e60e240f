/** From what priming made to what the store keeps of it: what identifies it, and the rows that the decoder sees. */
import type { Memory, States } from '../../engine/engine.js';
import { allRows } from '../../engine/engine.js';
import type { Presented } from '../../priming/condition.js';
import type { Range, Visibility } from '../../priming/input.js';
import type { CacheRecord, RecordIdentity, StatesPrecision } from '../store.js';
import { layoutDigestOf } from './key.js';

/** The model that the encoder's pass is run with. */
export interface EncodedBy {
  /** `Model.fingerprint` */
  readonly fingerprint: string;
  /** The precision as `Engine.info.computedAs` gives it. */
  readonly modelPrecision: string;
}

/** The identity under which a pass through the encoder will be stored, before it is run. */
export function identityOf(
  presented: Presented,
  visibility: Visibility,
  model: EncodedBy,
  precision: StatesPrecision,
): RecordIdentity {
  const layoutDigest = layoutDigestOf(presented.item);
  return {
    fingerprint: model.fingerprint,
    modelPrecision: model.modelPrecision,
    precision,
    tokenIds: presented.item.tokenIds,
    spans: presented.input.spans,
    visibility,
    visible: presented.visible,
    ...(layoutDigest !== undefined && { layoutDigest }),
  };
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

/** The rows that the decoder attends to when it reads a record. */
export function memoryOf(record: CacheRecord): Memory {
  return [allRows(record.states)];
}
