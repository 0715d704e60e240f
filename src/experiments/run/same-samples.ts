/**
 * A run that goes on has the samples that it was begun with: those whose checksum its record has, or in a run that is older than the checksum those that the
 * data at hand give.
 */
import path from 'node:path';
import { DkvError } from '../../base/errors.js';
import { findLines, removeBeside } from '../../runs/packed.js';
import { readSamples, samplesChecksum, writeSamples } from '../../runs/samples.js';
import { RESUME } from '../../runs/schema/advice.js';
import { changes } from '../../runs/schema/configuration.js';
import { RECORD_FILE, type RunRecord } from '../../runs/schema/record.js';
import { SAMPLES_FILE, type SampleRecord } from '../../runs/schema/sample.js';

/**
 * Writes the samples of a run that has lost them, and otherwise holds those that are there against the run.
 * @param made makes them from the data at hand, with texts or without
 * @param withTexts may they be written with texts?
 * @param onNotice is told of a second file that holds nothing else and is removed
 * @throws DkvError RUN_MISMATCH where what would be written is not what the run was begun with, RUN_DAMAGED for samples that are not the run's
 */
export async function holdSamples(
  directory: string,
  record: RunRecord,
  made: (withTexts: boolean) => Promise<SampleRecord[]>,
  withTexts: boolean,
  onNotice?: (notice: string) => void,
): Promise<void> {
  const file = path.join(directory, SAMPLES_FILE);
  const own = record.samples_crc32;
  const found = await findLines(file);
  const isThere = found !== undefined;
  if (isThere) await removeBeside(found, onNotice);
  if (own === undefined) {
    if (isThere) await expectSameSamples(await readSamples(directory, record), made, file);
    else await writeSamples(directory, await made(withTexts));
    return;
  }
  // Those that are there are held against the checksum where they are read.
  if (isThere) return;
  // A run that was begun without texts goes on so.
  for (const kept of withTexts ? [true, false] : [false]) {
    const records = await made(kept);
    if (samplesChecksum(records) !== own) continue;
    await writeSamples(directory, records);
    return;
  }
  throw new DkvError(
    'RUN_MISMATCH',
    `${file} is not there, and what this version of the program would write in its place has another CRC-32 than ${own}, which ${RECORD_FILE} has. Bring it back from a copy, leave out --no-text where the run was begun without that option, or go on with the version that began the run.`,
  );
}

/** What releases learned to say of a sample one after the other: an older one is silent. */
const LATER: ReadonlySet<string> = new Set(['kind', 'query_as', 'control_tokens', 'control_pieces']);

/**
 * Holds samples against those that the data at hand give.
 * @param made makes these, with texts or without
 * @param file the samples', for messages
 * @throws DkvError RUN_DAMAGED naming the first that differs
 */
export async function expectSameSamples(
  records: readonly SampleRecord[],
  made: (withTexts: boolean) => Promise<SampleRecord[]>,
  file: string,
): Promise<void> {
  const present = await made(records.some(({ texts }) => texts !== undefined));
  const refused = (what: string) =>
    new DkvError(
      'RUN_DAMAGED',
      `${file} is not of the data of this run: ${what}. Bring its own back from a copy, or remove it and go on with the run (${RESUME}): it is written again from the data.`,
    );
  if (records.length !== present.length) throw refused(`it has ${records.length} samples, not ${present.length}`);
  for (const [i, { wrong_answers: _, ...own }] of records.entries()) {
    // Wrong answers are chosen by the program, and have a message of their own.
    const { wrong_answers: __, ...now } = present[i]!;
    const change = changes(now, own).find(({ field, now: found }) => found !== undefined || !LATER.has(field));
    if (change === undefined) continue;
    const { field, before: expected = 'nothing', now: found = 'nothing' } = change;
    throw refused(`line ${i + 1} has ${field} ${short(found)}, not ${short(expected)}`);
  }
}

function short(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}…` : value;
}
