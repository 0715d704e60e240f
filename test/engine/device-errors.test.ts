/** What providers say, as the runtime's versions word it, and what becomes of it. */
import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { cudaLoadProblem, RUNTIME_LIBRARY, runtimeFolder } from '../../src/engine/cuda-library.js';
import { runError, startError } from '../../src/engine/device-errors.js';
import { RuntimeLines } from '../../src/hosts/runtime-lines.js';
import { temporaryFolder } from '../support/fixtures.js';

/** As `CudaCall` of ONNX Runtime words a failure. */
const cuda = (number: number, text: string) =>
  `/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:129 bool onnxruntime::CudaCall(...) CUDA failure ${number}: ${text} ; GPU=-1 ; hostname=box ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; line=300 ; expr=cudaSetDevice(info_.device_id);`;

describe('a device that does not start', () => {
  it.each([
    ['cuda', cuda(35, 'CUDA driver version is insufficient for CUDA runtime version'), /driver is older.*580/],
    ['cuda', cuda(100, 'no CUDA-capable device is detected'), /no GPU is seen.*--gpus all/],
    ['cuda', cuda(802, 'system not yet initialized'), /nvidia-fabricmanager/],
    ['cuda', cuda(804, 'forward compatibility was attempted on non supported HW'), /started again/],
    ['cuda', cuda(209, 'no kernel image is available for execution on the device'), /generation/],
    [
      'webgpu',
      '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 status was false. Failed to get a WebGPU adapter: No supported adapters\n',
      /no adapter was found.*Mesa 25/,
    ],
    ['webgpu', 'something that nobody has seen', /something that nobody has seen/],
  ] as const)('is named by what is in the way (%s, %s)', (device, message, expected) => {
    const error = startError(device, message);
    expect(error).toMatchObject({ code: 'DEVICE_UNAVAILABLE', message: expect.stringMatching(expected) });
    expect(error.message).toMatch(/dkv devices/);
    expect(error.message).not.toMatch(/onnxruntime_src|hostname=|\n/);
  });

  it('is short of memory where it is', () => {
    expect(startError('cuda', cuda(2, 'out of memory'))).toMatchObject({
      code: 'MEMORY_SHORT',
      message: expect.stringMatching(/--batch-tokens.*bfloat16/),
    });
  });
});

describe('a run that a device ends', () => {
  it.each([
    cuda(2, 'out of memory'),
    'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0',
    'Failed to allocate memory for requested buffer of size 4294967296',
    'Available memory of 1024 is smaller than requested bytes of 4294967296',
  ])('for want of memory: %s', (message) => {
    expect(runError('cuda', 'encoder', message)).toMatchObject({ code: 'MEMORY_SHORT' });
    expect(runError('cpu', 'encoder', message)).toBeUndefined();
  });

  it.each([
    ['cuda', cuda(700, 'an illegal memory access was encountered')],
    ['cuda', cuda(719, 'unspecified launch failure')],
    ['webgpu', 'WebGPU device lost (2): a valid external Instance reference no longer exists.'],
    ['dml', 'DXGI_ERROR_DEVICE_REMOVED'],
  ] as const)('because it is lost (%s): %s', (device, message) => {
    expect(runError(device, 'encoder', message)).toMatchObject({
      code: 'DEVICE_LOST',
      message: expect.stringMatching(/starts anew/),
    });
  });

  it('is another failure otherwise', () => {
    expect(runError('cuda', 'encoder', 'Invalid input name: tokens')).toBeUndefined();
    expect(runError('cuda', 'encoder', cuda(720, 'too many blocks in cooperative launch'))).toBeUndefined();
  });
});

describe.runIf(process.platform === 'linux')("CUDA's library", () => {
  it('is missed by name, with how to get it', async () => {
    const folder = await temporaryFolder();
    expect(cudaLoadProblem(folder)).toMatch(/libonnxruntime_providers_shared\.so is not in .*dkv devices install cuda/);
    // Any library that loads stands in for what providers have in common.
    await copyFile(
      path.join(runtimeFolder(), RUNTIME_LIBRARY),
      path.join(folder, 'libonnxruntime_providers_shared.so'),
    );
    await writeFile(path.join(folder, 'libonnxruntime_providers_cuda.so'), 'no library');
    expect(cudaLoadProblem(folder)).toMatch(/libonnxruntime_providers_cuda\.so: file too short|invalid ELF header/);
  });
});

it('keeps what drivers write from the user and what Node says not', async () => {
  const stream = new PassThrough();
  const [runtime, node]: string[][] = [[], []];
  const lines = new RuntimeLines(
    stream,
    (line) => runtime!.push(line),
    (line) => node!.push(line),
  );
  for (let i = 0; i < 20; i++) stream.write(`Warning: line ${i}\n`);
  stream.write('(node:12) DkvNotice: a password is taken\nhalf ');
  stream.end('a line');
  await new Promise((resolve) => stream.once('end', resolve));
  expect(runtime).toHaveLength(20);
  expect(node).toEqual(['(node:12) DkvNotice: a password is taken']);
  expect(lines.last).toMatch(/^Warning: line 12 \|.*\| Warning: line 19 \| half a line$/);
});
