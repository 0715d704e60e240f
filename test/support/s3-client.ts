import { S3Client } from '@aws-sdk/client-s3';
import type { S3Options } from '../../src/store/backends/address.js';

/** A client of the tests' own, for what the store does not do. */
export function clientOf({ endpoint, region, credentials }: S3Options): S3Client {
  return new S3Client({
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    ...(endpoint && { endpoint }),
    ...(region && { region }),
    ...(credentials && { credentials }),
  });
}
