/**
 * The journal of a run, `trials.jsonl`, as it is read: one line a trial or a rejected sample, each with its checksum and in agreement with itself. Of a run that
 * has ended it may be packed (`packed-trials.ts`), which its first line tells.
 */
import { DkvError, messageOf } from '../../base/errors.js';
import { shortestFloat32 } from '../../base/float32.js';
import { tryParse } from '../../base/parse.js';
import { AT_ONE, INVERSE_TEMPERATURES } from '../../stats/inverse-temperatures.js';
import { GO_ON, RESUME, START_AGAIN } from './advice.js';
import { differences } from './configuration.js';
import { type Entry, entryKey, entrySchema, isTrial, sumOf } from './entry.js';
import { afterHead, describeHead, type JournalHead, type JournalOwner, parseHead } from './journal-head.js';
import { isPacked, type PackedHead, unpackTrials } from './packed-trials.js';
import { bytesOf, type FileContent, unpackedBytesOf, unsealLines, wholeLines } from './sealed.js';

export const TRIALS_FILE = 'trials.jsonl';

/** What stands in a journal. */
export interface Journal {
  /** The file that it was read from, for messages. */
  readonly file: string;
  readonly entries: Entry[];
  /** True where its lines hold each other, so that none can be removed. */
  readonly isPacked: boolean;
  /** The number of the line that an entry stands in. */
  readonly lineOf: (entry: number) => number;
}

/**
 * Reads the content of a finished run's `trials.jsonl`, which ends with a whole line: trials or measurements inside the encoder, and the samples
 * that could not be scored. Which run they are of is not looked at; `parseRunFiles` does that.
 * @param file the file's name, for messages
 * @throws DkvError RUN_DAMAGED naming the lines that are not as they were written, INPUT_INVALID for content that is still compressed
 */
export function parseTrials(content: FileContent, file = TRIALS_FILE): Entry[] {
  return parseWholeJournal(content, file).entries;
}

/**
 * Reads the whole journal of a run that is known.
 * @throws DkvError as `parseTrials`, and RUN_DAMAGED for trials of another run
 */
export function parseWholeJournal(content: FileContent, file: string, owner?: JournalOwner): Journal {
  const bytes = bytesOf(content);
  const { wholeBytes, ...journal } = parseJournal(bytes, file, owner);
  if (wholeBytes === bytes.length) return journal;
  const torn = journal.lineOf(journal.entries.length);
  throw new DkvError('RUN_DAMAGED', `${file}: its last line, ${torn}, is torn. ${GO_ON}`);
}

/**
 * Reads the journal of a run that may not be finished. What stands behind the last line break is not read, and `wholeBytes` says where it begins.
 * @throws DkvError RUN_DAMAGED, and INPUT_INVALID for content that is still compressed, in which every line would be torn
 */
export function parseJournal(
  content: Uint8Array,
  file: string,
  owner?: JournalOwner,
): Journal & { readonly wholeBytes: number } {
  const bytes = unpackedBytesOf(content, file);
  if (isPacked(bytes)) return parsePacked(bytes, file, owner);
  const { head, length } = headOf(bytes);
  if (head && owner) expectOwn(file, head, owner.head);
  const firstLine = head ? 2 : 1;
  const strange = !head && owner?.isBound ? HEADLESS : '';
  const advice = removing('what is damaged', { file, isPacked: false });
  const entries = unsealLines(file, bytes.subarray(length), checkedEntry, `${strange}${advice}`, {
    first: firstLine,
    before: checksumsBefore(head, owner),
  });
  const lineOf = (entry: number) => firstLine + entry;
  const journal = { file, entries, isPacked: false, lineOf };
  expectOneResult(journal);
  return { ...journal, wholeBytes: wholeLines(bytes) };
}

/** Advice to remove some lines of a journal, as far as its form allows it. */
export function removing(what: string, { file, isPacked: hold }: Pick<Journal, 'file' | 'isPacked'>): string {
  if (hold) return START_AGAIN;
  return `${file.endsWith('.gz') ? `Unpack it (gunzip), and remove ${what}.` : `Remove ${what}.`} ${GO_ON}`;
}

const HEADLESS = 'The first line, which says which run it is of, is not there: it may be another’s. ';

function parsePacked(
  bytes: Uint8Array,
  file: string,
  owner: JournalOwner | undefined,
): Journal & { readonly wholeBytes: number } {
  const whole = unpacked(bytes, file);
  const { journal } = whole.head;
  if (journal && owner) expectOwn(file, journal, owner.head);
  if (!journal && owner?.isBound) {
    throw new DkvError('RUN_DAMAGED', `${file}: ${HEADLESS}${START_AGAIN}`);
  }
  const lineOf = (entry: number) => whole.lines[entry]!;
  const own = { file, entries: whole.entries, isPacked: true, lineOf };
  expectOneResult(own);
  return { ...own, wholeBytes: bytes.length };
}

/** @throws DkvError RUN_DAMAGED for what is not as it was packed */
function unpacked(bytes: Uint8Array, file: string): { head: PackedHead; entries: Entry[]; lines: number[] } {
  try {
    const { head, entries } = unpackTrials(bytes);
    return { head, entries: entries.map(({ value }) => checkedEntry(value)), lines: entries.map(({ line }) => line) };
  } catch (error) {
    throw new DkvError('RUN_DAMAGED', `${file}: not what was written (${messageOf(error)}). ${START_AGAIN}`, {
      cause: error,
    });
  }
}

/** @throws DkvError RUN_DAMAGED */
function expectOneResult(journal: Journal): void {
  const { file, entries, lineOf } = journal;
  const written = new Map<string, number>();
  for (const [at, entry] of entries.entries()) {
    const before = written.get(entryKey(entry));
    // Two processes that go on with one run write some trials twice, which are the same.
    if (before !== undefined && JSON.stringify(entries[before]) !== JSON.stringify(entry)) {
      throw new DkvError(
        'RUN_DAMAGED',
        `${file}, lines ${lineOf(before)}, ${lineOf(at)}: two different results of ${entryKey(entry)}. ${removing('both', journal)}`,
      );
    }
    written.set(entryKey(entry), at);
  }
}

/** What a journal's first line says, and how many bytes it takes with its line break; none of a journal that is older, or where that line is not there. */
export function headOf(bytes: Uint8Array): { readonly head: JournalHead | undefined; readonly length: number } {
  const length = bytes.indexOf(LINE_BREAK) + 1;
  const head = length > 0 ? parseHead(bytes.subarray(0, length - 1)) : undefined;
  return { head, length: head ? length : 0 };
}

const LINE_BREAK = 0x0a;

/** A damaged first line may be removed: the others are known by their run. */
function checksumsBefore(head: JournalHead | undefined, owner: JournalOwner | undefined): number[] {
  if (head) return [afterHead(head)];
  if (!owner) return [0];
  return [...(owner.isBound ? [] : [0]), afterHead(owner.head)];
}

/** @throws DkvError RUN_DAMAGED */
function expectOwn(file: string, head: JournalHead, own: JournalHead): void {
  if (differences(own, head).length === 0) return;
  throw new DkvError(
    'RUN_DAMAGED',
    `${file} holds the trials of another run: ${describeHead(head)}. This one is ${describeHead(own)}. Bring its own back from a copy, or remove the file and go on with the run (${RESUME}): its own are computed anew.`,
  );
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
