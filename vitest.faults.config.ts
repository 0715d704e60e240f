/** The tests of what may go wrong, at length: `npm run test:faults`. `npm test` runs a short version of each. */
import { configDefaults, mergeConfig } from 'vitest/config';
import base from './vitest.config.js';

const faults = mergeConfig(base, {
  test: {
    env: {
      DKV_STORE_KILLS: '50',
      DKV_PRIME_KILLS: '50',
      DKV_KILLS: '8',
      DKV_STORE_FLIPS: '300',
      DKV_HOSTILE: '100000',
      DKV_SERVER_KILLS: '20',
    },
    testTimeout: 1_800_000,
  },
});
faults.test.include = [
  'test/store/{lmdb,faults,refusals,stores,transfer}.test.ts',
  'test/serving/{faults,kills,damage}.test.ts',
  'test/server/{fuzz,faults,signals,sockets}.test.ts',
  'test/fleet/{queue,runners}.test.ts',
];
faults.test.exclude = configDefaults.exclude;

export default faults;
