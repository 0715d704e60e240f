/** The digest of a checkpoint's weights, remembered between starts. */
import { type Checkpoint, weightsDigest } from './checkpoint.js';
import { expectEqualCopies } from './copies.js';
import { DigestMemory } from './files/digests.js';

/**
 * The digest of a checkpoint's tensors, remembered while its files are what they were.
 * @throws DkvError CHECKPOINT_INVALID for copies of a tensor that differ, and for a file that ends early
 */
export function cachedDigest(checkpoint: Checkpoint, cacheDirectory: string): Promise<string> {
  const { tensors, copies } = checkpoint;
  const files = new Set([...tensors.values(), ...copies.map(({ entry }) => entry)].map(({ file }) => file));
  const what = [...tensors, ...copies];
  return new DigestMemory(cacheDirectory).of([...files].sort(), what, async () => {
    await expectEqualCopies(checkpoint);
    return weightsDigest(checkpoint);
  });
}
