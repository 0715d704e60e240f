/** Whether WebGPU has an adapter here, one in software too: Debian's mesa-vulkan-drivers 25 is one. */
import { writeSync } from 'node:fs';
import { expect } from 'vitest';
import type { CompiledModel } from '../../src/model/compiled.js';
import { engineHere } from './engine-here.js';

export async function hasAdapter(model: CompiledModel): Promise<boolean> {
  const engine = engineHere(model, { device: 'webgpu' });
  try {
    await engine.encode([{ tokenIds: Int32Array.of(2, 5) }]);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    tellSkipped(error);
    return false;
  } finally {
    await engine.close();
  }
}

/** Once a test file: by itself the runner says of skipped tests only how many they are. */
export function tellSkipped(error: unknown): void {
  const file = expect.getState().testPath?.replace(`${process.cwd()}/`, '');
  // The console's lines are held back by some of the runner's reporters.
  writeSync(2, `${file} skips its tests on WebGPU: ${(error as Error).message} What they need: CONTRIBUTING.md.\n`);
}
