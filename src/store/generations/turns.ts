/**
 * Changes of a catalogue take turns: whoever changes what generations and aliases there are holds `lock.json` meanwhile, on folders and buckets alike.
 * A holder that died is passed over: at once where it was a process of this machine, else when its time is over.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { DkvError, messageOf } from '../../base/errors.js';
import { decodeChecked, encodeChecked } from './checked-json.js';
import type { CatalogueFiles, VersionedFile } from './files.js';
import { isDeadHere, thisProcess } from './holders.js';

const NAME = 'lock.json';
/** A holder says this often that it goes on ... */
const RENEW_MS = 5000;
/** ... and is passed over when it has not done so for this long. */
const LASTS_MS = 30_000;
const POLL_MS = 250;
/** The longest wait for a turn. */
const WAIT_MS = 60_000;

export const lockSchema = z.strictObject({
  turn: z.string().describe('The turn, by a random name.'),
  holder: z.string().describe('What it is doing.'),
  process: z.int().describe('The number of the process.'),
  host: z.string().describe('The name of its machine.'),
  until: z.int().describe('When it may be passed over, in milliseconds since 1970.'),
});

export interface Turn {
  /** Checks, before something that cannot be undone, that nobody else may have begun. @throws DkvError STORE_BUSY */
  expectHeld(): void;
}

/**
 * Runs `work` when it is its turn.
 * @param doing what it does, for others who wait
 * @throws DkvError STORE_BUSY when another holder goes on for a minute, CANCELLED, and what `work` throws
 */
export async function inTurn<T>(
  files: CatalogueFiles,
  doing: string,
  work: (turn: Turn) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const until = () => Date.now() + LASTS_MS;
  const turn = randomUUID();
  const isMine = (file: VersionedFile) => holderIn(file)?.turn === turn;
  const mine = () => encodeChecked({ turn, holder: doing, ...thisProcess(), until: until() });
  await take(files, mine, signal);
  let heldUntil = until();
  let lost: string | undefined;
  const renewing = setInterval(async () => {
    try {
      const now = await files.read(NAME);
      const isOurs = now && isMine(now);
      if (isOurs && (await files.replace(NAME, mine(), now.version))) heldUntil = until();
      else lost = 'another process has taken over';
    } catch (error) {
      lost = messageOf(error);
    }
  }, RENEW_MS);
  renewing.unref();
  const expectHeld = () => {
    if (lost === undefined && Date.now() < heldUntil) return;
    throw new DkvError(
      'STORE_BUSY',
      `${files.location}: ${doing} lost its turn (${lost ?? 'it took too long'}). Start it again.`,
    );
  };
  try {
    return await work({ expectHeld });
  } finally {
    clearInterval(renewing);
    const now = await files.read(NAME).catch(() => undefined);
    if (now && isMine(now)) await files.remove(NAME).catch(() => undefined);
  }
}

async function take(files: CatalogueFiles, mine: () => Buffer, signal?: AbortSignal): Promise<void> {
  for (const end = Date.now() + WAIT_MS; ; ) {
    if (await files.create(NAME, mine())) return;
    const found = await files.read(NAME);
    if (!found) continue;
    const holder = holderIn(found);
    if (!holder || isOver(holder)) {
      if (await files.replace(NAME, mine(), found.version)) return;
      continue;
    }
    if (signal?.aborted) throw new DkvError('CANCELLED', 'Stopped while another process changed the catalogue.');
    if (Date.now() > end) {
      throw new DkvError(
        'STORE_BUSY',
        `${files.location}: process ${holder.process} on ${holder.host} is at work there (${holder.holder}). Try again when it has ended.`,
      );
    }
    await sleep(POLL_MS);
  }
}

type Holder = z.infer<typeof lockSchema>;

/** A damaged lock holds nothing up. */
function holderIn({ bytes }: VersionedFile): Holder | undefined {
  try {
    return decodeChecked(lockSchema, bytes, NAME);
  } catch {
    return undefined;
  }
}

function isOver(holder: Holder): boolean {
  return holder.until < Date.now() || isDeadHere(holder);
}
