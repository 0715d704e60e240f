/**
 * Copies of one tensor under several names: the encoder's table is the decoder's and the head's, and files may hold it once or three times.
 * Where copies differ, the reference warns and uses each in its own place, older versions use one of them; so nobody knows which is meant.
 */

import { DkvError } from '../base/errors.js';
import type { Checkpoint } from './checkpoint.js';
import { familyOf } from './families/families.js';
import { readFloat32, type TensorEntry } from './files/safetensors.js';

/** Compares values, whatever types they are stored as. @throws DkvError CHECKPOINT_INVALID naming two tensors and where they differ first */
export async function expectEqualCopies({ config, tensors, copies }: Checkpoint): Promise<void> {
  const { title } = familyOf(config);
  for (const { of, entry } of copies) await expectEqual(tensors.get(of)!, entry, title);
}

async function expectEqual(one: TensorEntry, other: TensorEntry, title: string): Promise<void> {
  const others = readFloat32(other);
  let start = 0;
  try {
    for await (const left of readFloat32(one)) {
      const right = (await others.next()).value as Float32Array<ArrayBuffer>;
      const at = firstDifference(left, right);
      if (at >= 0) throw differ(title, one, other, start + at, left[at]!, right[at]!);
      start += left.length;
    }
  } finally {
    // Also after the last piece its file is open: a generator ends when it is asked for more, or told so.
    await others.return(undefined);
  }
}

/** Finds the first place where two tensors differ; -1 where they do not. Zeros of either sign are equal, and so are two NaN. */
function firstDifference(left: Float32Array<ArrayBuffer>, right: Float32Array<ArrayBuffer>): number {
  if (Buffer.from(left.buffer).equals(Buffer.from(right.buffer))) return -1;
  return left.findIndex((value, i) => value !== right[i] && !(Number.isNaN(value) && Number.isNaN(right[i])));
}

function differ(
  title: string,
  one: TensorEntry,
  other: TensorEntry,
  at: number,
  left: number,
  right: number,
): DkvError {
  const width = one.shape.at(-1)!;
  const place = one.shape.length === 1 ? [at] : [Math.floor(at / width), at % width];
  const where = one.file === other.file ? '' : ` (in ${other.file})`;
  return new DkvError(
    'CHECKPOINT_INVALID',
    `${one.file}: ${one.name} and ${other.name}${where} are one tensor in ${title}, but differ first at [${place}]: ${left} and ${right}. Which of them is meant cannot be known: save the checkpoint with one of them, or with both alike.`,
  );
}
