/** Which release this is: workers of one plan have to be of one, since another may compute or write otherwise. */
import { createRequire } from 'node:module';

export const RELEASE = (createRequire(import.meta.url)('../../package.json') as { readonly version: string }).version;
