/** Safetensors files in memory, to be changed: the reader under test takes no part in it. */
import { readFile, writeFile } from 'node:fs/promises';

export interface StoredTensor {
  dtype: string;
  shape: readonly number[];
  bytes: Buffer;
}

export type StoredTensors = Map<string, StoredTensor>;

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

export async function readTensors(file: string): Promise<StoredTensors> {
  const content = await readFile(file);
  const dataStart = 8 + Number(content.readBigUInt64LE());
  const header = JSON.parse(content.subarray(8, dataStart).toString()) as Header;
  const tensors: StoredTensors = new Map();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [start, end] = data_offsets;
    tensors.set(name, { dtype, shape, bytes: Buffer.from(content.subarray(dataStart + start, dataStart + end)) });
  }
  return tensors;
}

export async function writeTensors(file: string, tensors: StoredTensors): Promise<void> {
  const header: Header = {};
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    header[name] = { dtype, shape: [...shape], data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(file, Buffer.concat([length, text, ...[...tensors.values()].map(({ bytes }) => bytes)]));
}

/** Rewrites a file. */
export async function editTensors(file: string, edit: (tensors: StoredTensors) => void): Promise<void> {
  const tensors = await readTensors(file);
  edit(tensors);
  await writeTensors(file, tensors);
}

export function floatsOf(...values: number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}
