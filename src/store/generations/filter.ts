/**
 * A Bloom filter over digests of ids, so that a layer which does not have a document is seldom asked for it. Ten bits an item and seven of them set let
 * through 0.8% of what is not there. The digests are SHA-256, whose words serve as the seven hashes.
 */
const BITS_PER_ITEM = 10;
const HASHES = 7;
/** It is read with the top of the index. */
const LARGEST_BYTES = 16 * 1024;

export function filterOf(digests: readonly Uint8Array[]): Buffer {
  const filter = Buffer.alloc(Math.min(LARGEST_BYTES, Math.max(8, Math.ceil((digests.length * BITS_PER_ITEM) / 8))));
  for (const digest of digests) {
    for (const bit of bitsOf(digest, filter.length * 8)) filter[bit >> 3]! |= 1 << (bit & 7);
  }
  return filter;
}

/** Tells whether a digest may be among those that the filter was made of. False is certain. */
export function mayHave(filter: Uint8Array, digest: Uint8Array): boolean {
  for (const bit of bitsOf(digest, filter.length * 8)) if (!(filter[bit >> 3]! & (1 << (bit & 7)))) return false;
  return true;
}

/** The first word says which shard a digest is in, so all of a shard have it in common. */
function* bitsOf(digest: Uint8Array, bits: number): Iterable<number> {
  const words = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  for (let hash = 1; hash <= HASHES; hash++) yield words.getUint32(hash * 4, true) % bits;
}
