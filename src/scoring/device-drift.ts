/**
 * Does a device that computes in 16 bits hold what float32 gives? What it makes of a model is known when it is there: so the drift of NLLs is measured when a
 * model is first loaded on a kind of device, and kept beside the compiled model. It is measured anew for another version of the runtime.
 */
import path from 'node:path';
import { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { publish, readTextIfPresent } from '../base/files.js';
import { tryParse } from '../base/parse.js';
import { measureEngineDrift } from '../engine/drift.js';
import type { Engine } from '../engine/engine.js';
import { onnxRuntimeVersion } from '../engine/onnxruntime.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { withScratch } from '../model/compile.js';
import type { CompiledModel } from '../model/compiled.js';
import { computedAs, type Device, type Target } from '../model/graph/target.js';
import { type Drift, driftSchema } from '../model/manifest.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';
import { driftNotice, driftSamples } from './drift.js';

const measuredSchema = z.strictObject({
  /** The version of ONNX Runtime. */
  runtime: z.string(),
  drift: driftSchema,
});

export interface OnDevice {
  /** The model's name, for messages. */
  readonly name: string;
  readonly checkpoint: Checkpoint;
  readonly compiled: CompiledModel;
  readonly tokenizer: Tokenizer;
  readonly target: Target;
  /** Starts an engine on the device. */
  readonly start: (form: CompiledModel) => Promise<Engine>;
}

export interface MeasuringOptions {
  readonly ignoreDrift?: boolean | undefined;
  readonly onMeasure?: ((doneParts: number, totalParts: number) => void) | undefined;
  readonly onNotice?: ((notice: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The compiled model with its drift on the device, where that computes in 16 bits; as it is elsewhere, and where drift is to be ignored and is not known.
 * @throws DkvError DRIFT_LARGE, and what `measureEngineDrift` throws
 */
export async function measuredOnDevice(
  { name, checkpoint, compiled, tokenizer, target, start }: OnDevice,
  { ignoreDrift = false, onMeasure, onNotice, signal }: MeasuringOptions,
): Promise<CompiledModel> {
  if (target.arithmetic === 'float32') return compiled;
  const file = driftFile(compiled, target.device);
  const runtime = onnxRuntimeVersion();
  const known = await readMeasured(file, runtime);
  if (!known && ignoreDrift) return compiled;
  const measure = async () => {
    const engine = await start(compiled);
    try {
      return await withScratch(compiled, (scratch) =>
        measureEngineDrift(checkpoint, compiled, engine, scratch, driftSamples(tokenizer), {
          onProgress: onMeasure,
          signal,
        }),
      );
    } finally {
      await engine.close();
    }
  };
  const drift = known ?? (await measure());
  if (!known) {
    await publish(file, JSON.stringify({ runtime, drift })).catch((error: unknown) =>
      onNotice?.(`How far ${name} drifts on ${target.device} is measured at every start: ${messageOf(error)}`),
    );
  }
  const notice = driftNotice(name, drift, ignoreDrift, computedAs(compiled.precision, target));
  if (notice) onNotice?.(notice);
  return { ...compiled, drift };
}

/** The file of a device's drift. It lies beside the files of the model that a manifest lists, and is none of them. */
export function driftFile({ directory }: Pick<CompiledModel, 'directory'>, device: Device): string {
  return path.join(directory, `drift-${device}.json`);
}

/** Reads what was measured. What cannot be read is measured anew. */
async function readMeasured(file: string, runtime: string): Promise<Drift | undefined> {
  try {
    const parsed = tryParse(measuredSchema, JSON.parse((await readTextIfPresent(file)) ?? 'null'));
    return parsed.success && parsed.data.runtime === runtime ? parsed.data.drift : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DkvError) return undefined;
    throw error;
  }
}
