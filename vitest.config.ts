import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A minute of processes that are killed: `npm run test:faults`.
    exclude: [...configDefaults.exclude, 'test/fleet/runners.test.ts'],
    runner: './test/support/runner.ts',
    globalSetup: ['test/support/build.ts', 'test/support/gemma3.ts'],
    // Compiled models of the tests, kept between runs and out of the user's cache.
    // Several programs at a time on few cores: threads of one that wait for each other would take the time of the others.
    // Tests that start ONNX Runtime by themselves send no telemetry either.
    env: {
      DKV_CACHE: 'node_modules/.cache/directed-kvcache',
      DKV_THREADS: '1',
      ORT_DISABLE_TELEMETRY: '1',
    },
    // Against hanging for ever, not a measure of speed: the machine may have other work.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Tests that load native sessions or start processes share two cores.
    maxWorkers: 2,
  },
});
