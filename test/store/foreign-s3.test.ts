/** The suites of the store and of a catalogue's files on an S3 server that is not this project's own. */
import { beforeAll, describe, it } from 'vitest';
import { describeFiles } from '../conformance/catalogue-files.js';
import { describeLostAnswers } from '../conformance/lost-answers.js';
import { describeStore } from '../conformance/store.js';
import { FOREIGN_S3, makeBucket } from '../support/foreign-s3.js';
import { s3FilesSuite, s3StoreSuite } from '../support/s3-suites.js';

const WHERE = 'an S3 server of others (needs DKV_TEST_S3: tools/s3/run installs and starts one)';

describe.skipIf(!FOREIGN_S3)(WHERE, () => {
  const place = () => FOREIGN_S3!;
  beforeAll(() => makeBucket(place()));
  describeStore('its store', s3StoreSuite(place));
  describeFiles('on it', s3FilesSuite(place, 1000));
  describeLostAnswers(place);
});
if (!FOREIGN_S3) it.skip(`${WHERE}: none is named`);
