/**
 * Lines sorted into 256 buckets by the first byte of a digest, in memory while they are few and in a temporary folder beyond, so that what is held does not grow
 * with the corpus.
 */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

export const BUCKETS = 256;
/** The characters that are held before all of them go to the disk. */
const MOST_HELD = 64 * 2 ** 20;

export class Buckets {
  readonly #held: string[][] = Array.from({ length: BUCKETS }, () => []);
  readonly #mostHeld: number;
  #characters = 0;
  #folder: string | undefined;
  readonly #onDisk = new Set<number>();
  /** The number of lines. */
  lines = 0;

  constructor(mostHeld = MOST_HELD) {
    this.#mostHeld = mostHeld;
  }

  /** @param line without a line feed */
  async add(bucket: number, line: string): Promise<void> {
    this.#held[bucket]!.push(line);
    this.#characters += line.length;
    this.lines++;
    if (this.#characters >= this.#mostHeld) await this.#spill();
  }

  /** The lines of a bucket, in the order in which they came. */
  async read(bucket: number): Promise<string[]> {
    const held = this.#held[bucket]!;
    if (!this.#onDisk.has(bucket)) return [...held];
    return [...(await readFile(this.#file(bucket), 'utf8')).split('\n').slice(0, -1), ...held];
  }

  /** Removes what is on the disk. */
  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #spill(): Promise<void> {
    this.#folder ??= await mkdtemp(path.join(os.tmpdir(), 'dkv-fleet-'));
    for (const [bucket, lines] of this.#held.entries()) {
      if (lines.length === 0) continue;
      await appendFile(this.#file(bucket), lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
      this.#onDisk.add(bucket);
      lines.length = 0;
    }
    this.#characters = 0;
  }

  #file(bucket: number): string {
    return path.join(this.#folder!, `${bucket}.jsonl`);
  }
}
