/** From the place of a catalogue to its files. */
import type { FolderAddress, S3Address, S3Options } from '../backends/address.js';
import type { CatalogueFiles } from './files.js';
import { FolderFiles } from './folder-files.js';

export interface FilesOptions {
  readonly timeoutMs: number;
  readonly s3: S3Options;
}

/** @throws DkvError INPUT_INVALID for an endpoint of S3 that is none */
export async function openFiles(
  place: FolderAddress | S3Address,
  { timeoutMs, s3 }: FilesOptions,
): Promise<CatalogueFiles> {
  if (place.kind === 'folder') return new FolderFiles(place.path);
  // The client of S3 takes longer to load than all else.
  const { S3Files } = await import('./s3-files.js');
  return new S3Files(place, timeoutMs, s3);
}
