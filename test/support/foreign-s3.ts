/** An S3 server that is not this project's, where one runs: `tools/s3/run` installs and starts one and names it by DKV_TEST_S3. */
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { S3Options } from '../../src/store/backends/address.js';
import { clientOf } from './s3-client.js';
import type { S3Place } from './s3-suites.js';

export interface ForeignS3 extends S3Place {
  readonly options: S3Options & { readonly endpoint: string };
}

const endpoint = process.env.DKV_TEST_S3;
const BUCKET = 'dkv-tests';

/** The server; undefined where none runs. Its keys come from the environment, as the store's do. */
export const FOREIGN_S3: ForeignS3 | undefined = endpoint
  ? { options: { endpoint, region: 'us-east-1' }, bucket: BUCKET }
  : undefined;

export async function makeBucket({ options, bucket }: ForeignS3): Promise<void> {
  const client = clientOf(options);
  await client.send(new CreateBucketCommand({ Bucket: bucket })).catch((error: unknown) => {
    if (!/^BucketAlready/.test((error as Error).name)) throw error;
  });
  client.destroy();
}
