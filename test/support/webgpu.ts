/** Whether WebGPU has an adapter here, one in software too: Debian's mesa-vulkan-drivers 25 is one. */
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
    return false;
  } finally {
    await engine.close();
  }
}
