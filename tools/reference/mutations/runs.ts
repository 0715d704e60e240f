/** Run folders: what holds samples, trials and summary together, and which runs may be taken together. */
import type { Mutation } from './mutation.js';

const SAMPLE = 'src/runs/schema/sample.ts';
const TRIALS = 'src/runs/schema/trials.ts';
const PACKED_TRIALS = 'src/runs/schema/packed-trials.ts';
const FILES = 'src/runs/packed.ts';
const POOLABLE = 'src/report/poolable.ts';

const FOLDER_TEST = 'test/runs/run-folder.test.ts';
const JOURNAL_TEST = 'test/runs/journal.test.ts';
const PACK_TEST = 'test/runs/pack-trials.test.ts';
const POOL_TEST = 'test/report/pool.test.ts';

export const RUNS: readonly Mutation[] = [
  {
    name: 'samples of another run taken for the run’s own',
    file: SAMPLE,
    from: 'own === undefined || found === own',
    to: "own === undefined || found !== ''",
    tests: FOLDER_TEST,
    only: 'with samples of another run',
  },
  {
    name: 'a journal’s first line not held against its run',
    file: TRIALS,
    from: 'if (head && owner) expectOwn(file, head, owner.head);',
    to: '',
    tests: FOLDER_TEST,
    only: 'by the run that they are of',
  },
  {
    name: 'lines of any run taken behind a first line',
    file: TRIALS,
    from: 'if (head) return [afterHead(head)];',
    to: 'if (head) return [0, afterHead(head)];',
    tests: FOLDER_TEST,
    only: 'where single lines are another run',
  },
  {
    name: 'lines without a first line taken for those of a run that has one',
    file: TRIALS,
    from: '...(owner.isBound ? [] : [0])',
    to: '...[0]',
    tests: FOLDER_TEST,
    only: 'where nothing says whose they are',
  },
  {
    name: 'packed trials not held against their run',
    file: TRIALS,
    from: 'if (journal && owner) expectOwn(file, journal, owner.head);',
    to: '',
    tests: PACK_TEST,
    only: 'stays bound to its run',
  },
  {
    name: 'packed trials that say no run taken for those of a run that is bound',
    file: TRIALS,
    from: 'if (!journal && owner?.isBound) {',
    to: "if (!journal && owner?.isBound && file === '') {",
    tests: PACK_TEST,
    only: 'stays bound to its run',
  },
  {
    name: 'packed trials read without their checksum',
    file: PACKED_TRIALS,
    from: '[crc32(bytes.subarray(0, beforeEnd))]',
    to: '{ some: () => true } as unknown as number[]',
    tests: PACK_TEST,
    only: 'where a byte was changed',
  },
  {
    name: 'packed trials read whose checksum is not there',
    file: PACKED_TRIALS,
    from: "if (!sealed) throw new Error('its last line has no checksum');",
    to: '',
    tests: PACK_TEST,
    only: 'where a byte was changed',
  },
  {
    name: 'trials of other means taken for those of the summary',
    file: 'src/runs/schema/run.ts',
    from: 'if (Math.abs(mean - was) <= SAME_MEAN * Math.max(1, Math.abs(was))) return;',
    to: 'if (mean !== Number.POSITIVE_INFINITY) return;',
    tests: FOLDER_TEST,
    only: 'where the run is older than first lines',
  },
  {
    name: 'two files of trials that say different things taken for one',
    file: FILES,
    from: 'if (at < 0) return',
    to: 'if (at < 2) return',
    tests: JOURNAL_TEST,
    only: 'says something else',
  },
  {
    name: 'the shorter one of two files of trials taken',
    file: FILES,
    from: 'one.said.length > other.said.length',
    to: 'one.said.length < other.said.length',
    tests: JOURNAL_TEST,
    only: 'says the same, or more',
  },
  {
    name: 'compressed trials that are compressed once more taken for a torn line',
    file: TRIALS,
    from: 'const bytes = unpackedBytesOf(content, file);',
    to: 'const bytes = content;',
    tests: JOURNAL_TEST,
    only: 'once too often',
  },
  {
    name: 'a torn line left in compressed trials to which more is written',
    file: 'src/runs/journal.ts',
    from: 'if (wholeBytes < found.bytes.length) {',
    to: 'if (wholeBytes < found.bytes.length && !found.isCompressed) {',
    tests: JOURNAL_TEST,
    only: 'torn before it was compressed',
  },
  {
    name: 'a folder visited again by every link to it',
    file: 'src/base/files-below.ts',
    from: 'if (visited.has(own)) return;',
    to: '',
    tests: 'test/base/files-below.test.ts',
  },
  {
    name: 'the same numbers under two names pooled as two models',
    file: POOLABLE,
    from: 'if (a.fingerprint === b.fingerprint) return true;',
    to: '',
    tests: POOL_TEST,
    only: 'where they were not asked the same',
  },
  {
    name: 'the same weights in two precisions pooled as two models',
    file: POOLABLE,
    from: 'return a.weights === b.weights;',
    to: 'return false;',
    tests: POOL_TEST,
  },
  {
    name: 'one name in two precisions pooled as two models',
    file: POOLABLE,
    from: "return a.name === b.name && (a.name.includes('/') || a.precision !== b.precision);",
    to: 'return false;',
    tests: POOL_TEST,
  },
];
