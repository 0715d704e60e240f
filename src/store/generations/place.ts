/** The place of a catalogue: its address, and what may stand there. */
import { readdir } from 'node:fs/promises';
import { DkvError } from '../../base/errors.js';
import { fileError } from '../../base/files.js';
import { shellWord } from '../../base/shell-word.js';
import { type FolderAddress, parseAddress, type S3Address } from '../backends/address.js';
import { DATA_FILE } from '../backends/lmdb-file.js';
import type { CatalogueFiles } from './files.js';

/** What a catalogue has in its folder, any of which makes it one. */
const PARTS = [
  'generations',
  'drafts',
  'shards',
  'aliases',
  'takedowns',
  'audit',
  'leases',
  'fleet',
  'lock.json',
] as const;

/**
 * Reads the address of a catalogue, `packed:` before it or not.
 * @throws DkvError INPUT_INVALID for what is none, and for one that names a generation
 */
export function catalogueAddress(location: string): FolderAddress | S3Address {
  const address = parseAddress(location.startsWith('packed:') ? location : `packed:${location}`);
  if (address.kind !== 'packed') throw new Error(`${location} was read as ${address.kind}.`);
  if (address.alias === undefined && address.generation === undefined) return address.place;
  throw new DkvError(
    'INPUT_INVALID',
    `${location} is one generation of a catalogue, and the whole catalogue is asked for: leave out what stands behind "?".`,
  );
}

/**
 * Checks that a catalogue is there, or that one may begin there.
 * @param mayBegin whether an empty or missing folder will do
 * @throws DkvError INPUT_INVALID for something else, FILES_UNUSABLE
 */
export async function expectCatalogue(
  place: FolderAddress | S3Address,
  files: Pick<CatalogueFiles, 'list'>,
  mayBegin: boolean,
): Promise<void> {
  const isThere = place.kind === 'folder' ? await isCatalogueFolder(place.path) : await hasFiles(files);
  if (isThere || mayBegin) return;
  const shown = place.kind === 'folder' ? place.path : place.shown;
  throw new DkvError(
    'INPUT_INVALID',
    `${shown}: there is no catalogue. Name one, or make one: dkv store pack STORE ${shellWord(shown)}`,
  );
}

/** @throws DkvError for a folder that holds something else */
export async function isCatalogueFolder(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw fileError(error, folder);
  });
  if (PARTS.some((part) => names.includes(part))) return true;
  if (names.length === 0) return false;
  if (names.includes(DATA_FILE)) {
    throw new DkvError(
      'INPUT_INVALID',
      `${folder} is a store, and a catalogue of generations is asked for. Pack it into one: dkv store pack ${shellWord(folder)} ${shellWord(`${folder}-catalogue`)}`,
    );
  }
  throw new DkvError(
    'INPUT_INVALID',
    `${folder} holds other files and no catalogue. Name an empty folder or a catalogue.`,
  );
}

async function hasFiles(files: Pick<CatalogueFiles, 'list'>): Promise<boolean> {
  for (const part of ['generations/', 'drafts/', 'takedowns/', 'fleet/']) {
    for await (const _ of files.list(part)) return true;
  }
  return false;
}
