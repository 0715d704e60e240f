/** The CRC-32 that zlib, gzip and PNG use. Node's own stands in `node:zlib`, and what is checked by it is read in browsers too. */

/** 0x04C11DB7 with its bits in reverse order. */
const POLYNOMIAL = 0xedb88320;

/** The remainder's change for each value of a byte. */
const BY_BYTE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
});

/**
 * @param before the checksum of bytes that stand in front of these, from which it goes on; nothing does when left out
 * @returns an unsigned number of 32 bits
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let remainder = ~before;
  for (let at = 0; at < bytes.length; at++) {
    remainder = BY_BYTE[(remainder ^ bytes[at]!) & 0xff]! ^ (remainder >>> 8);
  }
  return ~remainder >>> 0;
}
