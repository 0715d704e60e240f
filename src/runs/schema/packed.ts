/** Trials that a run folder keeps compressed, `trials.jsonl.gz`: the bytes of `trials.jsonl` as gzip packs them. */
import { DkvError, messageOf } from '../../base/errors.js';
import { GO_ON, TRIALS_FILE } from './trials.js';

export const PACKED_TRIALS_FILE = `${TRIALS_FILE}.gz` as const;

/**
 * Unpacks the content of a `trials.jsonl.gz` to that of a `trials.jsonl`, for `parseRunFiles` and `parseTrials`. It needs only
 * `DecompressionStream`, which browsers have too.
 * @param file the file's name, for messages
 * @throws DkvError RUN_DAMAGED for content that is not gzip, was cut off, or does not agree with gzip's checksum
 */
export async function unpackTrials(bytes: Uint8Array, file: string = PACKED_TRIALS_FILE): Promise<Uint8Array> {
  try {
    const unpacked = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch (error) {
    throw new DkvError(
      'RUN_DAMAGED',
      `${file}: not what gzip wrote (${messageOf(error)}). Bring it back from a copy, or remove it. ${GO_ON}`,
      { cause: error },
    );
  }
}
