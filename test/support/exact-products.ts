/** Does this processor add 8-bit products exactly? The product refuses int8 where it does not. */
import { DkvError } from '../../src/base/errors.js';
import { expectExactProducts } from '../../src/engine/exact-products.js';

/** False on processors without VNNI or the like. */
export const ADDS_EXACTLY: boolean = await expectExactProducts().then(
  () => true,
  (error: unknown) => {
    if (error instanceof DkvError && error.code === 'DEVICE_UNAVAILABLE') return false;
    throw error;
  },
);
