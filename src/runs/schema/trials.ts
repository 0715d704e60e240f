/** The journal of a run, `trials.jsonl`, as it is read: one line a trial or a rejected sample, each with its checksum and in agreement with itself. */
import { DkvError } from '../../base/errors.js';
import { shortestFloat32 } from '../../base/float32.js';
import { tryParse } from '../../base/parse.js';
import { AT_ONE, INVERSE_TEMPERATURES } from '../../stats/inverse-temperatures.js';
import { type Entry, entryKey, entrySchema, isTrial, sumOf } from './entry.js';
import { bytesOf, type FileContent, unsealLines, wholeLines } from './sealed.js';

export const TRIALS_FILE = 'trials.jsonl';

/** The bytes that begin what gzip writes. */
const GZIP = [0x1f, 0x8b];

/** What to do when entries are missing. */
export const GO_ON = 'Go on with the run (dkv run --resume): what is missing is computed again, the rest stays.';

/**
 * Reads the content of a finished run's `trials.jsonl`, which ends with a whole line: trials or measurements inside the encoder, and the samples
 * that could not be scored.
 * @param file the file's name, for messages
 * @throws DkvError RUN_DAMAGED naming the lines that are not as they were written, INPUT_INVALID for content that is still compressed
 */
export function parseTrials(content: FileContent, file = TRIALS_FILE): Entry[] {
  const bytes = bytesOf(content);
  if (bytes[0] === GZIP[0] && bytes[1] === GZIP[1]) {
    throw new DkvError(
      'INPUT_INVALID',
      `${file} is compressed by gzip. Unpack it with unpackTrials before it is read.`,
    );
  }
  const { entries, wholeBytes } = parseJournal(bytes, file);
  if (wholeBytes === bytes.length) return entries;
  throw new DkvError('RUN_DAMAGED', `${file}: its last line, ${entries.length + 1}, is torn. ${GO_ON}`);
}

/** The same of a run that may not be finished: what stands behind the last line break is left, and `wholeBytes` says where it begins. */
export function parseJournal(bytes: Uint8Array, file: string): { entries: Entry[]; wholeBytes: number } {
  const remove = file.endsWith('.gz') ? 'Unpack it (gunzip), and remove what is damaged.' : 'Remove what is damaged.';
  const entries = unsealLines(file, bytes, checkedEntry, `${remove} ${GO_ON}`);
  const written = new Map<string, number>();
  for (const [at, entry] of entries.entries()) {
    const before = written.get(entryKey(entry));
    // Two processes that go on with one run write some trials twice, which are the same.
    if (before !== undefined && JSON.stringify(entries[before]) !== JSON.stringify(entry)) {
      throw new DkvError(
        'RUN_DAMAGED',
        `${file}, lines ${before + 1}, ${at + 1}: two different results of ${entryKey(entry)}. Remove both. ${GO_ON}`,
      );
    }
    written.set(entryKey(entry), at);
  }
  return { entries, wholeBytes: wholeLines(bytes) };
}

function checkedEntry(value: unknown): Entry {
  const parsed = tryParse(entrySchema, value);
  if (!parsed.success) throw new Error(`not an entry of a journal: ${parsed.problem}`);
  const entry = parsed.data;
  if (isTrial(entry)) {
    const sum = sumOf(entry.token_nlls);
    if (entry.token_nlls.length !== entry.num_tokens || sum !== entry.nll_sum || sum / entry.num_tokens !== entry.nll) {
      throw new Error('num_tokens, nll and nll_sum are not those of token_nlls');
    }
    const { token_nlls, tempered_nlls: tempered = [] } = entry;
    const atOne = tempered.map((own) => (own.length === INVERSE_TEMPERATURES.length ? own[AT_ONE] : undefined));
    if (tempered.length > 0 && JSON.stringify(atOne) !== JSON.stringify(token_nlls)) {
      throw new Error('tempered_nlls are not ten for each of token_nlls, which are those at 1');
    }
    for (const [name, nlls] of Object.entries({ token_nlls, tempered_nlls: tempered.flat() })) {
      const odd = nlls.find((nll) => shortestFloat32(Math.fround(nll)) !== nll);
      if (odd !== undefined) throw new Error(`${odd} of ${name} is no float32 number in nine digits`);
    }
  }
  return entry;
}
