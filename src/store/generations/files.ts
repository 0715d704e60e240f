/**
 * The files of a catalogue of generations, in a folder or in a bucket. Names have slashes between their parts and no other characters than letters,
 * digits, `-`, `_` and `.`. A file appears whole or not at all, wherever its writer is stopped.
 */

/** A file's bytes as they were at one moment, with what tells them from what others write later. */
export interface VersionedFile {
  readonly bytes: Buffer;
  /** The version, for `replace`. */
  readonly version: string;
}

export interface ListedFile {
  /** The name below the listed folder. */
  readonly name: string;
  readonly sizeBytes: number;
  /** The time of the last change in milliseconds since 1970. */
  readonly storedAt: number;
}

/** @throws DkvError from every method: STORE_UNREACHABLE, STORE_DENIED, DISK_FULL; STORE_READONLY from those that change something */
export interface CatalogueFiles {
  /** The folder or address, without secrets. */
  readonly location: string;
  /** Reads a whole file; undefined when there is none. */
  read(name: string): Promise<VersionedFile | undefined>;
  /**
   * Reads the bytes from `start` on, `length` of them or as many as there are up to the file's end; undefined when there is no such file.
   * @param into memory for the bytes, which are then a part of it; a place may also give memory of its own
   * @throws DkvError CANCELLED when the signal is aborted
   */
  readRange(
    name: string,
    start: number,
    length: number,
    signal?: AbortSignal,
    into?: Buffer,
  ): Promise<Buffer | undefined>;
  /** Tells cheaply, where a place can, whether a file is the one that it was: another text for another one, and undefined where there is none. */
  stamp?(name: string): string | undefined;
  /** Writes a file whatever was there, for files whose name says what is in them. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Writes a file unless there is one, in one step. It returns false when there is one, whose bytes stay. */
  create(name: string, bytes: Uint8Array): Promise<boolean>;
  /** Writes a file if it still has that version, in one step. It returns false when somebody else has written or removed it. */
  replace(name: string, bytes: Uint8Array, version: string): Promise<boolean>;
  /** Removes a file; nothing happens when there is none. */
  remove(name: string): Promise<void>;
  /** Lists the files below a folder (`shards/`), in the order of their names. */
  list(folder: string): AsyncIterable<ListedFile>;
  /**
   * Removes what writers that were stopped left half written before a time in milliseconds since 1970. Where a write is one step there is nothing.
   */
  tidy(before: number): Promise<void>;
  /** Ends connections and open files. */
  close(): Promise<void>;
}
