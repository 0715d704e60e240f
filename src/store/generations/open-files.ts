/** From the place of a catalogue to its files. */
import { DkvError } from '../../base/errors.js';
import type { FolderAddress, S3Address, S3Options } from '../backends/address.js';
import type { CatalogueFiles } from './files.js';
import { FolderFiles } from './folder-files.js';

export interface FilesOptions {
  readonly timeoutMs: number;
  readonly s3: S3Options;
}

export function openFiles(place: FolderAddress | S3Address, _options: FilesOptions): CatalogueFiles {
  if (place.kind === 'folder') return new FolderFiles(place.path);
  throw new DkvError('INPUT_INVALID', `${place.shown}: not yet.`);
}
