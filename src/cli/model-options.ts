/** The options that say which model runs, and how; shared by the commands that run one. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEVICES, type Device } from '../engine/engine.js';
import { PRECISIONS, type Precision } from '../model/graph/layout.js';
import { CONTROL_TOKENS, type ControlTokens } from '../model/tokenizer/tokenizer.js';
import { BUILT_IN_MODEL, loadModel, type Model } from '../scoring/load-model.js';
import { Progress } from './terminal.js';

/** How a model runs. */
export interface EngineOptions {
  readonly model: string;
  readonly precision: Precision;
  readonly device: Device;
  readonly batchTokens?: number;
  readonly workers: number;
  readonly threads?: number;
  readonly deviceMemory?: number;
  readonly ignoreMemory: boolean;
  readonly controlTokens: ControlTokens;
  readonly ignoreDrift: boolean;
  readonly verbose: boolean;
}

export interface ModelOptions extends EngineOptions {
  readonly maxLength: number;
}

export const DEFAULT_MAX_LENGTH = 2048;

/** Adds the options of commands that encode documents. */
export function addModelOptions(command: Command): Command {
  return addEngineOptions(command).option(
    '--max-length <n>',
    'tokens that the encoder reads; longer documents are cut at their end',
    positiveInteger,
    DEFAULT_MAX_LENGTH,
  );
}

/** Adds the options of commands that run a model on what has been encoded. */
export function addEngineOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--model <name>', 'checkpoint folder, organisation/name[@revision] on the hub, or tiny').default(
        BUILT_IN_MODEL,
        'the built-in model',
      ),
    )
    .addOption(
      new Option(
        '--precision <name>',
        'precision of the weights; with 16 bits GPUs compute products in them, too; tf32: float32 weights and TF32 products (cuda only)',
      )
        .choices(PRECISIONS)
        .default('float32'),
    )
    .addOption(new Option('--device <name>', 'ONNX Runtime provider').choices(DEVICES).default('cpu'))
    .option('--batch-tokens <n>', 'rows of a batch, padding included (default: by model size)', positiveInteger)
    .option('--workers <n>', 'engines side by side, for many documents; each has its own weights', positiveInteger, 1)
    .option(
      '--threads <n>',
      'threads of each worker (default: one for each physical core, or 1 with several workers)',
      positiveInteger,
    )
    .option(
      '--device-memory <GB>',
      'memory of a GPU that may be used (default: what it has free, where that can be found out)',
      positiveNumber,
    )
    .option('--ignore-memory', 'load even if memory seems too short', false)
    .option(
      '--ignore-drift',
      "load int8, or 16 bits on a GPU, even if this model's numbers are far from float32's",
      false,
    )
    .addOption(
      new Option(
        '--control-tokens <what>',
        'how to read <bos>, </s> and other control tokens that a text contains: as text, or as the tokens',
      )
        .choices(CONTROL_TOKENS)
        .default('text'),
    )
    .option('--verbose', "show what a GPU's driver and ONNX Runtime write", false);
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

export function integer(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Expected a whole number.');
}

/** Loads the model, with progress while it is downloaded and compiled the first time. What the user should know of it is said. */
export async function openModel(
  options: EngineOptions & Partial<Pick<ModelOptions, 'maxLength'>>,
  signal: AbortSignal,
): Promise<Model> {
  const { model, precision, device, batchTokens, workers, threads } = options;
  const { deviceMemory, ignoreMemory, ignoreDrift, controlTokens, verbose } = options;
  const progress = new LoadingProgress();
  try {
    const loaded = await loadModel(model, {
      precision,
      device,
      ...(deviceMemory !== undefined && { deviceMemoryBytes: deviceMemory * 1e9 }),
      ignoreMemory,
      controlTokens,
      ignoreDrift,
      signal,
      ...(batchTokens !== undefined && { batchTokens }),
      ...(options.maxLength !== undefined && { maxTokens: options.maxLength }),
      workers,
      ...(threads !== undefined && { threads }),
      ...progress.callbacks,
      ...(verbose && { onRuntimeLine: progress.callbacks.onNotice }),
    });
    const { trainedTokens, encoder } = loaded.engine.info.shape;
    const { maxLength = 0 } = options;
    if (encoder.mostRows !== null && maxLength > encoder.mostRows) {
      progress.callbacks.onNotice(`Documents are cut to ${encoder.mostRows} tokens: this model has no more positions.`);
    } else if (trainedTokens !== null && maxLength > trainedTokens) {
      progress.callbacks.onNotice(
        `Up to ${maxLength} tokens are read; this model was made for ${trainedTokens} (max_position_embeddings), and what it does beyond is not known. --max-length ${trainedTokens} cuts documents there.`,
      );
    }
    return loaded;
  } finally {
    progress.end();
  }
}

/** What the user sees while a model is made ready. */
export class LoadingProgress {
  readonly #download = new Progress('downloading', 'MB');
  readonly #compile = new Progress('compiling', 'MB');
  readonly #measure = new Progress('measuring the drift of int8', 'parts');

  readonly callbacks = {
    onDownload: (done: number, total: number) => this.#download.update(megabytes(done), megabytes(total)),
    onCompile: (done: number, total: number) => {
      this.#download.end();
      this.#compile.update(megabytes(done), megabytes(total));
    },
    onMeasure: (done: number, total: number) => {
      this.#compile.end();
      this.#measure.update(done, total);
    },
    onNotice: (notice: string) => {
      this.end();
      process.stderr.write(`${notice}\n`);
    },
  };

  end(): void {
    this.#download.end();
    this.#compile.end();
    this.#measure.end();
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
