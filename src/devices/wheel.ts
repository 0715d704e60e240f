/** A wheel of Python: a ZIP file, of which few members are wanted. */
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Entry, openPromise } from 'yauzl';
import { DkvError, messageOf } from '../base/errors.js';

export interface WheelMember {
  readonly sizeBytes: number;
  read(): Promise<Readable>;
}

export interface Wheel {
  find(name: string): WheelMember | undefined;
  /** The text of the first member of which the name is wanted. */
  textOf(wants: (name: string) => boolean): Promise<string | undefined>;
  close(): Promise<void>;
}

/** @throws DkvError INPUT_INVALID where it is none, or was cut off */
export async function openWheel(file: string): Promise<Wheel> {
  const entries = new Map<string, Entry>();
  try {
    const zip = await openPromise(file, { lazyEntries: true, autoClose: false });
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
    const member = (entry: Entry): WheelMember => ({
      sizeBytes: entry.uncompressedSize,
      read: () => zip.openReadStreamPromise(entry),
    });
    return {
      find: (name) => {
        const entry = entries.get(name);
        return entry && member(entry);
      },
      textOf: async (wants) => {
        const found = [...entries.keys()].find(wants);
        return found === undefined ? undefined : text(await member(entries.get(found)!).read());
      },
      close: async () => zip.close(),
    };
  } catch (error) {
    throw new DkvError(
      'INPUT_INVALID',
      `${file} cannot be read as a wheel: ${messageOf(error)}. Was it downloaded whole?`,
    );
  }
}
