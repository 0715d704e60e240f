/** Opens the catalogue that a fleet works for. */
import type { CatalogueOptions } from '../store/generations/catalogue-options.js';
import type { CatalogueFiles } from '../store/generations/files.js';
import { openFiles } from '../store/generations/open-files.js';
import { catalogueAddress, expectCatalogue } from '../store/generations/place.js';
import { DEFAULT_TIMEOUT_MS } from '../store/open.js';

/**
 * @param location a folder or s3://bucket/prefix
 * @throws DkvError INPUT_INVALID where there is no catalogue and none may begin; STORE_UNREACHABLE, STORE_DENIED
 */
export async function openFleetFiles(
  location: string,
  { create = false, timeoutMs = DEFAULT_TIMEOUT_MS, s3 = {} }: Omit<CatalogueOptions, 'tenantSalt'> = {},
): Promise<CatalogueFiles> {
  const place = catalogueAddress(location);
  const files = await openFiles(place, { timeoutMs, s3 });
  try {
    await expectCatalogue(place, files, create);
    return files;
  } catch (error) {
    await files.close();
    throw error;
  }
}
