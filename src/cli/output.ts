/** Where a command writes its lines: a file that appears when it is whole, or the standard output. */
import { once } from 'node:events';
import { chmod, type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Breather } from '../base/breather.js';
import { DkvError } from '../base/errors.js';
import { fileError, forgetPartial, isSameFile, partialName } from '../base/files.js';
import { expectStandardOutput } from './terminal.js';

export interface Output {
  /**
   * Writes text and resolves when more may be written.
   * @throws DkvError DISK_FULL, FILES_UNUSABLE
   */
  write(text: string | Uint8Array): Promise<void>;
  /** Ends the output. The file then appears under its name, in place of what was there. */
  close(): Promise<void>;
  /** Drops the output and leaves what was there before. It does nothing after `close`. */
  discard(): Promise<void>;
}

/**
 * @param file `-` for the standard output; a file is replaced when the output is closed
 * @param option that named it, for messages
 * @throws DkvError INPUT_INVALID for a file that keeps records; FILES_UNUSABLE when it cannot be made
 */
export async function openOutput(file: string, option = '--output'): Promise<Output> {
  if (file === '-') return standardOutput;
  const subject = `${option} ${file}`;
  const found = await stat(file).catch(() => undefined);
  // A link stays a link: what it leads to is replaced.
  const target = found ? await realpath(file) : file;
  for (const name of new Set([file, target])) await expectNoRecord(name, subject);
  try {
    // A device or a pipe is written to as it is: nothing may be put in its place.
    if (found && !found.isFile() && !found.isDirectory()) return direct(await open(file, 'w'), subject);
    if (found?.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR', syscall: 'open' });
    return await replacement(target, found?.mode, subject);
  } catch (error) {
    throw fileError(error, subject);
  }
}

/** Lets Ctrl-C be heard during a loop of writes, since writing to a file never waits. */
const turns = new Breather(undefined);

const standardOutput: Output = {
  async write(text) {
    await turns.rest();
    // Data are exact, but for a person at a terminal.
    const shown = process.stdout.isTTY || typeof text !== 'string' ? text : Buffer.from(text);
    expectStandardOutput();
    if (!process.stdout.write(shown)) await drained();
  },
  close: async () => undefined,
  discard: async () => undefined,
};

/** @throws DkvError DISK_FULL, FILES_UNUSABLE */
async function drained(): Promise<void> {
  await once(process.stdout, 'drain').catch((error: unknown) => {
    throw fileError(error, 'standard output');
  });
}

function direct(handle: FileHandle, subject: string): Output {
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    await handle.close();
  };
  return { write: (text) => append(handle, text, subject), close, discard: close };
}

async function replacement(file: string, mode: number | undefined, subject: string): Promise<Output> {
  const temporary = partialName(file);
  const handle = await open(temporary, 'wx').catch((error: unknown) => {
    forgetPartial(temporary);
    throw error;
  });
  const plain = direct(handle, subject);
  let isDone = false;
  return {
    write: plain.write,
    async close() {
      if (isDone) return;
      isDone = true;
      try {
        if (mode !== undefined) await chmod(temporary, mode);
        await handle.sync();
        await plain.close();
        await rename(temporary, file);
      } catch (error) {
        await rm(temporary, { force: true });
        throw fileError(error, subject);
      } finally {
        forgetPartial(temporary);
      }
    },
    async discard() {
      if (isDone) return;
      isDone = true;
      await plain.close();
      await rm(temporary, { force: true });
      forgetPartial(temporary);
    },
  };
}

async function append(handle: FileHandle, text: string | Uint8Array, subject: string): Promise<void> {
  await handle.appendFile(text).catch((error: unknown) => {
    throw fileError(error, subject);
  });
}

/** Does `work` with an output, which is discarded if that fails. */
export async function withOutput<T>(file: string, option: string, work: (output: Output) => Promise<T>): Promise<T> {
  const output = await openOutput(file, option);
  try {
    const made = await work(output);
    await output.close();
    return made;
  } finally {
    await output.discard();
  }
}

/** The files that make up a run or a store, by the file beside which they stand. */
const RECORDS: readonly { readonly names: readonly string[]; readonly beside: string; readonly of: string }[] = [
  {
    names: [
      'run.json',
      'samples.jsonl',
      'samples.jsonl.gz',
      'trials.jsonl',
      'trials.jsonl.gz',
      'written.json',
      'summary.json',
      'summary.json.gz',
    ],
    beside: 'run.json',
    of: 'a run',
  },
  { names: ['data.mdb', 'lock.mdb'], beside: 'data.mdb', of: 'a store' },
];

async function expectNoRecord(file: string, subject: string): Promise<void> {
  for (const { names, beside, of } of RECORDS) {
    if (!names.includes(path.basename(file))) continue;
    const folder = path.dirname(file);
    if (!(await stat(path.join(folder, beside)).catch(() => undefined))) continue;
    throw new DkvError(
      'INPUT_INVALID',
      `${subject}: a file of ${of} in ${folder}; it would be lost. Choose another name.`,
    );
  }
}

/** An option and the file that it names; undefined where it is not given. */
export type NamedFile = readonly [option: string, file: string | undefined];

/**
 * Refuses to write over a file that the command reads, or into one file twice, before anything is opened.
 * @throws DkvError INPUT_INVALID naming both options
 */
export async function expectApart(outputs: readonly NamedFile[], inputs: readonly NamedFile[]): Promise<void> {
  const files = (named: readonly NamedFile[]) =>
    named.filter((each): each is readonly [string, string] => each[1] !== undefined && !each[1].includes('://'));
  const written = files(outputs).filter(([, file]) => file !== '-');
  for (const [at, [option, file]] of written.entries()) {
    for (const [other, name] of [...files(inputs), ...written.slice(0, at)]) {
      if (!(await isSameFile(file, name))) continue;
      throw new DkvError(
        'INPUT_INVALID',
        `${option} ${file} and ${other} ${name} are the same file, which would be lost. Choose another name for ${option}.`,
      );
    }
  }
}
