/** The files of a corpus as one stream of numbered rows. A file that changes while it is read is refused. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { DkvError } from '../base/errors.js';
import { openDocuments } from '../datasets/documents.js';
import type { OpenOptions } from '../datasets/options.js';
import { isS3, openS3Input } from '../datasets/s3-input.js';
import type { Plan } from './plan.js';
import { contentOf, type Row, rowOf } from './row.js';

export type CorpusFile = Plan['corpus'][number];

/**
 * Reads a corpus, and at the end says what it was.
 * @param inputs files and addresses, as `dkv prime` takes them
 * @throws DkvError INPUT_INVALID, and what opening the files throws
 */
export async function* corpusRows(inputs: readonly string[], options: OpenOptions): AsyncGenerator<Row, CorpusFile[]> {
  const files: CorpusFile[] = [];
  let number = 0;
  for (const name of inputs) {
    const before = await versionOf(name);
    const { rows } = await openDocuments(name, options);
    const hash = createHash('sha256');
    let own = 0;
    for await (const document of rows) {
      if (options.signal?.aborted) throw cancelled();
      const row = rowOf(++number, document);
      hash.update(`${row.id ?? ''}\n${contentOf(row)}\n`);
      own++;
      yield row;
    }
    if (options.signal?.aborted) throw cancelled();
    if ((await versionOf(name)) !== before) {
      throw new DkvError('INPUT_INVALID', `${name} has changed while it was read. Plan again once it stays as it is.`);
    }
    files.push({ name, rows: own, digest: hash.digest('hex') });
  }
  return files;
}

function cancelled(): DkvError {
  return new DkvError('CANCELLED', 'Stopped; no plan was made.');
}

/** Tells a file from what is there later, where that can be told without reading it. */
async function versionOf(name: string): Promise<string | undefined> {
  if (isS3(name)) {
    const { sizeBytes, version } = await openS3Input(name);
    return `${sizeBytes} ${version}`;
  }
  const found = await stat(name, { bigint: true }).catch(() => undefined);
  return found && `${found.size} ${found.mtimeNs} ${found.ino}`;
}
