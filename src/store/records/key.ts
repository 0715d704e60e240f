/**
 * The name of a record: a digest of what decides its states, written down fact by fact. Stores outlive versions of this package, so the
 * bytes that are digested are stated here and depend on no other file's lists: a new segment, or a new fact that most records do
 * without, leaves the keys of all others as they are. Digests of examples stand in test/store/key.test.ts.
 */
import { asBuffer, sha256 } from '../../base/bytes.js';
import type { Range } from '../../priming/input.js';
import type { RecordIdentity, StatesPrecision } from '../store.js';

/** The version of what is digested. Another one makes every record of every store unknown. */
const KEY_VERSION = 1;

/** The segments of version 1, which have a place each, `null` where the input has no such segment. */
const PLACED_SEGMENTS: readonly string[] = ['bos', 'prefix', 'separator', 'document'];

/** The start and the end (excluded) of a range. */
type WrittenRange = readonly [number, number];

/**
 * What is digested as JSON, in this order and without white space; the token ids follow as int32, little-endian. A later fact is put at
 * the end and left out of records that it does not concern.
 */
interface WrittenKey {
  readonly format: typeof KEY_VERSION;
  readonly tenantSalt: string;
  readonly fingerprint: string;
  readonly modelPrecision: string;
  readonly precision: StatesPrecision;
  readonly layoutDigest: string | null;
  /** The name of the visibility, or the names of segments in the order in which they were asked for. */
  readonly visibility: string | readonly string[];
  readonly visible: readonly WrittenRange[];
  /** The ranges of `PLACED_SEGMENTS`. */
  readonly spans: readonly (WrittenRange | null)[];
  /** The number of token ids that follow. */
  readonly tokens: number;
  /** The name, start and end of the segments that version 1 did not know, ordered by name. Absent where there are none. */
  readonly furtherSpans?: readonly (readonly [string, number, number])[];
}

/** SHA-256 in hex over everything that decides the stored states, and the salt, so that tenants share nothing. */
export function keyOf(identity: RecordIdentity, tenantSalt: string): string {
  const written = JSON.stringify(writtenKey(identity, tenantSalt));
  return sha256(written, asBuffer(identity.tokenIds)).toString('hex');
}

function writtenKey(identity: RecordIdentity, tenantSalt: string): WrittenKey {
  const { visibility } = identity;
  const spans = new Map<string, Range>(Object.entries(identity.spans));
  const further = [...spans.keys()].filter((segment) => !PLACED_SEGMENTS.includes(segment)).sort();
  return {
    format: KEY_VERSION,
    tenantSalt,
    fingerprint: identity.fingerprint,
    modelPrecision: identity.modelPrecision,
    precision: identity.precision,
    layoutDigest: identity.layoutDigest ?? null,
    visibility: typeof visibility === 'string' ? visibility : [...visibility],
    visible: identity.visible.map(({ start, end }) => [start, end]),
    spans: PLACED_SEGMENTS.map((segment) => {
      const span = spans.get(segment);
      return span ? [span.start, span.end] : null;
    }),
    tokens: identity.tokenIds.length,
    ...(further.length > 0 && {
      furtherSpans: further.map((segment) => [segment, spans.get(segment)!.start, spans.get(segment)!.end] as const),
    }),
  };
}

/** The parts of an input that differ from the usual reading, in which rows 0, 1, 2, ... all see each other. */
export interface UnusualLayout {
  /** The positions, [rows]. */
  readonly positions?: Int32Array | undefined;
  /** The mask of pairs, [rows * rows]. */
  readonly pairMask?: Uint8Array | undefined;
}

/**
 * SHA-256 in hex over which of both there are, as JSON, and then their bytes. A further part is put behind them, by its name, where
 * there is one.
 * @returns undefined for the usual layout
 */
export function layoutDigestOf({ positions, pairMask }: UnusualLayout): string | undefined {
  if (!positions && !pairMask) return undefined;
  const present = JSON.stringify([positions !== undefined, pairMask !== undefined]);
  return sha256(present, ...(positions ? [asBuffer(positions)] : []), ...(pairMask ? [pairMask] : [])).toString('hex');
}
