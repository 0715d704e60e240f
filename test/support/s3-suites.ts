/** The conformance suites on any S3 server: this project's stand-in and servers of others. */
import { parseAddress, type S3Address, type S3Options } from '../../src/store/backends/address.js';
import { S3Backend } from '../../src/store/backends/s3.js';
import { S3Files } from '../../src/store/generations/s3-files.js';
import { openStore } from '../../src/store/open.js';
import type { FilesSuite } from '../conformance/catalogue-files.js';
import type { StoreSuite } from '../conformance/store.js';
import { startBreakingProxy } from './breaking-proxy.js';
import { s3Damager } from './damage.js';

const TIMEOUT_MS = 60_000;
const PUT_BYTES = 201_000;
let places = 0;

/** A server, and the bucket in which every test has a place of its own. */
export interface S3Place {
  readonly options: S3Options;
  readonly bucket: string;
}

export function freshAddress({ bucket }: S3Place): S3Address {
  return parseAddress(`s3://${bucket}/test-${process.pid}-${places++}`) as S3Address;
}

/** @param place is called when the server has been started */
export function s3StoreSuite(place: () => S3Place): StoreSuite {
  return {
    withoutCap: 'S3 keeps no order of use',
    backend: async () => new S3Backend(freshAddress(place()), TIMEOUT_MS, place().options),
    open: async () => {
      const { options } = place();
      const { bucket, prefix, shown } = freshAddress(place());
      const again = () => openStore(shown, { s3: options, timeoutMs: TIMEOUT_MS });
      return { store: await again(), reopen: again, damage: s3Damager({ options }, `${bucket}/${prefix}`).record };
    },
  };
}

/** @param pageEntries the names in a page of a list of this server */
export function s3FilesSuite(place: () => S3Place, pageEntries: number): FilesSuite {
  return {
    pageEntries,
    attempts: 24,
    open: async () => {
      const address = freshAddress(place());
      const view = () => new S3Files(address, TIMEOUT_MS, place().options);
      return { files: view(), others: view() };
    },
    putAndBreak: async ({ location }, name, bytes, attempt) => {
      const { options } = place();
      const proxy = await startBreakingProxy(options.endpoint!);
      proxy.breakAfterBytes = ((attempt + 1) / 20) * PUT_BYTES;
      const broken = new S3Files(parseAddress(location) as S3Address, TIMEOUT_MS, {
        ...options,
        endpoint: proxy.endpoint,
      });
      await broken.put(name, bytes).catch(() => undefined);
      await broken.close();
      await proxy.stop();
    },
  };
}
