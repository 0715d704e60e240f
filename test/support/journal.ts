/** The trials of a run's folder. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readJournal } from '../../src/runs/journal.js';
import { readRecord } from '../../src/runs/record.js';
import type { Entry } from '../../src/runs/schema/entry.js';
import { type JournalOwner, ownerOf } from '../../src/runs/schema/journal-head.js';
import { sealedFile, sealedLine } from '../../src/runs/schema/sealed.js';

/** All that stands in its journal, which is whole and the run's own. */
export async function entriesIn(directory: string): Promise<Entry[]> {
  const record = await readRecord(directory);
  return (await readJournal(path.join(directory, 'trials.jsonl'), ownerOf(record!)))!.entries;
}

/** Leaves a run's folder as older releases did: nothing in it says which run its trials and samples are of. @returns the entries of its journal */
export async function unbind(directory: string): Promise<Entry[]> {
  const entries = await entriesIn(directory);
  const file = path.join(directory, 'run.json');
  const { bound: _, samples_crc32: __, crc32: ___, ...record } = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, sealedFile(record));
  await writeFile(path.join(directory, 'trials.jsonl'), entries.map(sealedLine).join(''));
  return entries;
}

/** Of a run that is in no folder, and whose journal may be older than first lines that say which run it is of. */
export const OWNER: JournalOwner = {
  isBound: false,
  head: {
    run: {
      experiment: 'mine',
      samples: 3,
      seed: 7,
      dataset: 'made-up',
      dataset_digest: 'd'.repeat(64),
      model: 'some/model',
      fingerprint: 'f'.repeat(64),
      started_at: '2026-01-02T03:04:05.678Z',
    },
  },
};
