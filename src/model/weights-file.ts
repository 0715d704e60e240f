/** The weights file of a compiled model, written from a checkpoint: streamed, so that memory does not grow with it. */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { DkvError } from '../base/errors.js';
import type { Checkpoint } from './checkpoint.js';
import { elementCount, rowsOf } from './files/safetensors.js';
import { transformed } from './graph/transforms.js';
import type { Weights } from './graph/weights.js';
import { readSmoothed, type Smoothing, smoothedVector, smoothingOf } from './smoothing.js';
import { readSound } from './sound.js';

export interface WritingOptions {
  /** Called after every chunk of weights. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
  /** True unless the file is removed soon; such a file need not survive a loss of power. */
  readonly isKept?: boolean;
}

/** @returns SHA-256 (hex) of the file, taken while it is written */
export async function writeWeights(
  file: string,
  weights: Weights,
  checkpoint: Checkpoint,
  { onProgress, signal, isKept = true }: WritingOptions,
): Promise<string> {
  // Only 8-bit forms are smoothed; others do not read the weights once more.
  let known: Promise<Smoothing> | undefined;
  const smoothing = () => {
    known ??= smoothingOf(checkpoint);
    return known;
  };
  const handle = await open(file, 'wx');
  const hash = createHash('sha256');
  try {
    let at = 0;
    for (const tensor of weights.placed) {
      padTo(hash, at, tensor.offset);
      at = tensor.offset;
      const whole = checkpoint.tensors.get(tensor.source)!;
      const width = whole.shape.at(-1)!;
      const [start, count] = tensor.sourceRows ?? [0, elementCount(whole.shape) / width];
      const shape = [count, width] as const;
      const read = readSound(rowsOf(whole, [start, count]), start, tensor.type, wholeRows(shape));
      const scales = tensor.smoothed && (await smoothing()).of(tensor.source, tensor.smoothed);
      const isMatrix = whole.shape.length > 1;
      const chunks = scales && isMatrix ? readSmoothed(read, width, scales) : read;
      for await (const made of transformed(tensor.transform, tensor.type, chunks, shape)) {
        const bytes = scales && !isMatrix ? smoothedVector(made, scales) : made;
        if (signal?.aborted) throw new DkvError('CANCELLED', 'Compiling was stopped; nothing was left behind.');
        await writeFully(handle, bytes, at);
        hash.update(bytes);
        at += bytes.byteLength;
        onProgress?.(at, weights.sizeBytes);
      }
    }
    padTo(hash, at, weights.sizeBytes);
    await handle.truncate(weights.sizeBytes);
    if (isKept) await handle.sync();
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** Counts skipped bytes in the digest: in a file they read as zeros. */
function padTo(hash: Hash, from: number, to: number): void {
  hash.update(Buffer.alloc(to - from));
}

/** The number of elements to read at a time: about 2 million, in whole rows. */
function wholeRows([rows, width]: readonly [number, number]): number {
  return width * Math.min(rows, Math.max(1, Math.floor(2 ** 21 / width)));
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}
