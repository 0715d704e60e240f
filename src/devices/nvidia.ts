/** NVIDIA's driver and GPUs, as the kernel and nvidia-smi tell of them. */
import { readFile } from 'node:fs/promises';
import { runTool } from './run-tool.js';

export interface Gpu {
  readonly name: string;
  readonly memoryBytes: number;
  readonly freeBytes: number;
  /** The compute capability, such as 9.0 for an H100; null where the driver does not say. */
  readonly computeCapability: string | null;
}

export interface NvidiaState {
  /** The driver's version; undefined where none runs. */
  readonly driver: string | undefined;
  readonly gpus: readonly Gpu[];
  /** The reason why nothing is known of GPUs. */
  readonly problem?: string;
}

const FIELDS = ['name', 'memory.total', 'memory.free', 'driver_version', 'compute_cap'];

/** Asks the kernel and nvidia-smi. It never throws. */
export async function nvidiaState(signal?: AbortSignal): Promise<NvidiaState> {
  const kernel = parseKernelDriver(await readFile('/proc/driver/nvidia/version', 'utf8').catch(() => ''));
  const args = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
  const { output, problem } = await runTool('nvidia-smi', args, { signal });
  const { gpus, driver } = parseGpus(output ?? '');
  return {
    driver: kernel ?? driver,
    gpus,
    ...(gpus.length === 0 && { problem: `nvidia-smi: ${problem ?? 'lists none'}` }),
  };
}

/** Reads the driver's version from the text of /proc/driver/nvidia/version, which names the module before its version. */
export function parseKernelDriver(text: string): string | undefined {
  return /^NVRM version:.*?\s(\d{3,}\.\d+(?:\.\d+)?)\s/m.exec(text)?.[1];
}

/** Reads GPUs from nvidia-smi's lines, which give memory in MiB. */
export function parseGpus(text: string): { readonly gpus: Gpu[]; readonly driver: string | undefined } {
  const rows = text
    .split('\n')
    .map((line) => line.split(',').map((field) => field.trim()))
    .filter((fields) => fields.length === FIELDS.length && Number.isFinite(Number(fields[1])));
  return {
    driver: rows[0]?.[3],
    gpus: rows.map(([name, total, free, , capability]) => ({
      name: name!,
      memoryBytes: Number(total) * 2 ** 20,
      freeBytes: (Number(free) || 0) * 2 ** 20,
      computeCapability: /^\d+\.\d+$/.test(capability!) ? capability! : null,
    })),
  };
}

/** Tells whether a version is older than another. Its parts are compared as numbers. */
export function isOlder(version: string, than: string): boolean {
  const [own, other] = [version, than].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (let i = 0; i < Math.max(own.length, other.length); i++) {
    const difference = (own[i] ?? 0) - (other[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
