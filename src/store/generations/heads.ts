/**
 * Headers of records in a shard. Most of a header is the same for all of them, so a shard keeps a few *heads*, and of each record what differs from
 * one of these. A record's bytes come back as they were, which is looked at when it is packed: what would not come back is kept whole.
 *
 * The body of a packed record:
 *
 *     0  1  form: 0 whole, 1 behind a head
 *     whole:  the record's bytes (records/record.ts)
 *     behind a head:
 *     1  1  number of the head
 *     2  4  J
 *     6  J  the header's other fields: JSON
 *   6+J  .  payload and checksum, as in the record
 */
import { isDeepStrictEqual } from 'node:util';
import { asBuffer } from '../../base/bytes.js';
import { recordBefore, recordWith, splitRecord } from '../records/record.js';
import type { Json } from '../store.js';

/** The fields of a header, in its order, with the values that most records share. */
export type Head = Readonly<Record<string, Json>>;

const WHOLE = 0;
const BEHIND_HEAD = 1;
const OWN_AT = 6;
const MOST_HEADS = 16;
/** Heads are read with the top of the index. */
const LARGEST_HEAD = 2048;

/** Packs records and collects the heads that they need. */
export class HeadCollector {
  readonly #heads: Head[] = [];

  get heads(): readonly Head[] {
    return this.#heads;
  }

  /** @param record sound bytes of a record */
  pack(record: Uint8Array): Buffer {
    const { header, rest } = splitRecord(record);
    const json = asBuffer(header).toString('utf8').trimEnd();
    const fields = JSON.parse(json) as Head;
    const own = this.#heads.map((head) => differing(fields, head));
    let best = own.reduce<number | undefined>(
      (least, text, at) => (text !== undefined && text.length < (own[least ?? -1]?.length ?? Infinity) ? at : least),
      undefined,
    );
    // Another variant's head saves too little.
    const isPoor = best === undefined || own[best]!.length > json.length / 2;
    const isSmall = json.length <= LARGEST_HEAD;
    if (isPoor && isSmall && this.#heads.length < MOST_HEADS) best = this.#heads.push(fields) - 1;
    if (best !== undefined) {
      const text = Buffer.from(differing(fields, this.#heads[best]!)!, 'utf8');
      const start = Buffer.alloc(OWN_AT);
      start.writeUInt8(BEHIND_HEAD, 0);
      start.writeUInt8(best, 1);
      start.writeUInt32LE(text.length, 2);
      const packed = Buffer.concat([start, text, rest]);
      if (unpackRecord(packed, this.#heads)?.equals(record)) return packed;
    }
    return Buffer.concat([Buffer.from([WHOLE]), record]);
  }
}

/** The bytes that a header may need in front of what was packed. */
export const HEADROOM = 2 * LARGEST_HEAD;

/**
 * Gives the bytes of the record; undefined for what no record was packed to. They are not checked.
 * @param whole memory in which `packed` begins after `HEADROOM` bytes: the record is put together there, without a copy of its payload
 */
export function unpackRecord(packed: Buffer, heads: readonly Head[], whole?: Buffer): Buffer | undefined {
  const form = packed[0];
  if (form === WHOLE) return packed.subarray(1);
  const head = form === BEHIND_HEAD && packed.length >= OWN_AT ? heads[packed.readUInt8(1)] : undefined;
  if (!head) return undefined;
  const restAt = OWN_AT + packed.readUInt32LE(2);
  let own: Head;
  try {
    own = JSON.parse(packed.toString('utf8', OWN_AT, restAt)) as Head;
  } catch {
    return undefined;
  }
  const fields = Object.entries(head).map(([name, value]) => [name, Object.hasOwn(own, name) ? own[name] : value]);
  const header = JSON.stringify(Object.fromEntries(fields));
  const rest = packed.subarray(restAt);
  return (whole && recordBefore(whole, HEADROOM + restAt, rest.length, header)) ?? recordWith(header, rest);
}

/** The fields in which a header differs from a head, as JSON; undefined where it has other fields. */
function differing(fields: Head, head: Head): string | undefined {
  const names = Object.keys(head);
  if (!isDeepStrictEqual(Object.keys(fields), names)) return undefined;
  return JSON.stringify(
    Object.fromEntries(
      names.filter((name) => !isDeepStrictEqual(fields[name], head[name])).map((name) => [name, fields[name]]),
    ),
  );
}
