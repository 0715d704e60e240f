/** How much memory a device has, as far as anything tells: NVIDIA's driver does, WebGPU does not, and a user may say it. */
import { DkvError } from '../base/errors.js';
import type { Device } from '../engine/engine.js';
import { runTool } from './run-tool.js';

export interface DeviceMemory {
  readonly totalBytes: number;
  /** The bytes that other programs have left free. */
  readonly freeBytes: number;
  /** The source of the figure. */
  readonly from: 'nvidia-smi' | 'stated';
}

const MEBIBYTE = 2 ** 20;

/**
 * @param stated bytes that may be used, where a user knows better; `DKV_DEVICE_MEMORY`, in GB, when left out
 * @returns undefined where nothing tells
 * @throws DkvError INPUT_INVALID for what is stated and is no number above 0
 */
export async function deviceMemory(
  device: Exclude<Device, 'cpu'>,
  stated: number | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<DeviceMemory | undefined> {
  if (stated !== undefined && !(Number.isFinite(stated) && stated > 0)) {
    throw new DkvError('INPUT_INVALID', `deviceMemoryBytes is ${stated}; expected bytes, a number above 0.`);
  }
  const bytes = stated ?? statedIn(environment);
  if (bytes !== undefined) return { totalBytes: bytes, freeBytes: bytes, from: 'stated' };
  return device === 'cuda' ? askNvidia(environment) : undefined;
}

function statedIn({ DKV_DEVICE_MEMORY: given }: NodeJS.ProcessEnv): number | undefined {
  if (given === undefined || given === '') return undefined;
  const bytes = Number(given) * 1e9;
  if (Number.isFinite(bytes) && bytes > 0) return bytes;
  throw new DkvError(
    'INPUT_INVALID',
    `DKV_DEVICE_MEMORY is ${JSON.stringify(given)}; expected gigabytes, a number above 0.`,
  );
}

/** The first device that this process may use, none where the list of them is empty. Cards that share the machine's memory answer "[N/A]". */
async function askNvidia(environment: NodeJS.ProcessEnv): Promise<DeviceMemory | undefined> {
  const [visible] = (environment.CUDA_VISIBLE_DEVICES ?? '0').split(',');
  if (!visible) return undefined;
  const query = ['--query-gpu=memory.total,memory.free', '--format=csv,noheader,nounits', `--id=${visible}`];
  const { output = '' } = await runTool('nvidia-smi', query, { environment });
  const [, total, free] = /^\s*(\d+)\s*,\s*(\d+)\s*$/m.exec(output) ?? [];
  if (total === undefined || free === undefined) return undefined;
  return { totalBytes: Number(total) * MEBIBYTE, freeBytes: Number(free) * MEBIBYTE, from: 'nvidia-smi' };
}
