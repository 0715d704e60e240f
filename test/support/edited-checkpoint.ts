/** Checkpoints with some numbers changed. */
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readFloat32, readHeader } from '../../src/model/files/safetensors.js';

/** Changes a tensor's numbers in place. @param shape as the file says it */
export type Edit = (values: Float32Array, shape: readonly number[]) => void;

/**
 * A copy of a checkpoint with its weights as float32.
 * @param folder made by this
 * @param edits by stored name
 */
export async function editCheckpoint(
  source: string,
  folder: string,
  edits: Readonly<Record<string, Edit>>,
): Promise<void> {
  await cp(source, folder, { recursive: true });
  const file = path.join(folder, 'model.safetensors');
  const tensors = await readHeader(file);
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let end = 0;
  for (const name of Object.keys(edits)) if (!tensors.has(name)) throw new Error(`no tensor ${name}`);
  for (const [name, tensor] of tensors) {
    const chunks: Buffer[] = [];
    for await (const chunk of readFloat32(tensor)) chunks.push(Buffer.from(chunk.buffer));
    const bytes = Buffer.from(new Uint8Array(Buffer.concat(chunks)).buffer);
    edits[name]?.(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), tensor.shape);
    header[name] = { dtype: 'F32', shape: tensor.shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
    parts.push(bytes);
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(file, Buffer.concat([length, text, ...parts]));
}
