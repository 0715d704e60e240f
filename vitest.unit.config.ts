/** Most tests that need no model, no build and no network, for a quick answer while something is changed: `npm run test:unit`. `npm test` runs all. */
import { configDefaults, defineConfig } from 'vitest/config';
import { unitTests } from './test/support/unit-tests.js';

export default defineConfig({
  test: {
    include: unitTests(import.meta.dirname),
    // These repeat by chance what others show once, for longer than all others together may take.
    exclude: [
      ...configDefaults.exclude,
      'test/stats/{power,temperature}.test.ts',
      'test/model/tokenizer-unigram.test.ts',
    ],
    // Whoever needs more all the same is told so.
    setupFiles: ['test/support/unit-limits.ts'],
    // Files share what they import, which takes longer to load than most of them run.
    isolate: false,
    testTimeout: 180_000,
    maxWorkers: 2,
  },
});
