/**
 * The variables that an engine's process is started with. CUDA's libraries take three things from there and from nowhere else: whether products in float32 may
 * be made in TF32, where the libraries are, and how cards are counted. They are read once a process, which is why an engine on CUDA has one of its own.
 */
import type { Variables } from '../base/environment.js';
import type { Device } from '../engine/engine.js';
import type { Precision } from '../model/graph/layout.js';
import { cudaLibraryPath } from './cuda-provider.js';

/** NVIDIA's libraries read it: 0 keeps every product in float32 from TF32, whatever a program asks for; unset, the program decides, and the runtime takes TF32. */
const TF32_VARIABLE = 'NVIDIA_TF32_OVERRIDE';

/** How nvidia-smi counts cards, whose memory is asked for (memory.ts); CUDA would take the fastest first. */
const CARD_ORDER = 'PCI_BUS_ID';

export interface ProcessEnvironment {
  readonly variables: Variables;
  /** Notices that the user should know of. */
  readonly notices: readonly string[];
}

/** @param given this process's variables @throws DkvError FILES_UNUSABLE */
export async function processEnvironment(
  device: Device,
  precision: Precision,
  cacheDirectory: string,
  given: Variables = process.env,
): Promise<ProcessEnvironment> {
  if (device !== 'cuda') return { variables: given, notices: [] };
  const { [TF32_VARIABLE]: asked, ...others } = given;
  const setsTf32 = precision === 'tf32';
  const contradicts = asked !== undefined && asked !== '' && (asked === '0') === setsTf32;
  const libraryPath = await cudaLibraryPath(cacheDirectory, given);
  return {
    variables: {
      ...others,
      CUDA_DEVICE_ORDER: given.CUDA_DEVICE_ORDER || CARD_ORDER,
      ...(!setsTf32 && { [TF32_VARIABLE]: '0' }),
      ...(libraryPath !== '' && { LD_LIBRARY_PATH: libraryPath }),
    },
    notices: contradicts
      ? [
          `${TF32_VARIABLE} is ${JSON.stringify(asked)} in the environment; --precision ${precision} decides: products are made ${setsTf32 ? 'in TF32. --precision float32 keeps them in float32' : `without TF32. --precision tf32 makes them so`}.`,
        ]
      : [],
  };
}
