/**
 * The frames that files of a store consist of: archives (archive.ts) and shards of generations (generations/shard.ts). Little-endian:
 *
 *     0   8  magic "DKVSTORE"
 *     8   4  format version: 1 an archive, 2 a shard
 *    12      frames, one after the other
 *
 * A frame:
 *
 *     0   4  kind
 *     4   8  n, bytes of the body
 *    12   n  body
 *  12+n  32  SHA-256 of the frame before it
 */
import { sha256 } from '../base/bytes.js';
import { DkvError } from '../base/errors.js';

const MAGIC = Buffer.from('DKVSTORE', 'latin1');
/** The number of bytes before the first frame. */
export const START_BYTES = 12;
/** The number of bytes before a frame's body. */
export const FRAME_BYTES = 12;
/** The number of bytes behind a frame's body. */
export const CHECKSUM_BYTES = 32;
export const ARCHIVE_VERSION = 1;
export const SHARD_VERSION = 2;

/** The kinds of frames of an archive, and those that only shards have. */
export const ARCHIVE_KINDS = ['note', 'reco', 'docu', 'end.'] as const;
type FrameKind = (typeof ARCHIVE_KINDS)[number] | 'leaf' | 'top.' | 'foot';

export function startBytes(version: number): Buffer {
  const start = Buffer.alloc(START_BYTES);
  start.set(MAGIC);
  start.writeUInt32LE(version, MAGIC.length);
  return start;
}

/**
 * Reads the version from a file's first bytes; undefined for what does not begin as such a file does.
 * @param name the source's name, for messages
 * @throws DkvError STORE_MISMATCH for a later version
 */
export function versionIn(start: Buffer | undefined, name: string): number | undefined {
  if (!start?.subarray(0, MAGIC.length).equals(MAGIC) || start.length < START_BYTES) return undefined;
  const version = start.readUInt32LE(MAGIC.length);
  if (version <= SHARD_VERSION) return version;
  throw new DkvError(
    'STORE_MISMATCH',
    `${name} has format version ${version}, this package reads up to ${SHARD_VERSION}. Use a later one.`,
  );
}

/** Makes a frame of a body that is given in parts. */
export function frame(kind: FrameKind, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const bytes = Buffer.allocUnsafe(FRAME_BYTES + length + CHECKSUM_BYTES);
  bytes.write(kind, 'latin1');
  bytes.writeBigUInt64LE(BigInt(length), 4);
  let end = FRAME_BYTES;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.byteLength;
  }
  bytes.set(sha256(bytes.subarray(0, end)), end);
  return bytes;
}

/** Gives the body of a frame; undefined for bytes that are no whole frame of this kind, or not as they were written. */
export function bodyOf(kind: FrameKind, bytes: Buffer): Buffer | undefined {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < FRAME_BYTES || bytes.toString('latin1', 0, 4) !== kind) return undefined;
  if (bytes.readBigUInt64LE(4) !== BigInt(end - FRAME_BYTES)) return undefined;
  const isSound = sha256(bytes.subarray(0, end)).equals(bytes.subarray(end));
  return isSound ? bytes.subarray(FRAME_BYTES, end) : undefined;
}
