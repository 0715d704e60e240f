/** Weights are looked at while they are compiled: a single one that is no number makes numbers of nothing. */
import { DkvError } from '../base/errors.js';
import { readFloat32, type TensorEntry } from './files/safetensors.js';
import type { ElementType } from './graph/builder.js';
import { firstBeyond } from './graph/transforms.js';

/**
 * The numbers of a tensor, all of them finite, and at the type that they are kept in.
 * @param firstRow of `rows` in the checkpoint's tensor
 * @throws DkvError NUMBERS_NOT_FINITE naming file, tensor and place
 */
export async function* readSound(
  rows: TensorEntry,
  firstRow: number,
  type: ElementType,
  chunkElements: number,
): AsyncGenerator<Float32Array<ArrayBuffer>> {
  const width = rows.shape.at(-1)!;
  let before = firstRow * width;
  for await (const chunk of readFloat32(rows, chunkElements)) {
    const at = firstBeyond(chunk, type);
    if (at !== undefined) {
      const [row, column] = [Math.floor((before + at) / width), (before + at) % width];
      const reason = Number.isFinite(chunk[at])
        ? `beyond what ${type} holds. Use --precision float32`
        : 'no finite number. The checkpoint is damaged, or was broken in training';
      throw new DkvError(
        'NUMBERS_NOT_FINITE',
        `${rows.file}: tensor ${rows.name}, row ${row}, column ${column} is ${chunk[at]}, ${reason}.`,
      );
    }
    yield chunk;
    before += chunk.length;
  }
}
