/** Files that a run folder keeps compressed by gzip: `trials.jsonl.gz`, `samples.jsonl.gz` and `summary.json.gz`. What is in them is not its concern. */
import { DkvError, messageOf } from '../../base/errors.js';
import { START_AGAIN } from './advice.js';

/** What the name of a compressed file ends with. */
export const PACKED = '.gz';

/**
 * Decompresses a `trials.jsonl.gz`, `samples.jsonl.gz` or `summary.json.gz`, for `parseRunFiles`, `parseTrials`, `parseSamples` and `parseSummary`. It needs only `DecompressionStream`, which browsers have too.
 * @param file the file's name, for messages
 * @throws DkvError RUN_DAMAGED for content that is not gzip, was cut off, or does not agree with gzip's checksum
 */
export async function unpackLines(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  try {
    const unpacked = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch (error) {
    throw new DkvError('RUN_DAMAGED', `${file}: not what gzip wrote (${messageOf(error)}). ${START_AGAIN}`, {
      cause: error,
    });
  }
}
