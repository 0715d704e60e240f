/**
 * What a GPU's provider says when it does not start or fails while it runs, as an error that says what to do. CUDA's numbers are those of `cudaError_t`, which
 * stay the same from release to release; the words around them are the runtime's.
 */
import { DkvError } from '../base/errors.js';
import type { Device } from './engine.js';

const more = (device: Device) => `"dkv devices" lists what ${device} has and lacks here (docs/devices.md).`;

const OUT_OF_MEMORY =
  /CUDA failure 2\b|CUBLAS_STATUS_ALLOC_FAILED|CUBLAS failure 3\b|Failed to allocate memory for requested buffer|is smaller than requested bytes|ran out of memory|out of memory/i;

/** Failures after which a CUDA context computes no more (illegal address, launch failure, ECC, fallen off the bus ...), and those of other providers. */
const LOST =
  /CUDA failure (?:214|220|7(?:0[02]|10|1[4-9]|21)|999)\b|device (?:was |is )?lost|DXGI_ERROR_DEVICE_(?:REMOVED|HUNG|RESET)/i;

/** Why CUDA does not start, by its number. */
const CUDA_START: readonly (readonly [numbers: readonly number[], what: string])[] = [
  [
    [35],
    "the NVIDIA driver is older than the provider's CUDA needs (CUDA 13: driver 580 or newer). Bring it up to date",
  ],
  [
    [100, 101],
    'no GPU is seen. Is CUDA_VISIBLE_DEVICES right, and was a container started with its GPUs (docker run --gpus all)?',
  ],
  [[46], 'the GPU is taken: another process has it for itself (nvidia-smi shows its compute mode)'],
  [[209, 222, 223], 'the provider has no code for a GPU of this generation'],
  [[802], 'the machine is not ready: where its GPUs are joined by NVSwitch, does nvidia-fabricmanager run?'],
  [
    [803, 804],
    'driver and CUDA libraries do not match: after an update of the driver the machine has to be started again',
  ],
  [[3, 999], 'the driver does not start. "nvidia-smi" says more, and often a restart of the machine helps'],
];

/** The runtime's text without its file names, in one line. */
function tidy(message: string): string {
  return message
    .replace(/\/onnxruntime_src\/\S+:\d+\s/g, '')
    .replace(/\s*;\s*(?:hostname|file|line|expr)=[^;]*/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * Why a session could not be made on a device.
 * @param reason what was found out beside the runtime's own message, a sentence without its stop
 * @param advice the last sentence
 */
export function startError(device: Device, message: string, reason?: string, advice = more(device)): DkvError {
  if (OUT_OF_MEMORY.test(message)) return memoryError(device, message);
  const end = advice === '' ? '' : ` ${advice}`;
  if (device === 'webgpu' && /Failed to get a WebGPU adapter/.test(message)) {
    const found = 'no adapter was found: a Vulkan driver that is new enough is missing (in software: Mesa 25)';
    return new DkvError('DEVICE_UNAVAILABLE', `Device "${device}" could not be started: ${found}.${end}`);
  }
  const failure = /CUDA failure (\d+)\b/.exec(message);
  const why = reason ?? (failure && CUDA_START.find(([numbers]) => numbers.includes(Number(failure[1])))?.[1]);
  const said = why ? `${why}. (ONNX Runtime: ${tidy(message)})` : `${tidy(message)}.`;
  return new DkvError('DEVICE_UNAVAILABLE', `Device "${device}" could not be started: ${said}${end}`);
}

/** Why a run failed, where the device is the reason. */
export function runError(device: Device, graph: string, message: string): DkvError | undefined {
  if (device === 'cpu') return undefined;
  if (OUT_OF_MEMORY.test(message)) return memoryError(device, message);
  if (!LOST.test(message)) return undefined;
  return new DkvError(
    'DEVICE_LOST',
    `Device "${device}" stopped while it ran the ${graph} graph: ${tidy(message)}. An engine in a process of its own starts anew with the next request; should it happen again, look into the system's log (dmesg) for the driver's reason.`,
  );
}

function memoryError(device: Device, message: string): DkvError {
  return new DkvError(
    'MEMORY_SHORT',
    `The memory of device "${device}" is too short: ${tidy(message)}. Does another program use it? Less is taken by smaller batches (--batch-tokens), by 16-bit weights (--precision bfloat16 or float16) and by fewer --workers.`,
  );
}
